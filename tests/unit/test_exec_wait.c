/* A process for the whole port: when it is started, that adoptd looks away, and that one
 * which does not do what it is there for is not started all the time. */
#include "exec_case.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct adopt_lookout *lookout;
static int fd = -1;

static void set_up(void)
{
	lookout = NULL;
}

/* What is left in hand is let go of, as where adoptd ends at once. */
static void end_reactor(void)
{
	free_loop();
	ck_assert_uint_eq(host.work, 0);
}

static void tear_down(void)
{
	end_reactor();
	if (lookout)
		exec_port_free(lookout);
	close(fd);
}

static void watch(const struct handler_settings *settings)
{
	struct adopt_port *port;

	ck_assert_int_eq(exec_port_new(settings, &host, &lookout), 0);
	ck_assert_int_eq(adopt_watched_port(loop, fd, AF_UNSPEC, lookout, &port), 0);
	ck_assert_int_eq(host_add_port(&host, port), 0);
}

static void watch_datagrams(const char *command, const char *more)
{
	struct adopt_address address = fresh_address(AF_INET, false);

	fd = bound_socket(SOCK_DGRAM, &address);
	watch(read_shell(command, more));
}

static void watch_listener(const char *command, const char *more)
{
	fd = place_listener(&places[0]);
	watch(read_shell(command, more));
}

static void send_to(int port, const char *text)
{
	struct adopt_address there = own_address(port), here = fresh_address(AF_INET, false);
	int client = bound_socket(SOCK_DGRAM, &here);

	ck_assert_int_eq(sendto(client, text, strlen(text), 0, &there.name.any, there.length),
			 (ssize_t)strlen(text));
	close(client);
}

static void send_datagram(const char *text)
{
	send_to(fd, text);
}

static unsigned ends(void)
{
	return captured_count("]: ended ");
}

/* Takes one datagram, and one after the other until it is told to end. */
#define TAKE "dd bs=100 count=1 status=none"
#define TAKES "while got=$(" TAKE "); do echo $got >&2; [ $got != end ] || exit 0; done"

/* A process that takes datagrams ends. */
static void end_it(void)
{
	send_datagram("end");
	RUN_UNTIL(host.work == 0);
}

START_TEST(datagrams_are_the_processs)
{
	watch_datagrams(TAKES, "");
	settle();
	ck_assert_uint_eq(host.work, 0);
	send_datagram("one\n");
	RUN_UNTIL(captured_count("]: one\n"));
	ck_assert_uint_eq(host.work, 1);
	/* The same process has them all: it is not as if they were looked at. */
	send_datagram("two\n");
	send_datagram("three\n");
	RUN_UNTIL(captured_count("]: three\n"));
	end_it();
	ck_assert_uint_eq(ends(), 1);
	send_datagram("four\n");
	RUN_UNTIL(captured_count("]: four\n"));
	end_it();
	ck_assert_uint_eq(ends(), 2);
	ck_assert_uint_eq(captured_count("without taking"), 0);
}
END_TEST

/* Finds the program that says on its descriptor 1 what it was started with. */
static void find_reporter(char program[PATH_MAX])
{
	const char *directory = getenv("TOP_BUILDDIR");
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/tests/unit/reporter", directory ? directory : ".");
	ck_assert_ptr_nonnull(realpath(path, program));
}

START_TEST(it_gets_the_bare_socket)
{
	struct adopt_address address = fresh_address(AF_INET, false);
	char program[PATH_MAX];

	fd = bound_socket(SOCK_DGRAM, &address);
	find_reporter(program);
	watch(read_block("command = {\"/bin/sh\", \"-c\", 'head -c1 >/dev/null; %s >&2'}",
			 program));
	send_datagram("x");
	RUN_UNTIL(ends() == 1);
	ck_assert_uint_eq(captured_count("]: blocking 1\n"), 1);
	ck_assert_uint_eq(captured_count("]: descriptors 0 1 2\n"), 1);
	ck_assert_uint_eq(captured_count("variable PATH="), 1);
	ck_assert_uint_eq(captured_count("variable PROTO="), 0);
	ck_assert_uint_eq(captured_count("variable TCP"), 0);
	/* Who adopts it next wants it as it was. */
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}
END_TEST

