/* What adoptd gives up, seen from inside: a process of the test's own enters the sandbox of a
 * configuration, and then tries. */
#include "daemon/sandbox.h"

#include "support/confine_calls.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct faults *faults;
static struct inherited_list list;
static struct ledgers ledgers;
static struct setup *setup;
static struct sandbox sandbox;
static char directory[] = "/tmp/adoptd-test-XXXXXX";
static char path[64], socket_path[64];
static int port, client;
static unsigned loopback;

static long landlock; /* its version */

static void make_directory(void)
{
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/file", directory);
	snprintf(socket_path, sizeof socket_path, "%s/socket", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void remove_directory(void)
{
	unlink(path);
	unlink(socket_path);
	rmdir(directory);
}

static void set_up(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;

	make_directory();
	loopback = if_nametoindex("lo");
	ck_assert_int_eq(faults_new(&faults), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(port, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(port, 1), 0);
	ck_assert_int_eq(getsockname(port, (struct sockaddr *)&address, &length), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(inherited_add(&list, "a", port, "test"), 0);
}

static void tear_down(void)
{
	sandbox_done(&sandbox);
	setup_unref(&setup);
	ledgers_done(&ledgers);
	inherited_free(&list);
	faults_free(&faults);
	close(client);
	remove_directory();
}

static struct config *read_config(const char *text)
{
	struct config *config;

	ck_assert_int_eq(config_read(NULL, text, faults, &config), 0);
	return config;
}

static void enter(const char *text)
{
	struct setup_order setup_order = {
		.config = read_config(text),
		.inherited = &list,
		.ledgers = &ledgers,
	};
	static const struct listen_set none;
	struct sandbox_order order = {.given = &none};

	ck_assert_int_eq(setup_new(&setup_order, faults, &setup), 0);
	order.setup = setup;
	ck_assert_int_eq(sandbox_enter(&sandbox, &order), 0);
}

/* Asserts that a call has been refused by the filter. */
static void assert_refused(long result)
{
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, EPERM);
}

/* Not fork(3), which a sanitizer's runtime has made its own. Returns as clone(2) does. */
static long start_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		ck_assert_int_eq(waitpid((pid_t)pid, NULL, 0), pid);
	return pid;
}

static void assert_no_programs(void)
{
	static char program[] = "/bin/true", *argv[] = {program, NULL};

	assert_refused(execve(argv[0], argv, argv + 1));
	if (!CONFINE_SANITIZED)
		assert_refused(start_process());
	if (!CONFINE_SANITIZED)
		assert_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void assert_privileges_given_up(void)
{
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	assert_refused(setuid(0));
	assert_refused(mount("none", directory, "tmpfs", 0, NULL));
	assert_refused(chroot(directory));
}

/* Opens, and closes. Returns 0 or a negative errno. */
static int try_file(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void assert_files_given_up(void)
{
	if (!landlock)
		return;
	ck_assert_int_eq(try_file(path, O_RDONLY), -EACCES);
	ck_assert_int_eq(try_file(path, O_WRONLY), -EACCES);
	ck_assert_int_eq(try_file("/etc/adoptd-test", O_WRONLY | O_CREAT), -EACCES);
}

static void *count(void *number)
{
	++*(int *)number;
	return NULL;
}

/* What any adoptd goes on doing. */
static void assert_serves(void)
{
	int fd = accept4(port, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), number = 0;
	struct epoll_event event = {.events = EPOLLIN};
	int poll = epoll_create1(EPOLL_CLOEXEC);
	pthread_t thread;
	char byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event), 0);
	ck_assert_int_eq(write(client, "x", 1), 1);
	ck_assert_int_eq(epoll_wait(poll, &event, 1, 20000), 1);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	close(fd);
	close(poll);
	ck_assert_int_eq(pthread_create(&thread, NULL, count, &number), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(number, 1);
	ck_assert_int_eq(try_file("/etc/passwd", O_RDONLY), 0);
	ck_assert_int_eq(try_file("/dev/null", O_RDWR), 0);
}

static void who_only_serves(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rlimit limit;
	int ends[2];

	enter("port a { echo {} }");
	ck_assert(sandbox.closed);
	assert_refused(socket(AF_INET, SOCK_STREAM, 0));
	assert_refused(socket(AF_UNIX, SOCK_STREAM, 0));
	assert_refused(connect(client, (struct sockaddr *)&address, sizeof address));
	assert_refused(bind(client, (struct sockaddr *)&address, sizeof address));
	assert_refused(unlink(path));
	assert_refused(kill(getppid(), 0));
	if (landlock >= 6)
		assert_refused(syscall(SYS_tgkill, getppid(), getppid(), 0));
	assert_refused(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
	ck_assert_int_eq(prlimit(0, RLIMIT_NOFILE, NULL, &limit), 0);
	assert_refused(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_no_programs();
	assert_privileges_given_up();
	assert_files_given_up();
	assert_serves();
}

static void who_connects(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd;

	enter("port a { proxy { upstream = \"127.0.0.1:1\" } }");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(fd, 0);
	assert_refused(bind(fd, (struct sockaddr *)&address, sizeof address));
	assert_refused(listen(fd, 1));
	close(fd);
	assert_refused(socket(AF_PACKET, SOCK_RAW, 0));
	ck_assert_uint_eq(if_nametoindex("lo"), loopback);
	assert_no_programs();
	assert_privileges_given_up();
	assert_files_given_up();
	assert_serves();
}

/* A path may become adoptd's alone, or its group's. */
static void assert_keeps_to_itself(const char *name)
{
	ck_assert_int_eq(chmod(name, 0600), 0);
	ck_assert_int_eq(lchown(name, (uid_t)-1, getgid()), 0);
	ck_assert_int_eq(chmod(name, 0660), 0);
	assert_refused(chmod(name, 0666));
	assert_refused(chmod(name, 04660));
	assert_refused(lchown(name, getuid(), (gid_t)-1));
}

/* A reload may open and close such; elsewhere there is nothing to be removed. */
static void who_listens(void)
{
	char text[256];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	snprintf(text, sizeof text, "port a { echo {} }\nport b { listen = \"unix:%s\" echo {} }",
		 socket_path);
	enter(text);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/other", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_keeps_to_itself(address.sun_path);
	ck_assert_int_eq(unlink(address.sun_path), 0);
	close(fd);
	if (landlock) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		strcpy(address.sun_path, "/tmp/adoptd-test-sandbox");
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), -1);
		ck_assert_int_eq(errno, EACCES);
		close(fd);
	}
	ck_assert_uint_eq(if_nametoindex("lo"), loopback);
	assert_no_programs();
	assert_files_given_up();
	assert_serves();
}

static void who_is_controlled(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[256];
	int fd;

	snprintf(text, sizeof text, "control = \"%s\" port a { echo {} }", socket_path);
	enter(text);
	assert_refused(socket(AF_INET, SOCK_STREAM, 0));
	assert_refused(socket(AF_INET6, SOCK_DGRAM, 0));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/other", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_keeps_to_itself(address.sun_path);
	ck_assert_int_eq(unlink(address.sun_path), 0);
	close(fd);
	assert_no_programs();
	assert_files_given_up();
	assert_serves();
}

static void programs_are_left_alone(void)
{
	int before = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	enter("port a { exec { command = \"/bin/true\" } }");
	ck_assert(!sandbox.closed);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), before);
	ck_assert_int_gt(start_process(), 0);
	ck_assert_int_eq(try_file(path, O_RDONLY), 0);
}

