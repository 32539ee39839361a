/* adoptd.conf: what is read, what is wrong and where, and the dump. */
#include "daemon/config.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faults *faults;
static struct config *config;
static char *said; /* the faults as printed */
static char directory[] = "/tmp/adoptd-test-XXXXXX";

static void setup(void)
{
	ck_assert_int_eq(faults_new(&faults), 0);
	unsetenv("ADOPTD_TEST");
}

static void teardown(void)
{
	config_free(&config);
	faults_free(&faults);
	free(said);
	said = NULL;
}

static void note_faults(void)
{
	size_t size;
	FILE *stream;

	free(said);
	stream = open_memstream(&said, &size);
	faults_print(faults, stream);
	fclose(stream);
}

static int read_text(const char *text)
{
	int result = config_read(NULL, text, faults, &config);

	note_faults();
	return result;
}

static char *dump(void)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	config_dump(config, stream);
	fclose(stream);
	return text;
}

/* ---- what is read ---- */

START_TEST(everything_given)
{
	ck_assert_msg(read_text("log-level = debug\n"
				"log-format = journal\n"
				"workers = 1\n"
				"port \"web\" {\n"
				"    max-packet-size = 16K\n"
				"    optional = yes\n"
				"    echo {}\n"
				"}\n"
				"\n"
				"port web#1 { listen = {127.0.0.1:80, \"[::1]:80\"} discard {} }\n"
				"port * { echo {} }\n") == 0,
		      "%s", said);
	ck_assert_int_eq(config->log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(config->log_format, LOG_FORMAT_JOURNAL);
	ck_assert_uint_eq(config->port_count, 3);
	ck_assert_str_eq(config->ports[0].name, "web");
	ck_assert_str_eq(config->ports[0].file, "-e");
	ck_assert_int_eq(config->ports[0].line, 4);
	ck_assert(config->ports[0].optional);
	ck_assert_uint_eq(config->ports[0].max_packet_size, 16384);
	ck_assert_ptr_null(config->ports[0].listen[0]);
	ck_assert_str_eq(config->ports[0].handler->name, "echo");
	ck_assert_ptr_eq(config->ports[0].settings->handler, config->ports[0].handler);
	ck_assert_str_eq(config->ports[1].name, "web#1");
	ck_assert_int_eq(config->ports[1].line, 10);
	ck_assert_str_eq(config->ports[1].listen[0], "127.0.0.1:80");
	ck_assert_str_eq(config->ports[1].listen[1], "[::1]:80");
	ck_assert_ptr_null(config->ports[1].listen[2]);
	ck_assert_str_eq(config->ports[1].handler->name, "discard");
	ck_assert_str_eq(config->ports[2].name, "*");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(defaults)
{
	ck_assert_int_eq(read_text("port x { echo {} }"), 0);
	ck_assert_int_eq(config->log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(config->log_format, LOG_FORMAT_AUTO);
	ck_assert(!config->ports[0].optional);
	ck_assert_uint_eq(config->ports[0].max_packet_size, 8192);
}
END_TEST

/* The name of the one port tells how a string was read. */
static const struct {
	const char *written;
	const char *name;
} strings[] = {
	{"\"web\"", "web"},
	{"'web'", "web"},
	{"web", "web"},
	{"a.b-c_d", "a.b-c_d"},
	{"http//x", "http//x"},
	{"web#0", "web#0"},
	{"\"a b\"", "a b"},
	{"\"a\\\\b\"", "a\\b"},
	{"\"a\\\"b\"", "a\"b"},
	{"'a\"b'", "a\"b"},
	{"'a\\'b\\\\c\\d'", "a'b\\c\\d"},
	{"\"\\x41\\x6a\\101\\$\\{\"", "AjA${"},
	{"\"a\\\nb\"", "ab"},
	{"'a\\\nb'", "ab"},
	{"'${NONE}'", "${NONE}"},
	{"\"$5 $\"", "$5 $"},
	{"\"\\${NONE}\"", "${NONE}"},
	{"\"${ADOPTD_TEST:-a}b\"", "ab"},
	{"${ADOPTD_TEST:-a}b", "ab"},
	{"\"a${ADOPTD_TEST:-}\"", "a"},
	{"\"#//\"", NULL},
	{"x # echo\n", "x"},
	{"x // {\n", "x"},
	{"/* { \" */ x /**/", "x"},
};

START_TEST(string)
{
	char text[256];
	int result;

	snprintf(text, sizeof text, "port %s { echo {} }", strings[_i].written);
	result = read_text(text);
	if (strings[_i].name) {
		ck_assert_msg(result == 0, "%s", said);
		ck_assert_str_eq(config->ports[0].name, strings[_i].name);
	} else {
		ck_assert_int_eq(result, -EINVAL);
		ck_assert_ptr_nonnull(strstr(said, "\"#//\""));
	}
}
END_TEST

START_TEST(environment)
{
	setenv("ADOPTD_TEST", "run\"${dir}", 1);
	ck_assert_int_eq(read_text("port \"${ADOPTD_TEST}-${ADOPTD_TEST:-no}\" { echo {} }"), 0);
	ck_assert_str_eq(config->ports[0].name, "run\"${dir}-run\"${dir}");
}
END_TEST

START_TEST(lists)
{
	ck_assert_msg(read_text("port a { listen = {127.0.0.1:1, 127.0.0.1:2,} echo {} }\n"
				"port b { listen = {} listen += 127.0.0.1:3\n"
				"         listen += {127.0.0.1:4} echo {} }\n"
				"port c { listen = 127.0.0.1:5 echo {} }\n") == 0,
		      "%s", said);
	ck_assert_str_eq(config->ports[0].listen[1], "127.0.0.1:2");
	ck_assert_ptr_null(config->ports[0].listen[2]);
	ck_assert_str_eq(config->ports[1].listen[0], "127.0.0.1:3");
	ck_assert_str_eq(config->ports[1].listen[1], "127.0.0.1:4");
	ck_assert_str_eq(config->ports[2].listen[0], "127.0.0.1:5");
}
END_TEST

/* ---- what is wrong ---- */

#define OK "port x { echo {} }\n"

/* Each fault is looked for by its line and a part of its text; `count` errors in all. */
static const struct {
	const char *text;
	size_t count;
	const char *expected[6];
} wrong[] = {
	/* syntax */
	{"port x {\n echo {\n}\n", 1, {"-e:1: port is never closed: its } is missing"}},
	{"port x {\n echo {\n", 1, {"-e:2: echo is never closed"}},
	{OK "}\n", 1, {"-e:2: this } closes nothing"}},
	{"port x { listen = {\n a, b", 1, {"-e:1: listen is never closed"}},
	{OK "log-level = \"info\n", 1, {"-e:2: this string is never closed"}},
	{OK "log-level = 'info\n", 1, {"-e:2: this string is never closed"}},
	{OK "log-level = \"info\\", 1, {"-e:2: this string is never closed"}},
	{OK "\n/* x\n", 1, {"-e:3: this comment is never closed"}},
	{OK "log-level = \"${X\n", 1, {"-e:2: this ${ is never closed"}},
	{OK "log-level info\n", 1, {"-e:2: log-level is set with ="}},
	{OK "log-level =\n", 1, {"-e:3: a value is expected here, not the end of the file"}},
	{OK "log-level", 1, {"-e:2: log-level is set with ="}},
	{"port x { listen = {a b} }", 1, {"-e:1: a comma or } is expected here, not \"b\""}},
	{"port x { listen = {,} }", 1, {"-e:1: a value or } is expected here, not \",\""}},
	{"\"port\" x { echo {} }", 1, {"-e:1: the name of an option"}},
	{"port x y { echo {} }", 1, {"-e:1: { is expected here, not \"y\""}},
	{"= 3", 1, {"-e:1: the name of an option or a block is expected here, not \"=\""}},
	{OK "log-level = + 3", 1, {"-e:2: a + stands"}},
	{OK "\001", 1, {"-e:2: the byte 0x01"}},
	{OK "log-level = \"\\0\"", 1, {"-e:2: a string cannot hold the byte NUL"}},
	{OK "log-level = \"\\x00\"", 1, {"-e:2: a string cannot hold the byte NUL"}},
	{OK "log-level = \"\\400\"", 1, {"-e:2: an octal escape"}},
	{OK "log-level = \"\\xg\"", 1, {"-e:2: \\x is followed"}},
	{OK "log-level = \"\\d\"", 1, {"-e:2: this escape means nothing"}},
	{OK "include \"x\"", 1, {"-e:2: include(\"FILE\"): a ( is expected"}},
	{OK "include()", 1, {"-e:2: include(\"FILE\"): a file's name is expected"}},
	{OK "include(\"x\", \"y\")", 1, {"-e:2: include(\"FILE\"): a ) is expected"}},
	{OK "nonsense { ( }", 2, {"-e:2: unknown option \"nonsense\"", "-e:2: ) is expected"}},
	{OK "nonsense {\n{", 2, {"-e:2: unknown option", "-e:2: nonsense is never closed"}},

	/* names */
	{OK "log-lvl = info\n",
	 1,
	 {"-e:2: unknown option \"log-lvl\"; did you mean \"log-level\"?"}},
	{OK "inclde(\"x\")\n", 1, {"-e:2: unknown option \"inclde\"; did you mean \"include\"?"}},
	{OK "prt y { }\n", 1, {"-e:2: unknown option \"prt\"; did you mean \"port\"?"}},
	{OK "idle-exti = 3s\n",
	 1,
	 {"-e:2: unknown option \"idle-exti\"; did you mean \"idle-exit\"?"}},
	{OK "frobnicate = {1, {2}}\n", 1, {"-e:2: unknown option \"frobnicate\"\n"}},
	{OK "frobnicate += 3\n", 1, {"-e:2: unknown option \"frobnicate\"\n"}},
	{OK "frobnicate \"x\" { y = (\n) }\n", 1, {"-e:2: unknown option \"frobnicate\"\n"}},
	{"port x { ehco {} }\n", 1, {"-e:1: unknown option \"ehco\"; did you mean \"echo\"?"}},
	{"port x {\n\nechoo = 1 echo {} }\n", 1, {"-e:3: unknown option \"echoo\"; did you mean"}},
	{"port x { echo { a = 1 } }\n", 1, {"-e:1: unknown option \"a\" in echo"}},
	{"port x { include(\"y\") echo {} }\n", 1, {"-e:1: unknown option \"include\""}},
	{"port|listen = x\n" OK, 1, {"-e:1: unknown option \"port|listen\""}},

	/* forms */
	{"port {\n echo {} }\n", 1, {"-e:1: port needs a name: port \"NAME\" {...}"}},
	{"port = x\n" OK, 1, {"-e:1: port is a block, without =: port \"NAME\" {...}"}},
	{"port x { echo \"y\" {} }\n", 1, {"-e:1: echo bears no name"}},
	{"log-level { x = 1 }\n" OK, 1, {"-e:1: log-level is set with ="}},
	{"log-level = {info}\n" OK, 1, {"-e:1: log-level: takes one value, not a list"}},
	{"log-level += info\n" OK, 1, {"-e:1: log-level: += is for lists"}},

	/* twice */
	{"log-level = info\n" OK "log-level = info\n",
	 1,
	 {"-e:3: log-level is set twice, first in -e:1"}},
	{"port x { listen = {}\n listen = {} echo {} }\n",
	 1,
	 {"-e:2: listen is set twice, first in -e:1"}},
	{OK OK, 1, {"-e:2: port \"x\" is there twice, first in -e:1"}},
	{"port x {\n echo {}\n echo {}\n}\n",
	 1,
	 {"-e:3: port \"x\" has a handler already, echo in line 2"}},
	{"port x {\n echo {}\n discard {}\n echo {}\n}\n",
	 2,
	 {"-e:3: port \"x\" has a handler already, echo in line 2", "-e:4: port \"x\" has a"}},
	{"port x {\n discard {}\n echo {}\n}\n",
	 1,
	 {"-e:3: port \"x\" has a handler already, discard in line 2"}},

	/* values */
	{OK "log-level = inof\n",
	 1,
	 {"-e:2: log-level: unknown value \"inof\"; did you mean \"info\"?"}},
	{OK "log-level = loud\n",
	 1,
	 {"-e:2: log-level: unknown value \"loud\"; it is one of error, warning, notice, info, "
	  "debug"}},
	{OK "log-format = jornal\n", 1, {"did you mean \"journal\"?"}},
	{OK "sandbox = strikt\n", 1, {"did you mean \"strict\"?"}},
	{"port x {\n optional = maybe\n echo {} }\n",
	 1,
	 {"-e:2: optional: \"maybe\" is neither true nor false"}},
	{"port x {\n max-packet-size = 0\n echo {} }\n",
	 1,
	 {"-e:2: max-packet-size: 0 is out of range"}},
	{"port x {\n max-packet-size = 64K\n echo {} }\n",
	 1,
	 {"-e:2: max-packet-size: 64K is out of range; it is from 1 to 65535"}},
	{"port x {\n max-packet-size = big\n echo {} }\n",
	 1,
	 {"-e:2: max-packet-size: \"big\" is no size"}},
	{OK "log-level = ${ADOPTD_TEST}\n",
	 1,
	 {"-e:2: the environment has no variable ADOPTD_TEST; ${ADOPTD_TEST:-default} would"}},
	{OK "log-level = \"${}\"\n", 1, {"-e:2: ${} names no variable"}},
	{OK "log-level = \"${a b}\"\n", 1, {"-e:2: ${a b} names no variable"}},
	{OK "log-level = \"${9}\"\n", 1, {"-e:2: ${9} names no variable"}},

	{"port x {\n listen = {127.0.0.1:1,\n nowhere, unix:} echo {} }\n",
	 2,
	 {"-e:2: listen: \"nowhere\" is no address", "-e:2: listen: \"unix:\" is no address"}},

	/* ports */
	{"", 1, {"-e: there is no port block"}},
	{"log-level = info", 1, {"-e: there is no port block"}},
	{"port x { }\n", 1, {"-e:1: port \"x\" has no handler; it takes one of the blocks echo, "}},
	{"port \"\" { echo {} }\n", 1, {"-e:1: a port's name cannot be empty"}},
	{"port \"a:b\" { echo {} }\n", 1, {"-e:1: a port's name cannot hold a colon"}},
	{"port \"a\\nb\" { echo {} }\n", 1, {"-e:1: a port's name cannot hold control"}},
	{"port 'a#' { echo {} }\n", 1, {"-e:1: after the # stands a number"}},
	{"port 'a#x' { echo {} }\n", 1, {"-e:1: after the # stands a number"}},
	{"port 'a#1#2' { echo {} }\n", 1, {"-e:1: after the # stands a number"}},
	{"port 'a#01' { echo {} }\n", 1, {"-e:1: after the # stands a number"}},
	{"port 'a#65536' { echo {} }\n", 1, {"-e:1: after the # stands a number"}},
	{"port '#1' { echo {} }\n", 1, {"-e:1: before the # stands the name"}},
	{"port '*#1' { echo {} }\n", 1, {"-e:1: a port * takes the rest"}},

	{OK "control = run/a\n", 1, {"-e:2: control: \"run/a\" is no absolute path"}},
	{OK "control = \"unix:/run/a\"\n", 1, {"-e:2: control: \"unix:/run/a\" is no absolute"}},
	{OK "control = /run/a\ncontrol-group = \"no such\"\n",
	 1,
	 {"-e:3: control-group: there is no group \"no such\""}},

	/* what no handler of the port could serve */
	{"port x {\n listen = {\"127.0.0.1:1\", \"udp:127.0.0.1:1\"}\n exec { command = {\"/bin/cat\"} } "
	 "}\n",
	 1,
	 {"-e:2: listen: \"udp:127.0.0.1:1\" is for datagrams, but the port's handler serves "
	  "datagrams only with `wait = true`"}},
	{"port x {\n listen = {\"unix-dgram:/run/a\"}\n echo {}\n"
	 " route {\n source = {\"10.0.0.1\"} exec { command = {\"/bin/cat\"} } } }\n",
	 1,
	 {"-e:2: listen: \"unix-dgram:/run/a\" is for datagrams, but the handler of the route in "
	  "line 4 serves datagrams only with `wait = true`, and not in a route"}},

	/* not built yet */
	{OK "workers = many\n",
	 1,
	 {"-e:2: workers: \"many\" is neither a number from 1 to 256 nor \"auto\""}},
	{OK "workers = 0\n", 1, {"-e:2: workers: \"0\" is neither a number from 1 to 256 nor"}},
	{"port x {\n http {\n root = \"a\"\n }\n}\n", 1, {"-e:2: http: not supported yet"}},
	{"port x { echo {}\n tls { certificate = \"a\" }\n route { sni = {\"a\"}\n http { } } }\n",
	 2,
	 {"-e:2: tls: not supported yet", "-e:4: http: not supported yet"}},

	/* routes */
	{"port x { echo {}\n route {\n sni = {\"*.*\"}\n source = {\"10.0.0.1/8\"}\n reject {} } }\n",
	 2,
	 {"-e:3: sni: \"*.*\"", "-e:4: source: \"10.0.0.1/8\""}},
	{"port x { echo {}\n route {\n protocol = {\"shh\"} reject {} } }\n",
	 1,
	 {"-e:3: protocol: \"shh\": unknown protocol; did you mean \"ssh\"?"}},
	{"port x { echo {}\n route {\n snj = {\"a\"} reject {} } }\n",
	 1,
	 {"-e:3: unknown option \"snj\"; did you mean \"sni\"?"}},
	{"port x { echo {}\n route { sni = {\"a\"} } }\n", 1, {"-e:2: this route has no handler"}},
	{"port x { echo {}\n route { sni = {\"a\"} reject {}\n echo {} } }\n",
	 1,
	 {"-e:3: this route has a handler already, reject in line 2"}},
	{"port x { route { sni = {\"a\"} reject {} } }\n", 1, {"-e:1: port \"x\" has no handler"}},
	{"port x { listen = {\"udp:127.0.0.1:1\"} echo {}\n route { sni = {\"a\"} reject {} } }\n",
	 1,
	 {"-e:2: no client can fulfil sni here"}},
	{"port x { echo {}\n route { sni = {\"a\"} protocol = {wireguard} reject {} } }\n",
	 1,
	 {"-e:2: no client can fulfil"}},
	{"port x { listen = {\"127.0.0.1:1\", \"udp:127.0.0.1:1\"} echo {}\n"
	 " route { peer-uid = {0} reject {} }\n route { peer-gid = {0} reject {} } }\n",
	 2,
	 {"-e:2: no client can fulfil peer-uid here: it is for UNIX", "-e:3: no client can fulfil "
								      "peer-gid"}},
	{"port x { echo {}\n allow = {\"10.0.0.0/33\"}\n accept-proxy = {\"x\"}\n"
	 " sniff-timeout = 3\n max-connections = -1\n}\n",
	 4,
	 {"-e:2: allow", "-e:3: accept-proxy", "-e:4: sniff-timeout", "-e:5: max-connections"}},

	/* a port that its handler has whole */
	{"port x { allow = {\"10.0.0.0/8\"}\n idle-timeout = 1s\n route { sni = {a} reject {} }\n"
	 " exec { command = {\"/bin/cat\"} wait = true } }\n",
	 3,
	 {"-e:1: allow: adoptd sees no client here", "-e:2: idle-timeout: adoptd sees",
	  "-e:3: this route gets no client"}},
	{"port x { echo {}\n route { sni = {a}\n exec { command = {\"/bin/cat\"} wait = true } } }\n",
	 1,
	 {"-e:2: a route has no socket of its own"}},

	/* all of it in one run */
	{"lg-level = info\nlog-level = inof\nport a {\n}\nport a:b {\n optional = 7\n}\n",
	 6,
	 {"-e:1: unknown", "-e:2: log-level", "-e:3: port \"a\" has no", "-e:5: a port's name",
	  "-e:5: port \"a:b\" has no", "-e:6: optional"}},
};

START_TEST(fault)
{
	struct config *untouched = config;
	int result = read_text(wrong[_i].text);

	ck_assert_msg(result == -EINVAL, "accepted: %s", wrong[_i].text);
	ck_assert_ptr_eq(config, untouched);
	for (size_t i = 0; i < 6 && wrong[_i].expected[i]; i++)
		ck_assert_msg(strstr(said, wrong[_i].expected[i]), "of\n%ssaid:\n%s",
			      wrong[_i].text, said);
	ck_assert_msg(faults_count(faults, FAULT_ERROR) == wrong[_i].count, "of\n%ssaid:\n%s",
		      wrong[_i].text, said);
}
END_TEST

START_TEST(control_socket)
{
	ck_assert_int_eq(read_text(OK "control = /run/a\n"), 0);
	ck_assert_str_eq(config->control, "/run/a");
	ck_assert(config->control_group == (gid_t)-1);
	config_free(&config);
	ck_assert_int_eq(read_text(OK "control = /run/a control-group = 17\n"), 0);
	ck_assert_uint_eq(config->control_group, 17);
	config_free(&config);
	ck_assert_int_eq(read_text(OK), 0);
	ck_assert_ptr_null(config->control);
}
END_TEST

START_TEST(control_socket_of_too_long_a_path)
{
	char text[256];

	snprintf(text, sizeof text, OK "control = /%0150d\n", 0);
	ck_assert_int_eq(read_text(text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "that a UNIX socket can have: it is too long\n"));
}
END_TEST

/* Handlers' settings know where they stand. */
START_TEST(place_of_settings)
{
	ck_assert_int_eq(read_text("port a { echo {} }\nport b { echo {}\n"
				   " route { local = 127.0.0.1 discard {} }\n"
				   " route { local = 127.0.0.2 discard {} } }\n"),
			 0);
	ck_assert_str_eq(config->ports[0].settings->port_name, "a");
	ck_assert_uint_eq(config->ports[1].settings->route, 0);
	ck_assert_str_eq(config->ports[1].routes[1].settings->port_name, "b");
	ck_assert_uint_eq(config->ports[1].routes[1].settings->route, 2);
}
END_TEST

START_TEST(port_block_not_supported_yet)
{
	ck_assert_int_eq(read_text("port x {\n echo {}\n tls { x { } y = 1 }\n}\n"), -EINVAL);
	ck_assert_str_eq(said, "-e:3: tls: not supported yet\n");
}
END_TEST

START_TEST(route_that_is_never_reached)
{
	ck_assert_int_eq(read_text("port x { echo {}\n route { sni = {a, b} reject {} }\n"
				   " route { sni = {b} source = {\"192.0.2.1\"} reject {} }\n"
				   " route { reject {} }\n route { host = {c} reject {} } }\n"),
			 0);
	ck_assert_str_eq(said,
			 "-e:3: warning: this route is never reached: the one in line 2 takes "
			 "all that it could\n"
			 "-e:5: warning: this route is never reached: the one in line 4 takes "
			 "all that it could\n");
}
END_TEST

/* Each is the second route; the first takes all that it could, or does not. */
static const struct {
	const char *first, *second;
	bool reached;
} pairs[] = {
	{"sni = {\"*.example.org\"}", "sni = {\"git.example.org\", \"*.b.EXAMPLE.org\"}", false},
	{"sni = {\"*.example.org\"}", "sni = {\"git.example.org\", \"example.org\"}", true},
	{"sni = {\"git.example.org\"}", "sni = {\"*.example.org\"}", true},
	{"host = {\"a.org\"}", "host = {\"A.org.\"}", false},
	{"host = {\"a.org\"}", "sni = {\"a.org\"}", true},
	{"source = {\"10.0.0.0/8\"}", "source = {\"10.1.0.0/16\"}", false},
	{"source = {\"10.1.0.0/16\"}", "source = {\"10.0.0.0/8\"}", true},
	{"source = {\"10.0.0.0/9\"}", "source = {\"10.128.0.0/16\"}", true},
	{"source = {\"::/0\"}", "source = {\"10.0.0.0/8\"}", true},
	{"source = {\"unix\"}", "source = {\"unix\"} peer-uid = {0}", false},
	{"local = {\"192.0.2.0/24\"}", "local = {\"192.0.2.1:80\"}", false},
	{"local = {\"192.0.2.1\"}", "local = {\"192.0.2.1/32\"}", false},
	{"local = {\"192.0.2.1:80\"}", "local = {\"192.0.2.1\"}", true},
	{"local = {\"192.0.2.1:80\"}", "local = {\"192.0.2.1:81\"}", true},
	{"starts-with = {GET, SSH-}", "starts-with = {\"SSH-2.0\"}", false},
	{"starts-with = {\"SSH-2.0\"}", "starts-with = {SSH-}", true},
	{"starts-with = {a}", "starts-with = {\"\\\\x61\"}", false},
	{"peer-uid = {root}", "peer-uid = {0}", false},
	{"peer-gid = {0}", "peer-gid = {1}", true},
	{"alpn = {h2}", "alpn = {h2}", false},
	{"alpn = {h2}", "alpn = {h3}", true},
	{"protocol = {ssh, tls}", "sni = {a}", false},
	{"protocol = {ssh, tls}", "alpn = {a} source = {\"10.0.0.0/8\"}", false},
	{"protocol = {tls} source = {\"10.0.0.0/8\"}", "alpn = {a}", true},
	{"protocol = {http}", "host = {a}", false},
	{"protocol = {http, http2}", "sni = {a}", true},
	{"sni = {a}", "protocol = {tls}", true},
};

START_TEST(route_behind_another)
{
	char text[512];

	snprintf(text, sizeof text,
		 "port x { echo {}\n route { %s reject {} }\n route { %s reject {} } }\n",
		 pairs[_i].first, pairs[_i].second);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_msg((strstr(said, "-e:3: warning: this route is never reached") == NULL) ==
			      pairs[_i].reached,
		      "of\n%ssaid:\n%s", text, said);
}
END_TEST

START_TEST(handler_not_supported_yet)
{
	for (size_t i = 0; handler_unsupported[i]; i++) {
		char text[128], expected[128];

		snprintf(text, sizeof text, "port x {\n\n %s { a = b }\n}\n",
			 handler_unsupported[i]);
		snprintf(expected, sizeof expected, "-e:3: %s: not supported yet\n",
			 handler_unsupported[i]);
		ck_assert_int_eq(read_text(text), -EINVAL);
		ck_assert_ptr_nonnull(strstr(said, expected));
	}
}
END_TEST

START_TEST(handler_options_are_judged)
{
	ck_assert_int_eq(read_text("port x { proxy {\n upstream = \"127.0.0.1:1\"\n"
				   " balance = source-hsh\n connect-timeout = 5\n} }"),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "-e:3: balance: unknown value \"source-hsh\"; did you "
					   "mean \"source-hash\"?\n"));
	ck_assert_ptr_nonnull(strstr(said, "-e:4: connect-timeout: \"5\" is no duration"));
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), 2);
}
END_TEST

