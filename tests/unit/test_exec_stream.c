/* A process a connection, on the real reactor: what it gets, how many there are, how it
 * ends, and what is left of it. */
#include "exec_case.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than the sockets carry between them. */
#define MUCH 12000000

static struct adopt_factory *factory;
static int listener = -1;

static void set_up(void)
{
	factory = NULL;
}

/* What is left in hand is let go of, as where adoptd ends at once. */
static void end_reactor(void)
{
	host_remove_ports(&host);
	free_loop();
	ck_assert_uint_eq(host.holds, 0);
	ck_assert_uint_eq(host.work, 0);
}

static void tear_down(void)
{
	end_reactor();
	if (factory)
		exec_stream_free(factory);
	close(listener);
	/* Whoever has been started has been waited for. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static void serve(const struct handler_settings *settings, const struct place *place)
{
	struct adopt_port *port;

	listener = place_listener(place);
	ck_assert_int_eq(exec_stream_new(settings, &host, &factory), 0);
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNSPEC, factory, &port), 0);
	ck_assert_int_eq(host_add_port(&host, port), 0);
}

static void serve_shell(const char *command, const char *more)
{
	serve(read_shell(command, more), &places[0]);
}

static bool all_over(void)
{
	return host.work == 0 && adopt_reactor_connection_count(loop) == 0;
}

START_TEST(client_talks_to_its_process)
{
	int client;

	serve(read_block("command = {\"/bin/cat\"}"), &places[_i]);
	client = client_of(listener);
	send_text(client, "hello");
	ck_assert_str_eq(hear(client, "hello"), "hello");
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert_str_eq(hear(client, NULL), "");
	RUN_UNTIL(all_over());
	close(client);
}
END_TEST

START_TEST(what_waits_already_is_the_processs)
{
	int client;

	serve(read_block("command = {\"/bin/cat\"}"), &places[0]);
	client = client_of(listener);
	send_text(client, "early");
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert_str_eq(hear(client, NULL), "early");
	RUN_UNTIL(all_over());
	close(client);
}
END_TEST

START_TEST(many_at_a_time_leave_nothing)
{
	unsigned before;
	int clients[30];

	serve(read_block("command = {\"/bin/cat\"}"), &places[0]);
	before = open_descriptors();
	for (int i = 0; i < 30; i++) {
		clients[i] = client_of(listener);
		send_text(clients[i], "x");
	}
	for (int i = 0; i < 30; i++)
		ck_assert_str_eq(hear(clients[i], "x"), "x");
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 30);
	for (int i = 0; i < 30; i++) {
		if (i % 2)
			close_with_reset(clients[i]);
		else
			close(clients[i]);
	}
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

/* The peer sees the end when the process says so; adoptd counts it until it is gone. */
START_TEST(process_may_end_the_connection_before_itself)
{
	int client, pid;

	serve_shell("read a; echo $$; exec <&- >&-; exec sleep 1000", "");
	client = client_of(listener);
	send_text(client, "go\n");
	pid = atoi(hear(client, NULL));
	ck_assert_int_gt(pid, 1);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	ck_assert_uint_gt(host.work, 0);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	RUN_UNTIL(all_over());
	close(client);
}
END_TEST

START_TEST(what_it_is_started_with)
{
	const char *directory = getenv("TOP_BUILDDIR");
	char program[4096];
	const char *said;
	int client;

	snprintf(program, sizeof program, "%s/tests/unit/reporter", directory ? directory : ".");
	ck_assert_ptr_nonnull(realpath(program, program + 2048));
	serve(read_block("command = {\"%s\"} environment = {\"A=b\"} directory = \"/\"",
			 program + 2048),
	      &places[0]);
	client = client_of(listener);
	said = hear(client, NULL);
	ck_assert_ptr_nonnull(strstr(said, "\ndescriptors 0 1 2\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nblocking 1\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nleader 1 1\n"));
	ck_assert_ptr_nonnull(strstr(said, "\ndirectory /\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nvariable A=b\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nvariable PROTO=TCP\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nvariable REMOTE_ADDR=127.0.0.1\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nvariable TCPLOCALIP=127.0.0.1\n"));
	ck_assert_ptr_nonnull(strstr(said, "\nsignals\n"));
	RUN_UNTIL(all_over());
	close(client);
}
END_TEST

/* --- max-processes --- */

START_TEST(others_wait_their_turn)
{
	int clients[4];

	serve(read_block("command = {\"/bin/cat\"} max-processes = 2"), &places[0]);
	for (int i = 0; i < 4; i++) {
		clients[i] = client_of(listener);
		send_text(clients[i], "x");
	}
	ck_assert_str_eq(hear(clients[0], "x"), "x");
	ck_assert_str_eq(hear(clients[1], "x"), "x");
	/* One more is accepted, and then no other. */
	RUN_UNTIL(adopt_reactor_connection_count(loop) == 3);
	settle();
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 3);
	ck_assert_uint_eq(host.holds, 1);
	ck_assert(!readable(clients[2]));
	close(clients[0]);
	ck_assert_str_eq(hear(clients[2], "x"), "x");
	RUN_UNTIL(adopt_reactor_connection_count(loop) == 3);
	close(clients[1]);
	ck_assert_str_eq(hear(clients[3], "x"), "x");
	ck_assert_uint_eq(host.holds, 0);
	close(clients[2]);
	close(clients[3]);
	RUN_UNTIL(all_over());
}
END_TEST

