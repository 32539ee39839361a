/* Processes: what a program is started with, what is told where it cannot be, how its end
 * is heard of. Compiled twice, for either way of making a process. */
#include "handlers/exit_descriptor.h"
#include "harness.h"
#include "support/descriptor_limit.h"
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static char program[4096];
static char one[] = "one argument", none[] = "";
static char *argv[] = {program, one, none, NULL};
static char full[] = "NAME=value", empty[] = "EMPTY=";
static char *environment[] = {full, empty, NULL};
static struct spawn_order order;
static int output[2];
static char said[16384];

static void set_up(void)
{
	const char *directory = getenv("TOP_BUILDDIR");

	snprintf(program, sizeof program, "%s/tests/unit/reporter", directory ? directory : ".");
	ck_assert_msg(access(program, X_OK) == 0, "no %s", program);
	if (program[0] != '/')
		ck_assert_ptr_nonnull(realpath("./tests/unit/reporter", program));
	ck_assert_int_eq(pipe(output), 0);
	order = (struct spawn_order){
		.argv = argv, .environment = environment, .fds = {output[1], output[1], output[1]}};
}

/* Starts the program and returns its number. */
static pid_t start(void)
{
	enum spawn_step step = SPAWN_PROGRAM;
	pid_t pid = -1;
	int error = spawn(&order, &pid, &step);

	ck_assert_msg(error == 0, "cannot %s: %s", spawn_step_text(step), strerror(-error));
	ck_assert_int_gt(pid, 0);
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void read_said(void)
{
	size_t length = 0;
	ssize_t got;

	close(output[1]);
	output[1] = -1;
	while ((got = read(output[0], said + length, sizeof said - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
}

/* Reads what a program that has been started says, to its end. */
static void hear(pid_t pid)
{
	read_said();
	ck_assert_int_eq(status_of(pid), 0);
}

static bool is_line(const char *at, const char *line)
{
	return (at == said || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void assert_said(const char *line)
{
	const char *at = said;

	while ((at = strstr(at, line)) && !is_line(at, line))
		at++;
	ck_assert_msg(at != NULL, "no line \"%s\" in:\n%s", line, said);
}

static unsigned count_said(const char *word)
{
	unsigned count = 0;

	for (const char *at = said; (at = strstr(at, word)); at++)
		count++;
	return count;
}

START_TEST(arguments_and_environment)
{
	char line[4200];

	setenv("SECRET", "of adoptd", 1);
	hear(start());
	snprintf(line, sizeof line, "argument %s", program);
	assert_said(line);
	assert_said("argument one argument");
	assert_said("argument ");
	ck_assert_uint_eq(count_said("argument"), 4);
	assert_said("variable NAME=value");
	assert_said("variable EMPTY=");
	ck_assert_uint_eq(count_said("variable"), 2);
}
END_TEST

START_TEST(no_other_descriptor)
{
	int stray[3], high;

	/* One that is close-on-exec, one that is not, one far up that is not. */
	stray[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	stray[1] = open("/dev/null", O_RDONLY);
	high = fcntl(stray[1], F_DUPFD, 700);
	ck_assert_int_ge(high, 700);
	hear(start());
	assert_said("descriptors 0 1 2");
	close(stray[0]);
	close(stray[1]);
	close(high);
}
END_TEST

START_TEST(its_descriptors_may_have_any_numbers)
{
	int saved[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	/* In a circle, as with a standard descriptor closed when adoptd was started. */
	dup2(output[1], 0);
	dup2(null, 1);
	dup2(null, 2);
	order.fds[0] = 1;
	order.fds[1] = 0;
	order.fds[2] = 2;
	pid_t pid = start();
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	hear(pid);
	assert_said("descriptors 0 1 2");
	close(null);
}
END_TEST

static void ignore(int number)
{
	(void)number;
}

START_TEST(signals_are_at_their_defaults)
{
	struct sigaction action = {.sa_handler = ignore};
	sigset_t blocked, after;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	hear(start());
	assert_said("signals");
	/* And here they are as they were. */
	sigprocmask(SIG_SETMASK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&after, SIGINT), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
	ck_assert(action.sa_handler == ignore);
	ck_assert(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
}
END_TEST

START_TEST(group_of_its_own)
{
	hear(start());
	assert_said("leader 1 1");
}
END_TEST

START_TEST(directory_where_it_runs)
{
	struct stat here;

	ck_assert_int_eq(stat(".", &here), 0);
	order.directory = "/";
	hear(start());
	assert_said("directory /");
	ck_assert_int_ne(chdir("."), -1);
}
END_TEST

START_TEST(descriptor_limit_of_before)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 300;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_ptr_null(descriptor_limit_before());
	descriptor_limit_raise();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
	hear(start());
	assert_said("limit 300");
}
END_TEST

START_TEST(another_user)
{
	char line[64];
	struct identity *identity = NULL;
	struct passwd *nobody = getpwnam("nobody");

	if (geteuid() != 0 || !nobody)
		return;
	snprintf(line, sizeof line, "user %d %d group %d %d groups %d", (int)nobody->pw_uid,
		 (int)nobody->pw_uid, (int)nobody->pw_gid, (int)nobody->pw_gid,
		 (int)nobody->pw_gid);
	ck_assert_int_eq(identity_new("nobody", NULL, &identity), 0);
	order.identity = identity;
	/* A build directory may be where nobody else gets to. */
	order.directory = "/";
	ck_assert_int_eq(chmod(program, 0755), 0);
	enum spawn_step step;
	if (spawn_try(&order, &step) == 0) {
		hear(start());
		assert_said(line);
	} else {
		ck_assert_int_eq(step, SPAWN_PROGRAM);
	}
	identity_free(&identity);
	ck_assert_int_eq(geteuid(), 0);
}
END_TEST

static void assert_fails(enum spawn_step step, int error)
{
	enum spawn_step told = SPAWN_PROCESS;
	unsigned before = open_descriptors();
	pid_t pid = -7;

	ck_assert_int_eq(spawn_try(&order, &told), error);
	ck_assert_int_eq(told, step);
	told = SPAWN_PROCESS;
	ck_assert_int_eq(spawn(&order, &pid, &told), error);
	ck_assert_int_eq(told, step);
	ck_assert_int_eq(pid, -7);
	ck_assert_uint_eq(open_descriptors(), before);
	/* Nothing is left to be waited for. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(program_that_is_not_there)
{
	strcpy(program, "/nowhere/to/be/found");
	assert_fails(SPAWN_PROGRAM, -ENOENT);
	strcpy(program, "/etc/passwd");
	assert_fails(SPAWN_PROGRAM, -EACCES);
	strcpy(program, "/");
	assert_fails(SPAWN_PROGRAM, -EACCES);
}
END_TEST

START_TEST(directory_that_is_not_there)
{
	order.directory = "/nowhere";
	assert_fails(SPAWN_DIRECTORY, -ENOENT);
	order.directory = "/dev/null";
	assert_fails(SPAWN_DIRECTORY, -ENOTDIR);
}
END_TEST

START_TEST(descriptor_that_is_not_open)
{
	enum spawn_step step = SPAWN_PROCESS;
	pid_t pid;

	order.fds[1] = 4000;
	ck_assert_int_eq(spawn(&order, &pid, &step), -EBADF);
	ck_assert_int_eq(step, SPAWN_DESCRIPTORS);
}
END_TEST

static void be_nobody(void)
{
	if (geteuid() == 0) {
		ck_assert_int_eq(setgid(65534), 0);
		ck_assert_int_eq(setuid(65534), 0);
	}
}

START_TEST(user_without_the_right)
{
	gid_t group = 1;
	struct identity root = {.uid = 0, .gid = 0, .groups = &group, .group_count = 1};

	be_nobody();
	order.identity = &root;
	assert_fails(SPAWN_IDENTITY, -EPERM);
}
END_TEST

START_TEST(ended_process_is_kept)
{
	signal(SIGCHLD, SIG_IGN);
	hear(start());
}
END_TEST

START_TEST(trying_runs_nothing)
{
	enum spawn_step step;

	order.fds[0] = -1;
	ck_assert_int_eq(spawn_try(&order, &step), 0);
	close(output[1]);
	ck_assert_int_eq(read(output[0], said, 1), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* --- a successor --- */

static void succeed(int fd)
{
	order.successor = true;
	order.fourth_fd = true;
	order.fds[3] = fd;
}

START_TEST(successor_is_nobodys_child)
{
	pid_t pid;

	succeed(output[1]);
	pid = start();
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
	read_said();
	ck_assert_int_gt(pid, 0);
	assert_said("descriptors 0 1 2 3");
	assert_said("leader 0 0");
	assert_said("signals");
}
END_TEST

#ifdef __linux__
START_TEST(successor_is_told_by_its_number)
{
	pid_t pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	/* One that has its number already, or one in whose way another is. */
	ck_assert_int_eq(dup2(output[1], 3), 3);
	succeed(_i == 0 ? 3 : output[1]);
	order.fds[1] = 3;
	pid = start();
	close(3);
	hear(pid);
	assert_said("descriptors 0 1 2 3");
}
END_TEST
#endif

START_TEST(successor_that_cannot_be)
{
	succeed(output[1]);
	strcpy(program, "/nowhere/to/be/found");
	assert_fails(SPAWN_PROGRAM, -ENOENT);
}
END_TEST

START_TEST(no_process_left)
{
	enum spawn_step step = SPAWN_PROGRAM;
	struct rlimit limit;
	rlim_t before;
	pid_t pid;

	/* setrlimit(2): root and its likes may have any number. */
	be_nobody();
	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	ck_assert_int_eq(spawn(&order, &pid, &step), -EAGAIN);
	ck_assert_int_eq(step, SPAWN_PROCESS);
	ck_assert_ptr_nonnull(strstr(spawn_error_text(-EAGAIN), "RLIMIT_NPROC"));
	ck_assert_str_eq(spawn_error_text(-ENOENT), strerror(ENOENT));
	/* A sanitizer may want one at the end. */
	limit.rlim_cur = before;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
}
END_TEST

/* --- ends --- */

static int (*const ways[])(pid_t pid, int *ret) = {exit_descriptor_by_pidfd,
						   exit_descriptor_by_thread, exit_descriptor_open};
#define WAYS 3

static char sleep_path[] = "/bin/sleep", sleep_seconds[] = "1000";
static char *sleep_argv[] = {sleep_path, sleep_seconds, NULL};

/* Returns whether the way is there. */
static bool open_exit(int way, pid_t pid, int *fd)
{
	int error = ways[way](pid, fd);

	if (way == 0 && error == -ENOSYS)
		return false;
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(fcntl(*fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	return true;
}

START_TEST(end_is_heard_of)
{
	int fd = -1;
	pid_t pid;

	order.argv = sleep_argv;
	pid = start();
	if (open_exit(_i, pid, &fd)) {
		settle();
		ck_assert(!readable(fd));
		kill(pid, SIGKILL);
		RUN_UNTIL(readable(fd));
		close(fd);
	} else {
		kill(pid, SIGKILL);
	}
	/* Nobody else has waited for it. */
	ck_assert_int_eq(WTERMSIG(status_of(pid)), SIGKILL);
}
END_TEST

START_TEST(end_before_is_heard_of)
{
	int fd = -1;
	siginfo_t info;
	pid_t pid = start();

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	if (open_exit(_i, pid, &fd)) {
		RUN_UNTIL(readable(fd));
		close(fd);
	}
	ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

START_TEST(nobody_may_be_interested)
{
	int fd = -1;
	pid_t pid;

	order.argv = sleep_argv;
	pid = start();
	if (open_exit(_i, pid, &fd))
		close(fd);
	kill(pid, SIGKILL);
	ck_assert_int_eq(WTERMSIG(status_of(pid)), SIGKILL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spawn");
	TCase *starts = harness_case("starts"), *ends = harness_case("ends");
	/* Whoever gives up its rights cannot tidy up the harness's directory. */
	TCase *rights = tcase_create("rights");

	/* The number is a test's: Check shall not have its own files there. */
	if (fcntl(3, F_GETFD) < 0 && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(starts, set_up, NULL);
	tcase_add_test(starts, arguments_and_environment);
	tcase_add_test(starts, no_other_descriptor);
	tcase_add_test(starts, its_descriptors_may_have_any_numbers);
	tcase_add_test(starts, signals_are_at_their_defaults);
	tcase_add_test(starts, group_of_its_own);
	tcase_add_test(starts, directory_where_it_runs);
	tcase_add_test(starts, descriptor_limit_of_before);
	tcase_add_test(starts, another_user);
	tcase_add_test(starts, program_that_is_not_there);
	tcase_add_test(starts, directory_that_is_not_there);
	tcase_add_test(starts, descriptor_that_is_not_open);
	tcase_add_test(starts, ended_process_is_kept);
	tcase_add_test(starts, trying_runs_nothing);
	tcase_add_test(starts, successor_is_nobodys_child);
#ifdef __linux__
	tcase_add_loop_test(starts, successor_is_told_by_its_number, 0, 2);
#endif
	tcase_add_test(starts, successor_that_cannot_be);
	suite_add_tcase(suite, starts);
	tcase_add_checked_fixture(rights, set_up, NULL);
	tcase_add_test(rights, user_without_the_right);
	tcase_add_test(rights, no_process_left);
	suite_add_tcase(suite, rights);
	tcase_add_checked_fixture(ends, set_up, NULL);
	tcase_add_loop_test(ends, end_is_heard_of, 0, WAYS);
	tcase_add_loop_test(ends, end_before_is_heard_of, 0, WAYS);
	tcase_add_loop_test(ends, nobody_may_be_interested, 0, WAYS);
	suite_add_tcase(suite, ends);
	return harness_main(suite);
}
