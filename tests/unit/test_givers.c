/* The givers that announce in the environment, but for systemd. */
#include "activation_case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A variable, and what is wrong with it as the message says it. */
struct wrong {
	const char *variable;
	const char *value;
	const char *part;
	int error;
};

static void assert_unset(const char *const *variables)
{
	for (; *variables; variables++)
		ck_assert_msg(!getenv(*variables), "%s is set still", *variables);
}

static void assert_wrong(const struct wrong *wrong)
{
	int r;

	place_listener(3);
	place_listener(4);
	close(9);
	setenv(wrong->variable, wrong->value, 1);
	r = collect();
	assert_failed(r, wrong->error, wrong->part);
	ck_assert_msg(strstr(message, wrong->variable) != NULL, "%s", message);
	ck_assert_ptr_null(getenv(wrong->variable));
}

static void set_number(const char *variable, long number)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", number);
	setenv(variable, text, 1);
}

/* --- systemfd --- */

static const char *const listen_variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
					       "LISTEN_FDS_FIRST_FD", NULL};

/* Row 0: no LISTEN_PID. Row 1: an empty one. */
START_TEST(systemfd_without_pid)
{
	place_listener(3);
	place_listener(4);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "web:dns", 1);
	if (_i == 1)
		setenv("LISTEN_PID", "", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "web", 3, "systemfd");
	assert_item(1, "dns", 4, "systemfd");
	assert_unset(listen_variables);
}
END_TEST

START_TEST(systemfd_begins_elsewhere)
{
	place_listener(7);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDS_FIRST_FD", "7", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 1);
	assert_item(0, "unknown", 7, "systemfd");
	assert_unset(listen_variables);
}
END_TEST

START_TEST(systemfd_names_the_process)
{
	place_listener(7);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDS_FIRST_FD", "7", 1);
	set_number("LISTEN_PID", (long)getpid());
	ck_assert_int_eq(collect(), 0);
	assert_item(0, "unknown", 7, "systemd");
	assert_unset(listen_variables);
}
END_TEST

/* The standard descriptors are never meant. */
START_TEST(systemfd_begins_where_it_cannot)
{
	static const char *const firsts[] = {"0", "2", "-3", "x", "2147483647", ""};

	place_listener(3);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDS_FIRST_FD", firsts[_i], 1);
	assert_failed(collect(), -EINVAL, "LISTEN_FDS_FIRST_FD");
	ck_assert_uint_eq(list.count, 0);
	assert_unset(listen_variables);
}
END_TEST

/* --- lists --- */

START_TEST(server_starter)
{
	static const char *const variables[] = {"SERVER_STARTER_PORT", "SERVER_STARTER_GENERATION",
						NULL};

	for (int fd = 4; fd < 8; fd++)
		place_listener(fd);
	setenv("SERVER_STARTER_PORT", "8080=4;127.0.0.1:80=5;[::1]:80=6;/run/a=b:1=7", 1);
	setenv("SERVER_STARTER_GENERATION", "3", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 4);
	assert_item(0, "8080", 4, "server-starter");
	assert_item(1, "80", 5, "server-starter");
	assert_item(2, "80", 6, "server-starter");
	assert_item(3, "/run/a=b:1", 7, "server-starter");
	assert_unset(variables);
}
END_TEST