START_TEST(reactor_may_end_while_some_wait)
{
	int clients[3];

	serve(read_block("command = {\"/bin/cat\"} max-processes = 1"), &places[0]);
	for (int i = 0; i < 3; i++)
		clients[i] = client_of(listener);
	RUN_UNTIL(host.holds == 1);
	end_reactor();
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	/* It was asked to end, by who waits for nobody any more. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}
END_TEST

/* --- ends --- */

START_TEST(timeout_ends_the_group)
{
	int client;

	/* A child of the process has the socket too. */
	serve_shell("sleep 1000 & sleep 1000", "timeout = 100ms");
	client = client_of(listener);
	ck_assert_str_eq(hear(client, NULL), "");
	ck_assert_uint_eq(captured_count("]: its time is over"), 1);
	RUN_UNTIL(all_over());
	close(client);
}
END_TEST

START_TEST(who_ignores_it_is_killed)
{
	int client;

	serve_shell("trap \"\" TERM; echo deaf; sleep 1000", "timeout = 1s");
	client = client_of(listener);
	ck_assert_str_eq(hear(client, NULL), "deaf\n");
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(captured_count("ended by signal 9"), 1);
	close(client);
}
END_TEST

/* The process itself is gone at once, one of its group stays. */
START_TEST(who_is_left_in_the_group_is_killed)
{
	int client;

	serve_shell("(trap \"\" TERM; echo deaf; sleep 1000) & sleep 1000", "timeout = 1s");
	client = client_of(listener);
	ck_assert_str_eq(hear(client, NULL), "deaf\n");
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(captured_count("ended by signal 15"), 1);
	close(client);
}
END_TEST

/* Of a process that has ended by itself, what it has left behind is nobody's business. */
START_TEST(background_lives_on)
{
	int client, status;

	serve_shell("exec 3<&0; (read a <&3; echo late) & echo early", "");
	client = client_of(listener);
	ck_assert_str_eq(hear(client, "early\n"), "early\n");
	RUN_UNTIL(all_over());
	send_text(client, "go\n");
	ck_assert_str_eq(hear(client, NULL), "late\n");
	ck_assert_int_eq(waitpid(-1, &status, WNOHANG), -1);
	close(client);
}
END_TEST

START_TEST(stderr_of_the_background_is_let_go)
{
	unsigned before;
	int client;

	serve_shell(
		"(exec <&- >&-; trap \"\" PIPE; while sleep 0.2; do echo more >&2 || exit; done) & "
		"echo said >&2; exec <&- >&-",
		"");
	before = open_descriptors();
	client = client_of(listener);
	ck_assert_str_eq(hear(client, NULL), "");
	RUN_UNTIL(all_over());
	close(client);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(captured_count("]: said\n"), 1);
	ck_assert_uint_ge(captured_count("]: more\n"), 1);
}
END_TEST

START_TEST(aborted_connection_ends_its_process)
{
	int client;

	serve_shell("trap \"echo asked >&2; exit 3\" TERM; echo ready; while :; do sleep 0.1; done",
		    "");
	client = client_of(listener);
	hear(client, "ready");
	end_reactor();
	ck_assert_str_eq(hear(client, NULL), "");
	close(client);
	while (waitpid(-1, NULL, 0) > 0)
		;
}
END_TEST

/* --- what cannot be started --- */

START_TEST(failures_are_told_once)
{
	char path[] = "/tmp/test_exec.XXXXXX";
	int fd = mkstemp(path), client;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "#!/bin/sh\necho well\n", 20), 20);
	close(fd);
	serve(read_block("command = {\"%s\"}", path), &places[0]);
	for (int i = 0; i < 3; i++) {
		client = client_of(listener);
		ck_assert_str_eq(hear(client, NULL), "");
		close(client);
	}
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(captured_count("cannot run its program: Permission denied"), 1);
	ck_assert_int_eq(chmod(path, 0700), 0);
	client = client_of(listener);
	ck_assert_str_eq(hear(client, NULL), "well\n");
	close(client);
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(captured_count("can be started again"), 1);
	unlink(path);
}
END_TEST

