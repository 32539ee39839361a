/* What adoptctl may ask for, and what it is told where it asks wrongly. */
#include "daemon/control_answer.h"
#include "daemon/control_request.h"
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct control_request request;
static struct control_problem problem;

static int read_line(const char *line)
{
	memset(&request, 0, sizeof request);
	memset(&problem, 0, sizeof problem);
	return control_request_read(line, strlen(line), &request, &problem);
}

START_TEST(commands_without_members)
{
	static const struct {
		const char *name;
		enum control_command command;
	} commands[] = {
		{"status", CONTROL_STATUS},
		{"ports", CONTROL_PORTS},
		{"connections", CONTROL_CONNECTIONS},
		{"upstreams", CONTROL_UPSTREAMS},
		{"drain", CONTROL_DRAIN},
		{"undrain", CONTROL_UNDRAIN},
		{"reload", CONTROL_RELOAD},
	};
	char line[100];

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		snprintf(line, sizeof line, "{\"version\":1,\"command\":\"%s\"}", commands[i].name);
		ck_assert_int_eq(read_line(line), 0);
		ck_assert_int_eq(request.command, commands[i].command);
		ck_assert_ptr_null(request.port);
		ck_assert_uint_eq(request.after, 0);
		ck_assert_uint_eq(request.limit, CONTROL_PAGE);
	}
}
END_TEST

START_TEST(members)
{
	ck_assert_int_eq(read_line("{\"id\":17, \"command\":\"kill\",\"version\":1}\r"), 0);
	ck_assert_int_eq(request.command, CONTROL_KILL);
	ck_assert_uint_eq(request.id, 17);
	ck_assert_int_eq(read_line("{\"version\":1,\"command\":\"connections\",\"after\":5,"
				   "\"limit\":1000}"),
			 0);
	ck_assert_uint_eq(request.after, 5);
	ck_assert_uint_eq(request.limit, 1000);
	ck_assert_int_eq(read_line("{\"version\":1,\"command\":\"log-level\",\"level\":\"debug\"}"),
			 0);
	ck_assert_int_eq(request.level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(
		read_line("{\"version\":1,\"command\":\"undrain\",\"port\":\"w\\u00e4b\"}"), 0);
	ck_assert_int_eq(request.command, CONTROL_UNDRAIN);
	ck_assert_str_eq(request.port, "w\xc3\xa4"
				       "b");
	control_request_done(&request);
	ck_assert_ptr_null(request.port);
}
END_TEST

#define V "{\"version\":1,"

static const struct {
	const char *line, *code, *text;
} refused[] = {
	{"", "request", "this is no JSON object: "},
	{"status", "request", "this is no JSON object: "},
	{"[1]", "request", "this is no JSON object"},
	{"\"status\"", "request", "this is no JSON object: "},
	{V "\"command\":\"status\"}x", "request", "this is no JSON object: "},
	{V "\"command\":\"status\"", "request", "this is no JSON object: "},
	{V "\"command\":\"status\",\"command\":\"status\"}", "request", "this is no JSON object: "},
	{V "\"command\":\"st\\u0000\"}", "request", "this is no JSON object: "},
	{V "\"command\":\"\xff\"}", "request", "this is no JSON object: "},
	{"{}", "version", "only version 1 is known"},
	{"{\"version\":2,\"command\":\"status\"}", "version", "only version 1 is known"},
	{"{\"version\":\"1\",\"command\":\"status\"}", "version", "only version 1 is known"},
	{"{\"version\":1.0,\"command\":\"status\"}", "version", "only version 1 is known"},
	{"{\"version\":1}", "request", "command: a name is missing"},
	{V "\"command\":1}", "request", "command: a name is missing"},
	{V "\"command\":\"drian\"}", "command",
	 "there is no command \"drian\"; did you mean \"drain\"?"},
	{V "\"command\":\"explode\"}", "command", "there is no command \"explode\""},
	{V "\"command\":\"drain\",\"prot\":\"web\"}", "request", "drain takes no \"prot\""},
	{V "\"command\":\"status\",\"port\":\"web\"}", "request", "status takes no \"port\""},
	{V "\"command\":\"drain\",\"port\":1}", "request", "port: not the name of a port"},
	{V "\"command\":\"drain\",\"port\":null}", "request", "port: not the name of a port"},
	{V "\"command\":\"kill\"}", "request", "kill: id is missing"},
	{V "\"command\":\"kill\",\"id\":0}", "request", "id: not the number of a connection"},
	{V "\"command\":\"kill\",\"id\":-1}", "request", "id: not the number of a connection"},
	{V "\"command\":\"kill\",\"id\":1.5}", "request", "id: not the number of a connection"},
	{V "\"command\":\"kill\",\"id\":99999999999999999999}", "request",
	 "this is no JSON object: "},
	{V "\"command\":\"connections\",\"limit\":0}", "request",
	 "limit: not a number from 1 to 1000"},
	{V "\"command\":\"connections\",\"limit\":1001}", "request",
	 "limit: not a number from 1 to 1000"},
	{V "\"command\":\"log-level\"}", "request", "log-level: level is missing"},
	{V "\"command\":\"log-level\",\"level\":\"loud\"}", "request",
	 "level: not error, warning, notice, info or debug"},
};

START_TEST(what_is_wrong_is_told)
{
	ck_assert_int_eq(read_line(refused[_i].line), -EINVAL);
	ck_assert_str_eq(problem.code, refused[_i].code);
	problem.text[strlen(refused[_i].text)] = '\0';
	ck_assert_str_eq(problem.text, refused[_i].text);
}
END_TEST

START_TEST(port_is_freed_where_the_rest_is_wrong)
{
	ck_assert_int_eq(read_line(V "\"command\":\"drain\",\"port\":\"web\",\"x\":1}"), -EINVAL);
	ck_assert_ptr_null(request.port);
}
END_TEST

static void assert_line(const struct control_answer *answer, const char *expected)
{
	char *line = control_answer_line(answer);

	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(line, expected);
	free(line);
}

START_TEST(answers)
{
	struct control_answer answer = {0};

	assert_line(&answer, "{\"version\":1,\"ok\":true,\"data\":{}}\n");
	answer.data = json_pack("{s:f}", "rate", 0.358);
	answer.faults = json_pack("[s]", "a:1: b");
	assert_line(&answer, "{\"version\":1,\"ok\":true,\"data\":{\"rate\":0.358},"
			     "\"faults\":[\"a:1: b\"]}\n");
	control_fail(&answer, "not-found", "there is no %s", "\xff\n");
	assert_line(&answer, "{\"version\":1,\"ok\":false,\"code\":\"not-found\","
			     "\"error\":\"there is no \\\\xFF\\n\",\"faults\":[\"a:1: b\"]}\n");
	control_answer_done(&answer);
	ck_assert_ptr_null(answer.data);
	control_check(&answer, 0);
	ck_assert_str_eq(answer.code, "system");
	control_check(&answer, -EIO);
	ck_assert_str_eq(answer.error, strerror(EIO));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("control_request");

	tcase_add_test(tests, commands_without_members);
	tcase_add_test(tests, members);
	tcase_add_loop_test(tests, what_is_wrong_is_told, 0,
			    (int)(sizeof refused / sizeof refused[0]));
	tcase_add_test(tests, port_is_freed_where_the_rest_is_wrong);
	tcase_add_test(tests, answers);
	return run_case(tests, "control_request");
}