START_TEST(server_starter_without_ports)
{
	setenv("SERVER_STARTER_PORT", "", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_ptr_null(getenv("SERVER_STARTER_PORT"));
}
END_TEST

START_TEST(nginx)
{
	place_listener(3);
	place_listener(4);
	setenv("NGINX", _i == 0 ? "3;4;" : "3:4;", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "nginx", 3, "nginx");
	assert_item(1, "nginx", 4, "nginx");
	ck_assert_ptr_null(getenv("NGINX"));
}
END_TEST

START_TEST(gunicorn)
{
	place_listener(3);
	place_listener(4);
	setenv("GUNICORN_FD", "3,4", 1);
	setenv("GUNICORN_PID", "1", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(1, "gunicorn", 4, "gunicorn");
	ck_assert_ptr_null(getenv("GUNICORN_FD"));
	ck_assert_ptr_null(getenv("GUNICORN_PID"));
}
END_TEST

START_TEST(php_fpm)
{
	for (int fd = 3; fd < 6; fd++)
		place_listener(fd);
	setenv("FPM_SOCKETS", "127.0.0.1:9000=3,/run/php.sock=4", 1);
	setenv("FPM_SOCKETS_1", "[::1]:9000=5", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 3);
	assert_item(0, "9000", 3, "php-fpm");
	assert_item(1, "/run/php.sock", 4, "php-fpm");
	assert_item(2, "9000", 5, "php-fpm");
	ck_assert_ptr_null(getenv("FPM_SOCKETS"));
	ck_assert_ptr_null(getenv("FPM_SOCKETS_1"));
}
END_TEST

/* --- a variable each --- */

START_TEST(puma)
{
	place_listener(3);
	place_listener(4);
	setenv("PUMA_INHERIT_0", "3:tcp://127.0.0.1:9292", 1);
	setenv("PUMA_INHERIT_1", "4:unix:///run/puma.sock?umask=0111", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "9292", 3, "puma");
	assert_item(1, "/run/puma.sock", 4, "puma");
	ck_assert_ptr_null(getenv("PUMA_INHERIT_0"));
	ck_assert_ptr_null(getenv("PUMA_INHERIT_1"));
}
END_TEST

static const char *const s6_variables[] = {"S6_FD#",    "S6_FD_0",      "S6_FD_1", "S6_FDID_0",
					   "S6_FDID_1", "S6_FDLIMIT_0", NULL};

static void announce_s6(void)
{
	place_listener(4);
	place_listener(5);
	setenv("S6_FD#", "2", 1);
	setenv("S6_FD_0", "4", 1);
	setenv("S6_FD_1", "5", 1);
	setenv("S6_FDID_0", "web", 1);
	setenv("S6_FDID_1", "dns", 1);
	setenv("S6_FDLIMIT_0", "@4000000000000000", 1);
}

START_TEST(s6_fdholder)
{
	announce_s6();
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "web", 4, "s6-fdholder");
	assert_item(1, "dns", 5, "s6-fdholder");
	assert_unset(s6_variables);
}
END_TEST

/* What is counted and not there is told by its name. */
START_TEST(s6_fdholder_lacks_one)
{
	static const char *const missing[] = {"S6_FD_1", "S6_FDID_1"};

	announce_s6();
	unsetenv(missing[_i]);
	assert_failed(collect(), -EINVAL, missing[_i]);
	ck_assert_uint_eq(list.count, 1);
	assert_unset(s6_variables);
}
END_TEST

START_TEST(upstart)
{
	place_listener(3);
	setenv("UPSTART_EVENTS", _i == 0 ? "socket" : "started socket", 1);
	setenv("UPSTART_FDS", "3", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 1);
	assert_item(0, "upstart", 3, "upstart");
	ck_assert_ptr_null(getenv("UPSTART_EVENTS"));
	ck_assert_ptr_null(getenv("UPSTART_FDS"));
}
END_TEST

/* Another event is none of a socket. */
START_TEST(upstart_has_another_event)
{
	static const char *const events[] = {"", "started", "sockets websocket"};

	place_listener(3);
	setenv("UPSTART_EVENTS", events[_i], 1);
	setenv("UPSTART_FDS", "3", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_eq(list.note_count, 1);
	ck_assert_ptr_nonnull(strstr(list.notes[0], "UPSTART_EVENTS"));
	ck_assert_ptr_null(getenv("UPSTART_FDS"));
}
END_TEST

/* --- what is wrong --- */

static const struct wrong wrongs[] = {
	{"SERVER_STARTER_PORT", "8080", "\"8080\" is no descriptor", -EINVAL},
	{"SERVER_STARTER_PORT", "=3", "\"=3\" is no descriptor", -EINVAL},
	{"SERVER_STARTER_PORT", "a:=3", "\"a:=3\" is no descriptor", -EINVAL},
	{"SERVER_STARTER_PORT", "a=3;", "\"\" is no descriptor", -EINVAL},
	{"SERVER_STARTER_PORT", "a=x", "SERVER_STARTER_PORT=127.0.0.1:80=3", -EINVAL},
	{"SERVER_STARTER_PORT", "a=3;b=3", "server-starter gave descriptor 3 already, as \"a\"",
	 -EEXIST},
	{"SERVER_STARTER_PORT", "a=9", "SERVER_STARTER_PORT=a=9: descriptor 9 is not open", -EBADF},
	{"SERVER_STARTER_PORT", "a=1", "descriptor 1 is no socket", -EINVAL},
	{"NGINX", "3;4", "\"4\" is no descriptor as nginx announces it", -EINVAL},
	{"NGINX", "/usr/sbin/nginx", "NGINX=3;4;, or not to be set", -EINVAL},
	{"NGINX", ";", "\"\" is no descriptor", -EINVAL},
	{"NGINX", "-3;", "\"-3\" is no descriptor", -EINVAL},
	{"NGINX", "99999999999;", "\"99999999999\" is no descriptor", -EINVAL},
	{"NGINX", "3;3;", "nginx gave descriptor 3 already", -EEXIST},
	{"NGINX", "9;", "descriptor 9 is not open", -EBADF},
	{"GUNICORN_FD", "3, 4", "\" 4\" is no descriptor", -EINVAL},
	{"GUNICORN_FD", "3,,4", "\"\" is no descriptor", -EINVAL},
	{"FPM_SOCKETS", "3", "FPM_SOCKETS=127.0.0.1:9000=3", -EINVAL},
	{"PUMA_INHERIT_0", "3", "PUMA_INHERIT_0=3:tcp://127.0.0.1:80", -EINVAL},
	{"PUMA_INHERIT_0", "3:", "\"3:\" is no descriptor", -EINVAL},
	{"PUMA_INHERIT_0", "3:127.0.0.1:80", "\"3:127.0.0.1:80\" is no descriptor", -EINVAL},
	{"PUMA_INHERIT_0", "3:tcp://a:", "\"3:tcp://a:\" is no descriptor", -EINVAL},
	{"PUMA_INHERIT_0", "3:tcp://?a", "\"3:tcp://?a\" is no descriptor", -EINVAL},
	{"PUMA_INHERIT_0", ":tcp://[::1]:80", "\"\" is no descriptor", -EINVAL},
	{"S6_FD#", "-1", "\"-1\" is no descriptor", -EINVAL},
	{"S6_FD#", "2147483647", "S6_FDID_0", -EINVAL},
};
#define WRONGS ((int)(sizeof wrongs / sizeof wrongs[0]))

START_TEST(variables_are_wrong)
{
	assert_wrong(&wrongs[_i]);
}
END_TEST

START_TEST(upstart_is_wrong)
{
	static const struct wrong rows[] = {
		{"UPSTART_FDS", "3 4", "UPSTART_FDS=3", -EINVAL},
		{"UPSTART_FDS", "9", "UPSTART_FDS=9: descriptor 9 is not open", -EBADF},
	};

	setenv("UPSTART_EVENTS", "socket", 1);
	assert_wrong(&rows[_i]);
}
END_TEST

/* Two announce the same descriptor. */
START_TEST(givers_contradict_each_other)
{
	place_listener(3);
	setenv("SERVER_STARTER_PORT", "8080=3", 1);
	setenv("NGINX", "3;", 1);
	assert_failed(collect(), -EEXIST,
		      "NGINX=3;: server-starter gave descriptor 3 already, as \"8080\"");
	ck_assert_uint_eq(list.count, 1);
}
END_TEST

START_TEST(givers_add_up)
{
	const char *const options[] = {"web=6", NULL};

	for (int fd = 3; fd < 7; fd++)
		place_listener(fd);
	setenv("LISTEN_FDS", "1", 1);
	setenv("SERVER_STARTER_PORT", "8080=4", 1);
	setenv("NGINX", "5;", 1);
	ck_assert_int_eq(collect_with(options), 0);
	ck_assert_uint_eq(list.count, 4);
	assert_item(0, "unknown", 3, "systemfd");
	assert_item(3, "web", 6, "--fd");
}
END_TEST

/* --- Einhorn --- */

static const char *const einhorn_variables[] = {
	"EINHORN_FD_COUNT",   "EINHORN_FD_0",      "EINHORN_FD_1",    "EINHORN_FDS",
	"EINHORN_MASTER_PID", "EINHORN_SOCK_PATH", "EINHORN_SOCK_FD", NULL};

static void announce_einhorn(void)
{
	place_listener(6);
	place_listener(7);
	setenv("EINHORN_FD_COUNT", "2", 1);
	setenv("EINHORN_FD_0", "6", 1);
	setenv("EINHORN_FD_1", "7", 1);
	set_number("EINHORN_MASTER_PID", (long)getppid());
}

START_TEST(einhorn)
{
	announce_einhorn();
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "einhorn", 6, "einhorn");
	assert_item(1, "einhorn", 7, "einhorn");
	ck_assert(list.under_einhorn);
	ck_assert(!list.acknowledges);
	ck_assert_int_eq(einhorn_acknowledge(&list), 0);
	assert_unset(einhorn_variables);
}
END_TEST

/* Row 0: in place of the newer variables. Row 1: beside them. */
START_TEST(einhorn_of_an_older_version)
{
	announce_einhorn();
	setenv("EINHORN_FDS", "6 7", 1);
	if (_i == 0)
		unsetenv("EINHORN_FD_COUNT");
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "einhorn", 6, "einhorn");
	assert_item(1, "einhorn", 7, "einhorn");
	assert_unset(einhorn_variables);
}
END_TEST