START_TEST(no_descriptor_left)
{
	int clients[2];

	serve(read_block("command = {\"/bin/cat\"}"), &places[0]);
	clients[0] = client_of(listener);
	clients[1] = client_of(listener);
	/* One for the client, and none for the pipe. */
	use_up_descriptors(1);
	ck_assert_str_eq(hear(clients[0], NULL), "");
	give_back_descriptors();
	RUN_UNTIL(all_over());
	close(clients[0]);
	close(clients[1]);
	ck_assert_uint_ge(captured_count("Too many open files"), 1);
}
END_TEST

/* --- a pair of sockets between --- */

/* Has much to say before it lets the block have the connection: its descriptor cannot be
 * taken. */
static void talk_first(struct adopt_protocol *protocol)
{
	struct adopt_transport *transport = protocol->transport;
	struct adopt_address nobody = {0};
	static char much[MUCH];

	pattern_fill(0, much, sizeof much);
	adopt_transport_set_write_bound(transport, 2 * MUCH);
	ck_assert_int_eq(adopt_transport_write(transport, much, sizeof much), 0);
	ck_assert_uint_gt(adopt_transport_queued(transport), 0);
	adopt_transport_set_write_bound(transport, ADOPT_WRITE_BOUND_BYTES);
	adopt_transport_hand_to(transport, factory->ops->build_protocol(factory, &nobody));
	free(protocol);
}

static void nothing(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

static void lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	free(protocol);
}

static const struct adopt_protocol_ops talker_ops = {
	.connection_made = talk_first, .data_received = nothing, .connection_lost = lost};

static struct adopt_protocol *build_talker(struct adopt_factory *talkers,
					   const struct adopt_address *peer)
{
	struct adopt_protocol *talker = calloc(1, sizeof *talker);

	(void)talkers;
	(void)peer;
	talker->ops = &talker_ops;
	return talker;
}

static const struct adopt_factory_ops talkers_ops = {.build_protocol = build_talker};
static struct adopt_factory talkers = {.ops = &talkers_ops};

static void serve_after_talk(const struct handler_settings *settings)
{
	listener = place_listener(&places[0]);
	ck_assert_int_eq(exec_stream_new(settings, &host, &factory), 0);
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNSPEC, &talkers, NULL), 0);
}

