/* The exec handler's block, what is wrong with it, and the environment of its processes. */
#include "handler_fixture.h"
#include "handlers/exec.h"
#include "handlers/exec_environment.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct handler_fixture fixture;
static char said[4096];

static void setup(void)
{
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

static int read_block(const char *text)
{
	FILE *stream = fmemopen(said, sizeof said, "w");
	int error = fixture_read(&fixture, "exec", text);

	ck_assert_ptr_nonnull(stream);
	faults_print(fixture.faults, stream);
	fclose(stream);
	return error;
}

static const struct exec_settings *settings(void)
{
	return (const struct exec_settings *)fixture.settings;
}

START_TEST(defaults)
{
	ck_assert_int_eq(read_block("command = {\"/bin/cat\"}"), 0);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(settings()->command[0], "/bin/cat");
	ck_assert_ptr_null(settings()->command[1]);
	ck_assert_str_eq(settings()->name, "cat");
	ck_assert_uint_eq(settings()->environment_count, 1);
	ck_assert_str_eq(settings()->environment[0], EXEC_PATH);
	ck_assert_ptr_null(settings()->identity);
	ck_assert_ptr_null(settings()->directory);
	ck_assert_uint_eq(settings()->timeout_ms, 0);
	ck_assert(settings()->log_stderr);
	ck_assert(!handler_takes_port(&handler_exec, fixture.settings));
	for (unsigned i = 0; i < 64; i++)
		ck_assert(slots_take(settings()->processes));
	ck_assert(!slots_take(settings()->processes));
	for (unsigned i = 0; i < 64; i++)
		slots_give(settings()->processes);
}
END_TEST

START_TEST(everything_given)
{
	ck_assert_int_eq(read_block("command = {\"/bin/sh\", \"-c\", \"echo $A\"}\n"
				    "environment = {\"A=1=2\", \"_b2=\"} directory = \"/\"\n"
				    "max-processes = 1 timeout = 90s wait = true stderr = null"),
			 0);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(settings()->command[1], "-c");
	ck_assert_str_eq(settings()->command[2], "echo $A");
	ck_assert_uint_eq(settings()->environment_count, 3);
	ck_assert_str_eq(settings()->environment[0], "A=1=2");
	ck_assert_str_eq(settings()->environment[1], "_b2=");
	ck_assert_str_eq(settings()->environment[2], EXEC_PATH);
	ck_assert_str_eq(settings()->directory, "/");
	ck_assert_uint_eq(settings()->timeout_ms, 90000);
	ck_assert(!settings()->log_stderr);
	ck_assert(handler_takes_port(&handler_exec, fixture.settings));
	ck_assert(slots_take(settings()->processes));
	ck_assert(!slots_take(settings()->processes));
	slots_give(settings()->processes);
}
END_TEST

START_TEST(path_of_its_own)
{
	ck_assert_int_eq(read_block("command = {\"/bin/cat\"} environment = {\"PATH=/opt/bin\"}"),
			 0);
	ck_assert_uint_eq(settings()->environment_count, 1);
	ck_assert_str_eq(settings()->environment[0], "PATH=/opt/bin");
}
END_TEST

/* What is wrong, and what is said of it. */
static const struct {
	const char *text;
	const char *said;
} wrong[] = {
	{"", "command: say what to run"},
	{"command = {}", "command: say what to run"},
	{"command = {\"cat\"}", "command: \"cat\" is not an absolute path"},
	{"command = {\"./cat\"}", "not an absolute path"},
	{"command = {\"/bin/cat\"} environment = {\"A\"}", "environment: \"A\": write it as NAME="},
	{"command = {\"/bin/cat\"} environment = {\"=a\"}", "write it as NAME="},
	{"command = {\"/bin/cat\"} environment = {\"1A=a\"}", "write it as NAME="},
	{"command = {\"/bin/cat\"} environment = {\"A B=a\"}", "write it as NAME="},
	{"command = {\"/bin/cat\"} environment = {\"BASH_FUNC_x%%=() { :; }\"}",
	 "write it as NAME="},
	{"command = {\"/bin/cat\"} environment = {\"A=1\", \"B=2\", \"A=3\"}",
	 "environment: \"A=3\": this variable is there already"},
	{"command = {\"/bin/cat\"} environment = {\"REMOTE_ADDR=::1\"}",
	 "\"REMOTE_ADDR=::1\": adoptd sets this variable itself"},
	{"command = {\"/bin/cat\"} environment = {\"TCPLOCALPORT=1\"}",
	 "sets this variable itself"},
	{"command = {\"/bin/cat\"} user = no-such-user", "user: \"no-such-user\": no such user"},
	{"command = {\"/bin/cat\"} group = no-such-group",
	 "group: \"no-such-group\": no such group"},
	{"command = {\"/bin/cat\"} user = 4000000", "user: \"4000000\" is nobody that the system"},
	{"command = {\"/bin/cat\"} directory = tmp", "directory: \"tmp\" is not an absolute path"},
	{"command = {\"/bin/cat\"} max-processes = 0", "max-processes: 0 is out of range"},
	{"command = {\"/bin/cat\"} timeout = 5", "timeout: \"5\" is no duration"},
	{"command = {\"/bin/cat\"} stderr = nul",
	 "stderr: unknown value \"nul\"; did you mean \"null\"?"},
	{"command = {\"/bin/cat\"} announce = systemd", "announced only with `wait = true`"},
	{"command = {\"/bin/cat\"} wait = true announce = system",
	 "announce: unknown value \"system\"; did you mean \"systemd\"?"},
	{"command = {\"/bin/cat\"} wait = true announce = nginx environment = {\"NGINX=3;\"}",
	 "\"NGINX=3;\": adoptd sets this variable itself, as `announce` says"},
};

#define WRONG (sizeof wrong / sizeof wrong[0])

START_TEST(faults_are_told)
{
	ck_assert_int_eq(read_block(wrong[_i].text), -EINVAL);
	ck_assert_ptr_null(fixture.settings);
	ck_assert_msg(strstr(said, wrong[_i].said) != NULL, "of %s said: %s", wrong[_i].text, said);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_ERROR), 1);
}
END_TEST