/* Row 0: it is another process. Row 1: it does not say. */
START_TEST(einhorn_is_not_the_parent)
{
	announce_einhorn();
	if (_i == 0)
		set_number("EINHORN_MASTER_PID", (long)getpid());
	else
		unsetenv("EINHORN_MASTER_PID");
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_eq(list.note_count, 1);
	ck_assert_ptr_nonnull(strstr(list.notes[0], "EINHORN_MASTER_PID"));
	ck_assert(!list.under_einhorn);
	assert_unset(einhorn_variables);
}
END_TEST

START_TEST(einhorn_is_wrong)
{
	static const struct wrong rows[] = {
		{"EINHORN_MASTER_PID", "me", "not the number of a process", -EINVAL},
		{"EINHORN_FD_COUNT", "two", "\"two\" is no descriptor", -EINVAL},
		{"EINHORN_FD_COUNT", "3", "EINHORN_FD_2=", -EINVAL},
		{"EINHORN_FD_1", "6", "einhorn gave descriptor 6 already", -EEXIST},
		{"EINHORN_FD_1", "9", "EINHORN_FD_1=9: descriptor 9 is not open", -EBADF},
	};

	announce_einhorn();
	assert_wrong(&rows[_i]);
	assert_unset(einhorn_variables);
}
END_TEST