/* Reads what the talker says. */
static void hear_talker(int client)
{
	uint64_t deadline = harness_bound();
	static char much[MUCH];
	size_t length = 0;

	while (length < MUCH) {
		ssize_t got = read(client, much + length, MUCH - length);

		if (got > 0)
			length += (size_t)got;
		else
			harness_turn(deadline, "all of it", __FILE__, __LINE__);
	}
	ck_assert(pattern_holds(0, much, MUCH));
}

START_TEST(pair_stands_between)
{
	unsigned before;
	int client;

	serve_after_talk(read_block("command = {\"/bin/cat\"}"));
	before = open_descriptors();
	client = client_of(listener);
	hear_talker(client);
	send_text(client, "and now to cat");
	ck_assert_str_eq(hear(client, "cat"), "and now to cat");
	/* The client and the near end. */
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 2);
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert_str_eq(hear(client, NULL), "");
	close(client);
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(client_of_a_pair_leaves)
{
	int client;

	serve_after_talk(read_block("command = {\"/bin/cat\"}"));
	client = client_of(listener);
	hear_talker(client);
	close_with_reset(client);
	RUN_UNTIL(all_over());
}
END_TEST

START_TEST(process_of_a_pair_ends_first)
{
	int client;

	serve_after_talk(read_shell("read a; echo $a", ""));
	client = client_of(listener);
	hear_talker(client);
	send_text(client, "once\n");
	ck_assert_str_eq(hear(client, NULL), "once\n");
	close(client);
	RUN_UNTIL(all_over());
}
END_TEST

START_TEST(process_of_a_pair_cannot_start)
{
	int client;

	serve_after_talk(read_block("command = {\"/nowhere/cat\"}"));
	client = client_of(listener);
	hear(client, NULL);
	close(client);
	RUN_UNTIL(all_over());
	ck_assert_uint_eq(captured_count("cannot run its program: No such file"), 1);
}
END_TEST

START_TEST(reactor_ends_a_pair)
{
	int client;

	serve_after_talk(read_block("command = {\"/bin/cat\"}"));
	client = client_of(listener);
	hear_talker(client);
	end_reactor();
	hear(client, NULL);
	close(client);
	while (waitpid(-1, NULL, 0) > 0)
		;
}
END_TEST

/* --- transports without a descriptor, on the memory reactor --- */

static void set_up_memory(void)
{
	free_loop();
	ck_assert_int_eq(adopt_memory_reactor_new(&loop), 0);
	host.reactor = loop;
}

static void assert_written(struct adopt_transport *transport, const char *text)
{
	const void *data;
	size_t length = adopt_memory_written(transport, &data);

	ck_assert_uint_eq(length, strlen(text));
	ck_assert(length == 0 || memcmp(data, text, length) == 0);
	adopt_memory_take(transport, length);
}

/* Connects a client, whose process gets the far end of a pair. Returns the near end, which
 * here leads nowhere: the process hears its end of file at once. */
static struct adopt_transport *connect_in_memory(struct adopt_transport **ret_client)
{
	const struct adopt_memory_connection *made;
	struct adopt_transport *near = NULL;

	ck_assert_int_eq(adopt_memory_transport_new(loop, factory, NULL, NULL, ret_client), 0);
	ck_assert_uint_eq(adopt_memory_connections(loop, &made), 1);
	ck_assert_int_eq(made[0].family, AF_UNIX);
	ck_assert_int_eq(adopt_memory_transport_new(loop, made[0].factory, NULL, NULL, &near), 0);
	return near;
}

/* Waits for what the reactor would have watched. */
static void await_readers(void)
{
	struct adopt_watcher *const *readers;
	size_t count;

	while ((count = adopt_memory_readers(loop, &readers)) > 0)
		for (size_t i = 0; i < count; i++)
			if (readable(readers[i]->fd)) {
				readers[i]->ops->readable(readers[i]);
				break;
			}
}