/* Addresses that may be told to listen, or only look like one. */
static const char *const no_upstreams[] = {"127.0.0.1:0", "[::1]:0",      "name:0",
					   "127.0.0.1",   "256.0.0.1:80", "udp:127.0.0.1:53",
					   "srv:web.tcp", "unix:"};

START_TEST(what_is_no_upstream)
{
	char text[128];

	snprintf(text, sizeof text, "port x { proxy {\n upstream = {\"a:1\", \"%s\"} } }",
		 no_upstreams[_i]);
	ck_assert_int_eq(read_text(text), -EINVAL);
	snprintf(text, sizeof text, "-e:2: upstream: \"%s\" is no address", no_upstreams[_i]);
	ck_assert_ptr_nonnull(strstr(said, text));
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), 1);
}
END_TEST

START_TEST(deep_nesting)
{
	char *text = calloc(1, 200000);

	strcpy(text, "port x { echo {} }\nfrobnicate ");
	memset(text + strlen(text), '{', 100000);
	ck_assert_int_eq(read_text(text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "-e:2: blocks are nested deeper than 32\n"));
	free(text);
}
END_TEST

static const struct {
	const char *text;
	const char *warning;
} doubtful[] = {
	{"port x {\n listen = 127.0.0.1:1\n optional = true\n echo {} }",
	 "-e:3: warning: optional: has no effect"},
	{"port x {\n listen = {127.0.0.1:1,\n 127.0.0.1:1}\n echo {} }",
	 "-e:2: warning: listen: \"127.0.0.1:1\" is listed in port \"x\" already"},
	{"control-group = 0\nport x { echo {} }",
	 "-e:1: warning: control-group: has no effect without control"},
	{"log-level = notice\naccess-log = on port x { echo {} }",
	 "-e:2: warning: access-log: has no effect"},
	{"port x { listen = 127.0.0.1:1 echo {} }\nport y {\n listen = 127.0.0.1:1\n echo {} }",
	 "-e:3: warning: listen: \"127.0.0.1:1\" is listed in port \"x\" already"},
};