/* --- announced as by others --- */

static const struct {
	const char *how;
	const char *variables[4]; /* with the process's number, its parent's, or the port's */
} announcements[] = {
	{"systemd", {"LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=web"}},
	{"upstart", {"UPSTART_EVENTS=socket", "UPSTART_FDS=3"}},
	{"server-starter", {"SERVER_STARTER_PORT=address=3", "SERVER_STARTER_GENERATION=1"}},
	{"einhorn",
	 {"EINHORN_MASTER_PID=parent", "EINHORN_FD_COUNT=1", "EINHORN_FD_0=3", "EINHORN_FDS=3"}},
	{"nginx", {"NGINX=3;"}},
};

#define ANNOUNCEMENTS ((int)(sizeof announcements / sizeof announcements[0]))

/* Asserts that the process has a variable, written as above, once. */
static void assert_variable(const char *variable, int pid)
{
	const char *value = strchr(variable, '=') + 1;
	char line[600], local[ADOPT_ADDRESS_TEXT_SIZE] = "", *end = line;
	struct adopt_address address = {.length = sizeof address.name};

	ck_assert_int_eq(getsockname(fd, &address.name.any, &address.length), 0);
	adopt_address_format(&address, local, sizeof local);
	end += snprintf(line, sizeof line, "]: variable %.*s", (int)(value - variable), variable);
	if (strcmp(value, "self") == 0)
		sprintf(end, "%d\n", pid);
	else if (strcmp(value, "parent") == 0)
		sprintf(end, "%d\n", (int)getpid());
	else if (strcmp(value, "address=3") == 0)
		sprintf(end, "%s=3\n", local);
	else
		sprintf(end, "%s\n", value);
	ck_assert_msg(captured_count(line) == 1, "%s is not there", line);
}

START_TEST(it_is_announced)
{
	static struct exec_settings settings;
	char program[PATH_MAX];
	const char *said;

	find_reporter(program);
	settings = *(const struct exec_settings *)read_block(
		"command = {\"%s\"} wait = true announce = %s", program, announcements[_i].how);
	settings.base.port_name = "web";
	fd = place_listener(&places[0]);
	watch(&settings.base);
	close(client_of(fd));
	RUN_UNTIL(captured_count("]: directory ") == 1);
	ck_assert_uint_eq(captured_count("]: descriptors 0 1 2 3\n"), 1);
	said = strstr(captured_log(), "reporter[");
	for (int i = 0, pid = atoi(said + 9); i < 4 && announcements[_i].variables[i]; i++)
		assert_variable(announcements[_i].variables[i], pid);
	ck_assert_uint_eq(captured_count("variable PATH="), 1);
}
END_TEST

/* Serves until a client says nothing. */
#define ACCEPTS                                                                                    \
	"python3 -c \"import socket; s = socket.socket(fileno=0); said = 1\n"                      \
	"while said: c = s.accept()[0]; said = c.recv(100); c.sendall(said); c.close()\""

static void say_nothing(void)
{
	close(client_of(fd));
	RUN_UNTIL(host.work == 0);
}

START_TEST(clients_are_the_processs)
{
	int client;

	watch_listener(ACCEPTS, "");
	for (int i = 0; i < 3; i++) {
		client = client_of(fd);
		send_text(client, "hello");
		ck_assert_str_eq(hear(client, NULL), "hello");
		close(client);
	}
	say_nothing();
	ck_assert_uint_eq(ends(), 1);
	client = client_of(fd);
	send_text(client, "again");
	ck_assert_str_eq(hear(client, NULL), "again");
	close(client);
	say_nothing();
	ck_assert_uint_eq(ends(), 2);
}
END_TEST

/* Without a pause there would be hundreds of starts; it doubles from 100 ms on. */
static void assert_rests(void)
{
	uint64_t begun = adopt_reactor_now_ms(loop), after = 0, took;
	unsigned most = 1;

	RUN_UNTIL(adopt_reactor_now_ms(loop) > begun + 1500 && ends() >= 2);
	took = adopt_reactor_now_ms(loop) - begun;
	for (uint64_t pause = 100; (after += pause - CLOCK_STEP_MS) <= took; pause *= 2)
		most++;
	ck_assert_uint_le(ends(), most);
	ck_assert_uint_eq(captured_count("without taking what waits"), 1);
}