static void strict_holds_programs_too(void)
{
	enter("sandbox = strict port a { exec { command = \"/bin/true\" } }");
	ck_assert(sandbox.closed);
	ck_assert_ptr_nonnull(sandbox_why_alone(&sandbox));
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	assert_refused(mount("none", directory, "tmpfs", 0, NULL));
	assert_refused(unshare(CLONE_NEWUSER));
	ck_assert_int_gt(start_process(), 0);
	ck_assert_int_eq(try_file(path, O_RDONLY), 0);
	assert_serves();
}

static void strict_programs_may_have_company(void)
{
	struct config *config;

	enter("sandbox = strict port a { exec { command = \"/bin/true\" } }");
	config = read_config("sandbox = strict control = \"/run/x\" "
			     "port a { proxy { upstream = \"127.0.0.1:1\" } } "
			     "port b { listen = \"127.0.0.1:1\" echo {} }");
	sandbox_judge(&sandbox, config, faults);
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), 0);
	config_free(&config);
}

static void switched_off(void)
{
	int before = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	enter("sandbox = no port a { echo {} }");
	ck_assert(!sandbox.closed);
	ck_assert_ptr_null(sandbox_why_alone(&sandbox));
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), before);
	ck_assert_int_gt(start_process(), 0);
}

/* What a reload reads again, or finds for the first time. */
static const char *const includes[] = {"file", "*.conf", "new*/conf"};