START_TEST(bytes_cross_in_memory)
{
	struct adopt_transport *client, *near;

	ck_assert_int_eq(exec_stream_new(read_block("command = {\"/bin/cat\"}"), &host, &factory),
			 0);
	near = connect_in_memory(&client);
	ck_assert_int_eq(adopt_memory_deliver(client, "ask", 3), 0);
	assert_written(near, "ask");
	ck_assert_int_eq(adopt_memory_deliver(near, "answer", 6), 0);
	assert_written(client, "answer");
	ck_assert_int_eq(adopt_memory_deliver_eof(near), 0);
	ck_assert(adopt_memory_write_shut(client));
	ck_assert_int_eq(adopt_memory_deliver_eof(client), 0);
	adopt_memory_advance(loop, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	await_readers();
	ck_assert_uint_eq(host.work, 0);
}
END_TEST

START_TEST(client_of_an_ended_process_has_a_bounded_time)
{
	struct adopt_transport *client, *near;

	ck_assert_int_eq(exec_stream_new(read_block("command = {\"/bin/cat\"}"), &host, &factory),
			 0);
	near = connect_in_memory(&client);
	ck_assert_uint_eq(adopt_transport_idle_timeout(client), 0);
	await_readers();
	ck_assert_uint_eq(adopt_transport_idle_timeout(client), ADOPT_CLOSE_STALL_MS);
	ck_assert_int_eq(adopt_memory_deliver(near, "rest", 4), 0);
	assert_written(client, "rest");
}
END_TEST

START_TEST(client_may_be_lost_before_the_pair_is_joined)
{
	struct adopt_transport *client;

	ck_assert_int_eq(exec_stream_new(read_block("command = {\"/bin/cat\"}"), &host, &factory),
			 0);
	ck_assert_int_eq(adopt_memory_transport_new(loop, factory, NULL, NULL, &client), 0);
	adopt_memory_lose(client, -ECONNRESET);
	adopt_memory_advance(loop, 0);
	ck_assert_uint_eq(host.work, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exec streams");
	TCase *tests = exec_case("streams"), *memory = exec_case("memory");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, client_talks_to_its_process, 0, PLACES);
	tcase_add_test(tests, what_waits_already_is_the_processs);
	tcase_add_test(tests, many_at_a_time_leave_nothing);
	tcase_add_test(tests, process_may_end_the_connection_before_itself);
	tcase_add_test(tests, what_it_is_started_with);
	tcase_add_test(tests, others_wait_their_turn);
	tcase_add_test(tests, reactor_may_end_while_some_wait);
	tcase_add_test(tests, timeout_ends_the_group);
	tcase_add_test(tests, who_ignores_it_is_killed);
	tcase_add_test(tests, who_is_left_in_the_group_is_killed);
	tcase_add_test(tests, background_lives_on);
	tcase_add_test(tests, stderr_of_the_background_is_let_go);
	tcase_add_test(tests, aborted_connection_ends_its_process);
	tcase_add_test(tests, failures_are_told_once);
	tcase_add_test(tests, no_descriptor_left);
	tcase_add_test(tests, pair_stands_between);
	tcase_add_test(tests, client_of_a_pair_leaves);
	tcase_add_test(tests, process_of_a_pair_ends_first);
	tcase_add_test(tests, process_of_a_pair_cannot_start);
	tcase_add_test(tests, reactor_ends_a_pair);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(memory, set_up, tear_down);
	tcase_add_checked_fixture(memory, set_up_memory, NULL);
	tcase_add_test(memory, bytes_cross_in_memory);
	tcase_add_test(memory, client_of_an_ended_process_has_a_bounded_time);
	tcase_add_test(memory, client_may_be_lost_before_the_pair_is_joined);
	suite_add_tcase(suite, memory);
	return harness_main(suite);
}