START_TEST(datagram_that_is_not_taken)
{
	watch_datagrams("true", "");
	send_datagram("stays");
	assert_rests();
}
END_TEST

START_TEST(datagram_that_is_failed_at)
{
	watch_datagrams("exit 1", "");
	send_datagram("stays");
	assert_rests();
}
END_TEST

START_TEST(client_that_is_not_accepted)
{
	int client;

	watch_listener("true", "");
	client = client_of(fd);
	assert_rests();
	close(client);
}
END_TEST

/* It is quick, and does what it is there for. */
START_TEST(a_process_a_datagram)
{
	watch_datagrams(TAKE " >/dev/null; exit 3", "");
	for (int i = 0; i < 20; i++)
		send_datagram("x");
	RUN_UNTIL(ends() == 20);
	RUN_UNTIL(host.work == 0);
	ck_assert_uint_eq(captured_count("without taking"), 0);
}
END_TEST

START_TEST(it_may_recover)
{
	char path[] = "/tmp/test_exec_wait.XXXXXX", command[200];
	int file = mkstemp(path);

	ck_assert_int_ge(file, 0);
	close(file);
	snprintf(command, sizeof command, "test -s %s && %s", path, TAKES);
	watch_datagrams(command, "");
	send_datagram("patience\n");
	RUN_UNTIL(ends() >= 2);
	ck_assert_uint_eq(captured_count("without taking"), 1);
	ck_assert_int_eq(truncate(path, 1), 0);
	RUN_UNTIL(captured_count("]: patience\n"));
	end_it();
	ck_assert_uint_eq(captured_count("takes what waits again"), 1);
	unlink(path);
}
END_TEST

START_TEST(start_that_fails_is_tried_again)
{
	static const char script[] = "#!/bin/sh\n" TAKE " >&2\n";
	char path[] = "/tmp/test_exec_wait.XXXXXX";
	struct adopt_address address = fresh_address(AF_INET, false);
	int file = mkstemp(path);

	ck_assert_int_eq(write(file, script, strlen(script)), (ssize_t)strlen(script));
	close(file);
	fd = bound_socket(SOCK_DGRAM, &address);
	watch(read_block("command = {\"%s\"}", path));
	send_datagram("patience\n");
	RUN_UNTIL(captured_count("cannot run its program: Permission denied") == 1);
	ck_assert_int_eq(chmod(path, 0700), 0);
	RUN_UNTIL(captured_count("]: patience\n"));
	ck_assert_uint_eq(captured_count("can be started again"), 1);
	ck_assert_uint_eq(captured_count("takes what waits"), 0);
	unlink(path);
}
END_TEST

START_TEST(timeout_ends_it)
{
	watch_datagrams("sleep 1000", "timeout = 100ms");
	send_datagram("x");
	RUN_UNTIL(captured_count("ended by signal 15") == 1);
}
END_TEST

/* Where the block has several ports, they share its processes. */
START_TEST(one_process_for_two_ports)
{
	struct adopt_address address = fresh_address(AF_INET, false);
	const struct handler_settings *settings = read_shell(TAKES, "max-processes = 1");
	struct adopt_lookout *other;
	int other_fd;

	fd = bound_socket(SOCK_DGRAM, &address);
	watch(settings);
	other = lookout;
	other_fd = fd;
	send_datagram("one\n");
	address = fresh_address(AF_INET, false);
	fd = bound_socket(SOCK_DGRAM, &address);
	watch(settings);
	send_datagram("two\n");
	RUN_UNTIL(captured_count("]: one\n"));
	settle();
	ck_assert_uint_eq(captured_count("]: two\n"), 0);
	ck_assert_uint_eq(host.work, 1);
	send_to(other_fd, "end");
	RUN_UNTIL(captured_count("]: two\n"));
	ck_assert_uint_eq(ends(), 1);
	end_it();
	end_reactor();
	exec_port_free(other);
	close(other_fd);
}
END_TEST