static void who_includes(int i)
{
	char text[256];

	snprintf(text, sizeof text, "include(\"%s/%s\") port a { echo {} }", directory,
		 includes[i]);
	enter(text);
	ck_assert_int_eq(try_file(path, O_RDONLY), 0);
	if (landlock)
		ck_assert_int_eq(try_file(path, O_WRONLY), -EACCES);
}

/* --- reloads --- */

#define NOT_ALLOWED ", which the sandbox does not allow since the start: restart\n"

static const struct {
	const char *text, *said;
} reloads[] = {
	{"port a { discard {} }", ""},
	{"port a { qotd {} }\nport b { echo {} }", ""},
	{"port a { echo {} }\nport b { proxy { upstream = \"127.0.0.1:1\" } }",
	 "-e:2: port \"b\" connects to others" NOT_ALLOWED},
	{"port a { echo {} }\nport b { listen = \"127.0.0.1:1\" echo {} }",
	 "-e:2: port \"b\" listens on addresses of its own" NOT_ALLOWED},
	{"\nport a { route { source = \"::1\" exec { command = \"/bin/true\" } } echo {} }",
	 "-e:2: port \"a\" runs programs" NOT_ALLOWED},
	{"\ncontrol = \"/run/x\" port a { echo {} }",
	 "-e:2: control: the sandbox does not allow to listen since the start: restart\n"},
	{"\nsandbox = no port a { echo {} }",
	 "-e:2: warning: sandbox: changes with the next start or hand-over\n"},
};

static void judge_reload(int i)
{
	struct config *config;
	char *said = NULL;
	size_t length;
	FILE *stream;

	enter("port a { echo {} }");
	config = read_config(reloads[i].text);
	sandbox_judge(&sandbox, config, faults);
	stream = open_memstream(&said, &length);
	faults_print(faults, stream);
	fclose(stream);
	ck_assert_str_eq(said, reloads[i].said);
	free(said);
	config_free(&config);
}

/* --- */

static void (*const cases[])(void) = {
	who_only_serves,
	who_connects,
	who_listens,
	who_is_controlled,
	programs_are_left_alone,
	strict_holds_programs_too,
	strict_programs_may_have_company,
	switched_off,
};

static void assert_ends_well(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* What is given up is gone for good: each case has a process of its own. */
static void in_a_process(void (*run)(int which), int which)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(which);
		_exit(0);
	}
	assert_ends_well(pid);
}

static void run_case(int which)
{
	cases[which]();
}

START_TEST(inside)
{
	in_a_process(run_case, _i);
}
END_TEST

START_TEST(includes_are_read_again)
{
	in_a_process(who_includes, _i);
}
END_TEST

START_TEST(reloads_are_judged)
{
	in_a_process(judge_reload, _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *all = tcase_create("sandbox");
	SRunner *runner = srunner_create(suite);
	int failed;

	landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_add_loop_test(all, inside, 0, sizeof cases / sizeof cases[0]);
	tcase_add_loop_test(all, includes_are_read_again, 0, sizeof includes / sizeof includes[0]);
	tcase_add_loop_test(all, reloads_are_judged, 0, sizeof reloads / sizeof reloads[0]);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