START_TEST(warning)
{
	ck_assert_int_eq(read_text(doubtful[_i].text), 0);
	ck_assert_ptr_eq(strstr(said, doubtful[_i].warning), said);
	ck_assert_uint_eq(faults_count(faults, FAULT_WARNING), 1);
}
END_TEST

/* ---- files ---- */

static void write_file(const char *name, const void *bytes, size_t length)
{
	FILE *stream = fopen(name, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* Names the files that tests write: all are removed again. */
static const char *const file_names[] = {"main.conf",    "conf.d/a.conf", "conf.d/b.conf",
					 "conf.d/c.txt", "[x]/main.conf", "[x]/a.conf"};

static void enter_directory(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	setup();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	ck_assert_int_eq(mkdir("[x]", 0700), 0);
}

static void leave_directory(void)
{
	teardown();
	for (size_t i = 0; i < sizeof file_names / sizeof file_names[0]; i++)
		unlink(file_names[i]);
	rmdir("conf.d");
	rmdir("[x]");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static int read_file(const char *name)
{
	int result = config_read(name, NULL, faults, &config);

	note_faults();
	return result;
}

START_TEST(includes_are_relative_and_sorted)
{
	char path[64];

	write_text("main.conf", "port first { echo {} }\ninclude(\"conf.d/*.conf\")\n"
				"port last { echo {} }\n");
	write_text("conf.d/b.conf", "\nport b {\n echo {} }\n");
	write_text("conf.d/a.conf", "include(\"c.txt\")\nport a { echo {} }\n");
	write_text("conf.d/c.txt", "port c { echo {} }\nlog-level = debug\n");
	snprintf(path, sizeof path, "%s/main.conf", directory);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_msg(read_file(path) == 0, "%s", said);
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_uint_eq(config->port_count, 5);
	ck_assert_str_eq(config->ports[0].name, "first");
	ck_assert_str_eq(config->ports[1].name, "c");
	ck_assert_str_eq(config->ports[2].name, "a");
	ck_assert_str_eq(config->ports[3].name, "b");
	ck_assert_int_eq(config->ports[3].line, 2);
	snprintf(path, sizeof path, "%s/conf.d/b.conf", directory);
	ck_assert_str_eq(config->ports[3].file, path);
	ck_assert_str_eq(config->ports[4].name, "last");
	ck_assert_int_eq(config->ports[4].line, 3);
	ck_assert_int_eq(config->log_level, LOG_LEVEL_DEBUG);
}
END_TEST

START_TEST(faults_name_the_included_file)
{
	write_text("main.conf", "log-level = info\nport a { echo {} }\n"
				"include(\"conf.d/a.conf\")\noops = 1\n");
	write_text("conf.d/a.conf", "log-level = info\nport a { echo {} }\nlog-format = xml\n"
				    "port b {\n optional = 3\n max-packet-size = 0 echo {} }\n");
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(
		said,
		"conf.d/a.conf:1: log-level is set twice, first in main.conf:1\n"
		"conf.d/a.conf:2: port \"a\" is there twice, first in main.conf:2\n"
		"conf.d/a.conf:3: log-format: unknown value \"xml\"; it is one of auto, journal, text, json\n"
		"conf.d/a.conf:5: optional: \"3\" is neither true nor false\n"
		"conf.d/a.conf:6: max-packet-size: 0 is out of range; it is from 1 to 65535\n"
		"main.conf:4: unknown option \"oops\"\n");
}
END_TEST

START_TEST(no_match_of_a_wildcard_is_none)
{
	ck_assert_int_eq(read_text("include(\"conf.d/*.conf\")\ninclude('none/*')\n" OK), 0);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(missing_include)
{
	write_text("main.conf", OK "include(\"conf.d/a.conf\")\n");
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(said, "main.conf:2: conf.d/a.conf cannot be read: No such file or "
			       "directory\n");
}
END_TEST

START_TEST(wildcards_of_the_directory_mean_themselves)
{
	write_text("[x]/main.conf", "include(\"*a.conf\")\n");
	write_text("[x]/a.conf", OK);
	ck_assert_msg(read_file("[x]/main.conf") == 0, "%s", said);
	ck_assert_str_eq(config->ports[0].file, "[x]/a.conf");
}
END_TEST

START_TEST(include_circle)
{
	write_text("main.conf", OK "include(\"conf.d/a.conf\")\n");
	write_text("conf.d/a.conf", "\n\ninclude(\"../main.conf\")\n");
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(said, "conf.d/a.conf:3: conf.d/../main.conf includes itself this way\n");
}
END_TEST

START_TEST(includes_ten_deep)
{
	char name[8], text[64];

	for (int i = 0; i <= 11; i++) {
		snprintf(name, sizeof name, "%d", i);
		snprintf(text, sizeof text, "include(\"%d\")\n", i + 1);
		write_text(name, i < 11 ? text : OK);
	}
	ck_assert_int_eq(read_file("0"), -EINVAL);
	ck_assert_str_eq(said, "10:1: 11 is not included: more than 10 files deep\n");
	ck_assert_msg(config_read("1", NULL, faults, &config) == 0, "ten must do");
	for (int i = 0; i <= 11; i++) {
		snprintf(name, sizeof name, "%d", i);
		unlink(name);
	}
}
END_TEST

START_TEST(syntax_fault_inside_an_include)
{
	write_text("main.conf", "include(\"conf.d/a.conf\")\noops = 1\n");
	write_text("conf.d/a.conf", "port x {\n");
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(said, "conf.d/a.conf:1: port is never closed: its } is missing\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
	ck_assert_int_eq(read_file("none.conf"), -EINVAL);
	ck_assert_int_eq(read_file("conf.d"), -EINVAL);
	ck_assert_str_eq(said, "none.conf: cannot be read: No such file or directory\n"
			       "conf.d: cannot be read: Is a directory\n");
}
END_TEST

START_TEST(a_file_that_is_too_long)
{
	size_t length = ((size_t)1 << 20) + 1;
	char *text = malloc(length);

	memset(text, '\n', length);
	memcpy(text, OK, strlen(OK));
	write_file("main.conf", text, length - 1);
	ck_assert_int_eq(read_file("main.conf"), 0);
	config_free(&config);
	write_file("main.conf", text, length);
	free(text);
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(said, "main.conf: cannot be read: File too large\n");
}
END_TEST

START_TEST(nul_bytes)
{
	static const char bare[] = OK "\0oops", quoted[] = OK "\nlog-level = \"a\0\"",
			  comment[] = "# \0\n" OK;

	write_file("main.conf", bare, sizeof bare - 1);
	ck_assert_int_eq(read_file("main.conf"), -EINVAL);
	ck_assert_str_eq(said, "main.conf:2: the byte 0x00 cannot stand here\n");
	write_file("conf.d/a.conf", quoted, sizeof quoted - 1);
	ck_assert_int_eq(read_file("conf.d/a.conf"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "a.conf:3: a string cannot hold the byte NUL\n"));
	write_file("conf.d/b.conf", comment, sizeof comment - 1);
	ck_assert_int_eq(read_file("conf.d/b.conf"), 0);
}
END_TEST

/* ---- the dump ---- */

START_TEST(dump_fills_defaults_in)
{
	char *text;

	ck_assert_int_eq(read_text("port a { echo {} }"), 0);
	text = dump();
	ck_assert_str_eq(text, "workers = \"1\"\n"
			       "idle-exit = \"0\"\n"
			       "drain-timeout = \"30s\"\n"
			       "max-connections = \"0\"\n"
			       "log-level = \"info\"\n"
			       "log-format = \"auto\"\n"
			       "access-log = false\n"
			       "sandbox = \"yes\"\n"
			       "\n"
			       "port \"a\" {\n"
			       "    listen = {}\n"
			       "    optional = false\n"
			       "    max-packet-size = \"8192\"\n"
			       "    allow = {}\n"
			       "    deny = {}\n"
			       "    max-connections = \"0\"\n"
			       "    max-connections-per-source = \"0\"\n"
			       "    rate-per-source = \"0\"\n"
			       "    accept-proxy = {}\n"
			       "    sniff-timeout = \"3s\"\n"
			       "    idle-timeout = \"0\"\n"
			       "    keepalive = \"0\"\n"
			       "    echo {\n"
			       "    }\n"
			       "}\n");
	free(text);
}
END_TEST

static const char *const dumped[] = {
	OK,
	"log-level = debug access-log = true port a { listen = {127.0.0.1:1, 127.0.0.1:2} echo {} }",
	"port a { echo {} } port b { proxy { upstream = {127.0.0.1:3} connect-timeout = 250ms } }",
	"port 'q\"\\\\${x}$' { optional = on echo {} } port '*' { discard {} }",
	"port \"\\xe4\\xff{}//\" { echo {} }",
	"port a { sniff-timeout = 1s route { sni = {x} starts-with = {\"\\\\x16\"} echo {} } echo {} }",
	"port a { deny = {\"10.0.0.0/8\"} route { reject {} } proxy { upstream = {127.0.0.1:3} } }",
	"port a { proxy { upstream = {\"unix:/a\\n\\t\\0011${ADOPTD_TEST:-}\\x7f b\"} } }",
	"port a { exec { command = {\"/bin/cat\", \"-u\"} environment = {\"A=b c\"} timeout = 1m } }",
	"port a { exec { command = {\"/bin/cat\"} wait = true } }",
};

START_TEST(dump_read_again_is_the_same)
{
	char *first, *second;

	ck_assert_msg(read_text(dumped[_i]) == 0, "%s", said);
	first = dump();
	config_free(&config);
	ck_assert_msg(read_text(first) == 0, "%s", said);
	second = dump();
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *texts = tcase_create("text"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(texts, setup, teardown);
	tcase_add_test(texts, everything_given);
	tcase_add_test(texts, defaults);
	tcase_add_loop_test(texts, string, 0, COUNT(strings));
	tcase_add_test(texts, environment);
	tcase_add_test(texts, lists);
	tcase_add_loop_test(texts, fault, 0, COUNT(wrong));
	tcase_add_test(texts, control_socket);
	tcase_add_test(texts, control_socket_of_too_long_a_path);
	tcase_add_test(texts, place_of_settings);
	tcase_add_test(texts, port_block_not_supported_yet);
	tcase_add_test(texts, handler_not_supported_yet);
	tcase_add_test(texts, route_that_is_never_reached);
	tcase_add_loop_test(texts, route_behind_another, 0, COUNT(pairs));
	tcase_add_test(texts, handler_options_are_judged);
	tcase_add_loop_test(texts, what_is_no_upstream, 0,
			    sizeof no_upstreams / sizeof no_upstreams[0]);
	tcase_add_test(texts, deep_nesting);
	tcase_add_loop_test(texts, warning, 0, COUNT(doubtful));
	tcase_add_test(texts, dump_fills_defaults_in);
	tcase_add_loop_test(texts, dump_read_again_is_the_same, 0, COUNT(dumped));
	suite_add_tcase(suite, texts);
	tcase_add_checked_fixture(files, enter_directory, leave_directory);
	tcase_add_test(files, includes_are_relative_and_sorted);
	tcase_add_test(files, faults_name_the_included_file);
	tcase_add_test(files, no_match_of_a_wildcard_is_none);
	tcase_add_test(files, missing_include);
	tcase_add_test(files, wildcards_of_the_directory_mean_themselves);
	tcase_add_test(files, include_circle);
	tcase_add_test(files, includes_ten_deep);
	tcase_add_test(files, syntax_fault_inside_an_include);
	tcase_add_test(files, a_file_that_cannot_be_read);
	tcase_add_test(files, a_file_that_is_too_long);
	tcase_add_test(files, nul_bytes);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