START_TEST(stopped_port_leaves_its_process)
{
	struct adopt_port *port;

	watch_datagrams(TAKE " >/dev/null; echo taken >&2; sleep 0.5; echo done >&2", "");
	send_datagram("x");
	RUN_UNTIL(captured_count("]: taken\n"));
	port = lookout->port;
	adopt_port_stop(&port);
	send_datagram("y");
	RUN_UNTIL(captured_count("]: done\n"));
	RUN_UNTIL(host.work == 0);
	settle();
	ck_assert_uint_eq(ends(), 1);
}
END_TEST

START_TEST(held_host_has_nothing_started)
{
	watch_datagrams(TAKES, "");
	host_hold(&host);
	send_datagram("x");
	settle();
	ck_assert_uint_eq(host.work, 0);
	host_release(&host);
	RUN_UNTIL(captured_count("]: x\n"));
	/* A release while it runs does not start another. */
	host_hold(&host);
	send_datagram("y");
	host_release(&host);
	RUN_UNTIL(captured_count("]: y\n"));
	/* Nor does its end, while the host is held. */
	host_hold(&host);
	end_it();
	ck_assert_uint_eq(ends(), 1);
	send_datagram("z");
	settle();
	ck_assert_uint_eq(host.work, 0);
	host_release(&host);
	RUN_UNTIL(captured_count("]: z\n"));
	end_it();
}
END_TEST

START_TEST(it_is_on_the_roll)
{
	struct roll_sight sight = {0};
	struct roll_entry *entry;
	struct roll roll;
	int pid = 0;

	roll_init(&roll, 0, 1);
	host.roll = &roll;
	watch_datagrams(TAKE " >&2; sleep 1000", "");
	send_datagram("x\n");
	RUN_UNTIL(captured_count("]: x"));
	ck_assert_uint_eq(roll.count, 1);
	entry = roll_find(&roll, 0);
	entry->ops->look(entry, &sight);
	ck_assert_str_eq(sight.kind, "process");
	ck_assert_str_eq(sight.handler, "exec");
	ck_assert_int_eq(sscanf(sight.note, "pid %d", &pid), 1);
	ck_assert_int_eq(kill(pid, 0), 0);
	entry->ops->abort(entry);
	RUN_UNTIL(captured_count("ended by signal 15") == 1);
	ck_assert_uint_eq(roll.count, 0);
}
END_TEST

START_TEST(reactor_may_end_while_it_runs)
{
	watch_datagrams("trap \"\" HUP; sleep 1000", "");
	send_datagram("x");
	RUN_UNTIL(host.work == 1);
	end_reactor();
	/* It was asked to end. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}
END_TEST

START_TEST(reactor_may_end_while_it_rests)
{
	watch_datagrams("true", "");
	send_datagram("x");
	RUN_UNTIL(captured_count("without taking") == 1);
	end_reactor();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exec wait");
	TCase *tests = exec_case("wait");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, datagrams_are_the_processs);
	tcase_add_test(tests, it_gets_the_bare_socket);
	tcase_add_loop_test(tests, it_is_announced, 0, ANNOUNCEMENTS);
	tcase_add_test(tests, clients_are_the_processs);
	tcase_add_test(tests, datagram_that_is_not_taken);
	tcase_add_test(tests, datagram_that_is_failed_at);
	tcase_add_test(tests, client_that_is_not_accepted);
	tcase_add_test(tests, a_process_a_datagram);
	tcase_add_test(tests, it_may_recover);
	tcase_add_test(tests, start_that_fails_is_tried_again);
	tcase_add_test(tests, timeout_ends_it);
	tcase_add_test(tests, one_process_for_two_ports);
	tcase_add_test(tests, stopped_port_leaves_its_process);
	tcase_add_test(tests, held_host_has_nothing_started);
	tcase_add_test(tests, it_is_on_the_roll);
	tcase_add_test(tests, reactor_may_end_while_it_runs);
	tcase_add_test(tests, reactor_may_end_while_it_rests);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