START_TEST(all_faults_in_one_run)
{
	ck_assert_int_eq(read_block("command = {cat} environment = {A, B} user = no-such-user "
				    "directory = x max-processes = a timeout = b stderr = c"),
			 -EINVAL);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_ERROR), 8);
}
END_TEST

/* A file may come later. */
START_TEST(what_is_not_there_is_warned_of)
{
	ck_assert_int_eq(read_block("command = {\"/nowhere/cat\"}"), 0);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_WARNING), 1);
	ck_assert_ptr_nonnull(
		strstr(said, "command: \"/nowhere/cat\": cannot run its program: No such"));
}
END_TEST

START_TEST(what_cannot_be_run_is_warned_of)
{
	ck_assert_int_eq(read_block("command = {\"/etc/passwd\"}"), 0);
	ck_assert_ptr_nonnull(strstr(said,
				     "warning: command: \"/etc/passwd\": cannot run its program: "
				     "Permission denied"));
}
END_TEST

START_TEST(directory_that_is_not_there_is_warned_of)
{
	ck_assert_int_eq(read_block("command = {\"/bin/cat\"} directory = \"/nowhere\""), 0);
	ck_assert_ptr_nonnull(strstr(said, "warning: directory: \"/nowhere\": No such"));
}
END_TEST

/* An adoptd that gets no socket for the block need not have the right. */
START_TEST(users_need_the_right)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setuid(65534), 0);
	ck_assert_int_eq(read_block(_i ? "command = {\"/bin/cat\"} group = 1"
				       : "command = {\"/bin/cat\"} user = root"),
			 0);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(handler_exec.misfit(fixture.settings, SOCK_STREAM));
	ck_assert_ptr_nonnull(
		strstr(handler_exec.misfit(fixture.settings, SOCK_STREAM), "CAP_SETUID"));
}
END_TEST

/* Who it is already it may be asked to be. */
START_TEST(own_user_needs_no_right)
{
	char text[128];

	if (geteuid() == 0) {
		ck_assert_int_eq(setgid(65534), 0);
		ck_assert_int_eq(setuid(65534), 0);
	}
	snprintf(text, sizeof text, "command = {\"/bin/cat\"} user = %d group = %d", (int)geteuid(),
		 (int)getegid());
	ck_assert_int_eq(read_block(text), 0);
	ck_assert_ptr_null(settings()->identity);
}
END_TEST

START_TEST(users_by_name_and_number)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(read_block("command = {\"/bin/cat\"} user = daemon group = 4711"), 0);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(settings()->identity);
	ck_assert_ptr_null(handler_exec.misfit(fixture.settings, SOCK_STREAM));
	ck_assert_int_eq(settings()->identity->gid, 4711);
	ck_assert_int_ne(settings()->identity->uid, 0);
}
END_TEST

/* --- environment --- */

static char first[] = "FIRST=1", second[] = "SECOND=2";
static char *block[] = {first, second}, *nothing[] = {NULL};
static char **environment;

static void make(const char *local, const char *peer)
{
	struct adopt_address own = {0}, other = {0};

	if (local)
		ck_assert_int_eq(adopt_address_parse(local, &own), 0);
	if (peer)
		ck_assert_int_eq(adopt_address_parse(peer, &other), 0);
	ck_assert_int_eq(exec_environment_new(block, 2, local ? &own : NULL, peer ? &other : NULL,
					      nothing, &environment),
			 0);
	ck_assert_ptr_eq(environment[0], first);
	ck_assert_ptr_eq(environment[1], second);
}

/* Asserts that just these follow, in any order. */
static void ck_rest(const char *const *expected)
{
	size_t count = 0, have = 0;

	for (; expected[count]; count++) {
		bool found = false;

		for (size_t i = 2; environment[i]; i++)
			found = found || strcmp(environment[i], expected[count]) == 0;
		ck_assert_msg(found, "no %s", expected[count]);
	}
	while (environment[2 + have])
		have++;
	ck_assert_uint_eq(have, count);
	free(environment);
}