static void assert_acknowledged(int fd)
{
	char wanted[64], text[64] = "";

	snprintf(wanted, sizeof wanted, "{\"command\":\"worker:ack\", \"pid\":%ld}\n",
		 (long)getpid());
	ck_assert_int_eq(einhorn_acknowledge(&list), 0);
	ck_assert_int_eq(recv(fd, text, sizeof text - 1, 0), (int)strlen(wanted));
	ck_assert_str_eq(text, wanted);
	/* Only once, and the socket is closed. */
	ck_assert_int_eq(einhorn_acknowledge(&list), 0);
	ck_assert_int_eq(recv(fd, text, sizeof text, 0), 0);
}

START_TEST(einhorn_hears_by_descriptor)
{
	announce_einhorn();
	place_connection(8);
	setenv("EINHORN_SOCK_FD", "8", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert(list.acknowledges);
	ck_assert_int_eq(fcntl(8, F_GETFD), FD_CLOEXEC);
	assert_acknowledged(PEER);
	assert_unset(einhorn_variables);
}
END_TEST

START_TEST(einhorn_hears_by_path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;

	snprintf(name.sun_path, sizeof name.sun_path, "/tmp/adoptd.einhorn.%ld", (long)getpid());
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	announce_einhorn();
	setenv("EINHORN_SOCK_PATH", name.sun_path, 1);
	ck_assert_int_eq(collect(), 0);
	unlink(name.sun_path);
	fd = accept(listener, NULL, NULL);
	assert_acknowledged(fd);
	assert_unset(einhorn_variables);
}
END_TEST

/* It serves all the same. */
START_TEST(einhorn_cannot_hear)
{
	static const struct {
		const char *variable, *value;
	} rows[] = {
		{"EINHORN_SOCK_PATH", "/nonexistent/einhorn.sock"},
		{"EINHORN_SOCK_FD", "x"},
		{"EINHORN_SOCK_FD", "9"},
		{"EINHORN_SOCK_FD", "1"},
	};

	announce_einhorn();
	close(9);
	setenv(rows[_i].variable, rows[_i].value, 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert(!list.acknowledges);
	ck_assert_uint_eq(list.note_count, 1);
	ck_assert_ptr_nonnull(strstr(list.notes[0], rows[_i].variable));
	assert_unset(einhorn_variables);
}
END_TEST

static void add_einhorn(Suite *suite)
{
	TCase *tcase = activation_add_case(suite, "einhorn");

	tcase_add_test(tcase, einhorn);
	tcase_add_loop_test(tcase, einhorn_of_an_older_version, 0, 2);
	tcase_add_loop_test(tcase, einhorn_is_not_the_parent, 0, 2);
	tcase_add_loop_test(tcase, einhorn_is_wrong, 0, 5);
	tcase_add_test(tcase, einhorn_hears_by_descriptor);
	tcase_add_test(tcase, einhorn_hears_by_path);
	tcase_add_loop_test(tcase, einhorn_cannot_hear, 0, 4);
}

int main(void)
{
	Suite *suite = suite_create("givers");
	TCase *tcase;

	activation_take_numbers();
	tcase = activation_add_case(suite, "systemfd");
	tcase_add_loop_test(tcase, systemfd_without_pid, 0, 2);
	tcase_add_test(tcase, systemfd_begins_elsewhere);
	tcase_add_test(tcase, systemfd_names_the_process);
	tcase_add_loop_test(tcase, systemfd_begins_where_it_cannot, 0, 6);
	tcase = activation_add_case(suite, "lists");
	tcase_add_test(tcase, server_starter);
	tcase_add_test(tcase, server_starter_without_ports);
	tcase_add_loop_test(tcase, nginx, 0, 2);
	tcase_add_test(tcase, gunicorn);
	tcase_add_test(tcase, php_fpm);
	tcase = activation_add_case(suite, "each");
	tcase_add_test(tcase, puma);
	tcase_add_test(tcase, s6_fdholder);
	tcase_add_loop_test(tcase, s6_fdholder_lacks_one, 0, 2);
	tcase_add_loop_test(tcase, upstart, 0, 2);
	tcase_add_loop_test(tcase, upstart_has_another_event, 0, 3);
	tcase = activation_add_case(suite, "wrong");
	tcase_add_loop_test(tcase, variables_are_wrong, 0, WRONGS);
	tcase_add_loop_test(tcase, upstart_is_wrong, 0, 2);
	tcase_add_test(tcase, givers_contradict_each_other);
	tcase_add_test(tcase, givers_add_up);
	add_einhorn(suite);
	return activation_run(suite);
}