START_TEST(environment_of_ipv4)
{
	static const char *const expected[] = {"PROTO=TCP",          "REMOTE_ADDR=192.0.2.7",
					       "REMOTE_PORT=4711",   "TCPREMOTEIP=192.0.2.7",
					       "TCPREMOTEPORT=4711", "TCPLOCALIP=192.0.2.1",
					       "TCPLOCALPORT=22",    NULL};

	make("192.0.2.1:22", "192.0.2.7:4711");
	ck_rest(expected);
}
END_TEST

START_TEST(environment_of_ipv6)
{
	static const char *const expected[] = {"PROTO=TCP",          "REMOTE_ADDR=2001:db8::7",
					       "REMOTE_PORT=4711",   "TCPREMOTEIP=2001:db8::7",
					       "TCPREMOTEPORT=4711", "TCPLOCALIP=2001:db8::1",
					       "TCPLOCALPORT=22",    NULL};

	make("[2001:db8::1]:22", "[2001:db8::7]:4711");
	ck_rest(expected);
}
END_TEST

/* On sockets of both families. */
START_TEST(environment_of_mapped_ipv4)
{
	static const char *const expected[] = {"PROTO=TCP",          "REMOTE_ADDR=192.0.2.7",
					       "REMOTE_PORT=4711",   "TCPREMOTEIP=192.0.2.7",
					       "TCPREMOTEPORT=4711", "TCPLOCALIP=192.0.2.1",
					       "TCPLOCALPORT=22",    NULL};

	make("[::ffff:192.0.2.1]:22", "[::ffff:192.0.2.7]:4711");
	ck_rest(expected);
}
END_TEST

START_TEST(environment_of_unix)
{
	static const char *const unnamed[] = {"PROTO=UNIX", NULL};
	static const char *const named[] = {"PROTO=UNIX", "REMOTE_ADDR=unix:/run/client", NULL};
	struct adopt_address nobody = {.length = 2, .name.any.sa_family = AF_UNIX};
	struct adopt_address own;

	ck_assert_int_eq(adopt_address_parse("unix:/run/own", &own), 0);
	ck_assert_int_eq(exec_environment_new(block, 2, &own, &nobody, nothing, &environment), 0);
	ck_rest(unnamed);
	make("unix:/run/own", "unix:/run/client");
	ck_rest(named);
}
END_TEST

/* CVE-2014-6271: what a client may choose is no shell function. */
START_TEST(environment_of_an_evil_name)
{
	static const char *const expected[] = {
		"PROTO=UNIX", "REMOTE_ADDR=unix:@() { :;}; touch\\x0Aa\\x00b", NULL};

	make("unix:/run/own", "unix:@() { :;}; touch\\x0Aa\\x00b");
	ck_rest(expected);
}
END_TEST

/* A PROXY header has told of a client behind a UNIX socket. */
START_TEST(environment_of_a_told_peer)
{
	static const char *const expected[] = {"PROTO=TCP",          "REMOTE_ADDR=192.0.2.7",
					       "REMOTE_PORT=4711",   "TCPREMOTEIP=192.0.2.7",
					       "TCPREMOTEPORT=4711", NULL};

	make("unix:/run/own", "192.0.2.7:4711");
	ck_rest(expected);
}
END_TEST

START_TEST(environment_without_a_peer)
{
	static const char *const expected[] = {NULL};

	make(NULL, NULL);
	ck_rest(expected);
}
END_TEST

#ifdef AF_VSOCK
START_TEST(environment_of_vsock)
{
	static const char *const expected[] = {"PROTO=VSOCK", "REMOTE_ADDR=vsock:3",
					       "REMOTE_PORT=1024", NULL};

	make("vsock:2:22", "vsock:3:1024");
	ck_rest(expected);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("exec");
	TCase *blocks = tcase_create("blocks"), *environments = tcase_create("environments");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(blocks, setup, teardown);
	tcase_add_test(blocks, defaults);
	tcase_add_test(blocks, everything_given);
	tcase_add_test(blocks, path_of_its_own);
	tcase_add_loop_test(blocks, faults_are_told, 0, WRONG);
	tcase_add_test(blocks, all_faults_in_one_run);
	tcase_add_test(blocks, what_is_not_there_is_warned_of);
	tcase_add_test(blocks, what_cannot_be_run_is_warned_of);
	tcase_add_test(blocks, directory_that_is_not_there_is_warned_of);
	tcase_add_loop_test(blocks, users_need_the_right, 0, 2);
	tcase_add_test(blocks, own_user_needs_no_right);
	tcase_add_test(blocks, users_by_name_and_number);
	suite_add_tcase(suite, blocks);
	tcase_add_test(environments, environment_of_ipv4);
	tcase_add_test(environments, environment_of_ipv6);
	tcase_add_test(environments, environment_of_mapped_ipv4);
	tcase_add_test(environments, environment_of_unix);
	tcase_add_test(environments, environment_of_an_evil_name);
	tcase_add_test(environments, environment_of_a_told_peer);
	tcase_add_test(environments, environment_without_a_peer);
#ifdef AF_VSOCK
	tcase_add_test(environments, environment_of_vsock);
#endif
	suite_add_tcase(suite, environments);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
