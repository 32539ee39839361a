/* Entries of xinetd.conf, and what becomes of them. */
#include "import_fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An entry that would do as it is, and room for more. */
#define SERVICE(name, more)                                                                        \
	"service " name "\n{\n	socket_type = stream\n	wait = no\n	user = root\n"                   \
	"	server = /t\n" more "}\n"
#define TELNET(more) SERVICE("telnet", more)
#define INTERNAL(name, more)                                                                       \
	"service " name "\n{\n	type = INTERNAL\n	socket_type = stream\n	wait = no\n" more  \
	"}\n"
#define DEFAULTS(more) "defaults\n{\n" more "}\n"

static const struct {
	const char *text;
	const char *expected[3]; /* parts of what is printed */
} entries[] = {
	{TELNET(""),
	 {"port \"telnet\" {\n	optional = true\n	exec {\n		command = {\"/t\"}\n"
	  "		user = \"root\"\n	}\n}\n",
	  "=telnet\nListenStream=23\nBindIPv6Only=both\n\n",
	  "Service=adoptd-imported-programs.service\n"}},
	{INTERNAL("echo", ""), {"	echo {}\n", "Service=adoptd-imported.service\n"}},
	{"service time\n{\n	type = INTERNAL\n	protocol = udp\n	wait = yes\n}\n",
	 {"	time {}\n", "ListenDatagram=37\nBindIPv6Only=both\n"}},
	{TELNET("	server_args = -h \"a b\"\n"), {"{\"/t\", \"-h\", \"\\\"a\", \"b\\\"\"}"}},
	{TELNET("	server_args	=-h\n"), {"{\"/t\", \"-h\"}"}},
	{TELNET("	flags = NAMEINARGS\n	server_args = t -h\n"), {"{\"/t\", \"-h\"}"}},
	{"service telnet\n{\n	flags = NAMEINARGS\n	socket_type = stream\n	wait = no\n"
	 "	user = root\n	server = /usr/sbin/tcpd\n	server_args = in.telnetd -h\n}\n",
	 {"{\"/usr/sbin/in.telnetd\", \"-h\"}"}},
	{"service tftp\n{\n	socket_type = dgram\n	wait = yes\n	user = nobody\n"
	 "	group = tty\n	server = /t\n}\n",
	 {"ListenDatagram=69\n", "		wait = true\n",
	  "		user = \"nobody\"\n		group = \"tty\"\n"}},
	{"service telnet\n{\n	socket_type = stream\n	wait = no\n	user = 7\n	server = /t\n}\n",
	 {"		user = \"7\"\n		group = \"7\"\n"}},
	{SERVICE("x", "	type = UNLISTED\n	port = 8023\n	protocol = tcp\n"),
	 {"port \"x\" {", "=x\nListenStream=8023\n"}},
	{TELNET("	bind = 127.0.0.1\n"), {"ListenStream=127.0.0.1:23\nFreeBind=yes\n"}},
	{TELNET("	interface = ::1\n"), {"ListenStream=[::1]:23\n"}},
	{TELNET("	bind = here\n"),
	 {"=telnet\nListenStream=[2001:db8::1]:23\nBindIPv6Only=ipv6-only\nFreeBind"}},
	{TELNET("	bind = six\n"), {"=telnet\nListenStream=[2001:db8::6]:23\n"}},
	{TELNET("	bind = here\n	flags = IPv6\n"),
	 {"=telnet\nListenStream=[2001:db8::1]:23\n"}},
	{TELNET("	flags = IPv6\n"), {"=telnet\nListenStream=23\nBindIPv6Only=both\n"}},
	{TELNET("	flags = IPv6\n	v6only = yes\n"),
	 {"=telnet\nListenStream=[::]:23\nBindIPv6Only=ipv6-only\n"}},
	{TELNET("	flags = REUSE KEEPALIVE NODELAY IPv4\n"), {"KeepAlive=yes\nNoDelay=yes\n"}},
	{TELNET("	instances = 5\n	per_source = 2\n"),
	 {"max-connections-per-source = 2\n	exec", "max-processes = 5\n"}},
	{TELNET("	instances = UNLIMITED\n"), {"max-processes = 100000\n"}},
	{INTERNAL("echo", "	instances = UNLIMITED\n	per_source = UNLIMITED\n"),
	 {"	optional = true\n	echo {}"}},
	{INTERNAL("echo", "	instances = 5\n	per_source = 2\n"),
	 {"	max-connections = 5\n	max-connections-per-source = 2\n	echo"}},
	{SERVICE("telnet", "	redirect = 192.0.2.9 8023\n	instances = 5\n"),
	 {"	max-connections = 5\n	proxy {\n		upstream = {\"192.0.2.9:8023\"}\n	}\n",
	  "Service=adoptd-imported.service\n"}},
	{TELNET("	redirect = inside.example.org ftp\n"),
	 {"upstream = {\"inside.example.org:21\"}"}},
	{TELNET("	redirect = 2001:db8::9 23\n"), {"upstream = {\"[2001:db8::9]:23\"}"}},
	{TELNET("	only_from = 192.0.2.0 2001:db8::/32 10.1.{2,3}\n"),
	 {"	allow = {\"192.0.2.0/24\", \"2001:db8::/32\", \"10.1.2.0/24\", \"10.1.3.0/24\"}\n"}},
	{TELNET("	no_access = 192.0.2.7\n"), {"	deny = {\"192.0.2.7\"}\n"}},
	{TELNET("	only_from =\n"), {"	deny = {\"0.0.0.0/0\", \"::/0\"}\n	exec"}},
	{TELNET("	only_from = client.example.org\n"),
	 {"	deny = {\"0.0.0.0/0\", \"::/0\"}\n"}},
	{DEFAULTS("	only_from = 10.0.0.0\n	only_from = 192.0.2.1\n") TELNET(""),
	 {"	allow = {\"10.0.0.0/8\", \"192.0.2.1\"}\n"}},
	{DEFAULTS("	only_from = 10.0.0.0\n") TELNET("	only_from += 192.0.2.1\n"),
	 {"	allow = {\"10.0.0.0/8\", \"192.0.2.1\"}\n"}},
	{DEFAULTS("	only_from = 10.0.0.0\n") TELNET("	only_from = 192.0.2.1\n"),
	 {"	allow = {\"192.0.2.1\"}\n"}},
	{DEFAULTS("	only_from = 10.0.0.0 192.0.2.1\n") TELNET("	only_from -= 10.0.0.0/8\n"),
	 {"	allow = {\"192.0.2.1\"}\n"}},
	{TELNET("	only_from = 10.0.0.0/32 10.0.0.0\n"),
	 {"	allow = {\"10.0.0.0/32\", \"10.0.0.0/8\"}\n"}},
	{"service tftp\n{\n	socket_type = dgram\n	wait = yes\n	user = root\n	server = /t\n"
	 "	only_from = 192.0.2.0 ::1\n}\n",
	 {"optional = true\n	exec {",
	  "IPAddressDeny=any\nIPAddressAllow=192.0.2.0/24\nIPAddressAllow=::1\n"}},
	{"service tftp\n{\n	socket_type = dgram\n	wait = yes\n	user = root\n	server = /t\n"
	 "	no_access = 192.0.2.0\n}\n",
	 {"optional = true\n	exec {", "both\nIPAddressDeny=192.0.2.0/24\n"}},
	{TELNET("	env = A=1 B=${x}\n	env += A=2\n"),
	 {"		environment = {\"A=2\", \"B=\\${x}\"}\n"}},
	{TELNET("	env = A=1\n	env = B=2\n"), {"environment = {\"B=2\"}\n"}},
	{TELNET("	passenv = LANG A\n	env = A=1\n"),
	 {"		environment = {\"A=1\", \"LANG=${LANG:-}\"}\n"}},
	{DEFAULTS("	passenv = LANG TZ\n") TELNET("	passenv -= LANG\n"),
	 {"		environment = {\"TZ=${TZ:-}\"}\n"}},
	{TELNET("	nice = 10\n	umask = 27\n"), {"1min\nNice=10\nUMask=0027\n"}},
	{TELNET("	nice = -5\n"), {"Nice=-5\n"}},
	{INTERNAL("echo", "	umask = 027\n"), {"WatchdogSec=1min\n# A proxied"}},
	{TELNET("	rlimit_as = 8M\n	rlimit_cpu = 20\n	rlimit_data = 9k\n"
		"	rlimit_files = 30\n	rlimit_rss = UNLIMITED\n	rlimit_stack = 1\n"),
	 {"{\"/usr/bin/prlimit\", \"--as=8388608\", \"--cpu=20\", \"--data=9216\", "
	  "\"--nofile=30\", \"--rss=unlimited\", \"--stack=1\", \"/t\"}"}},
	{TELNET("	log_on_success = HOST\n"), {"\naccess-log = true\n"}},
	{TELNET("	log_type = SYSLOG local4 info\n"), {"SyslogFacility=local4\n"}},
	{TELNET("	log_type = SYSLOG daemon\n"), {"WatchdogSec=1min\n# When adoptd"}},
	{TELNET("	disable = yes\n") SERVICE("ftp", "	disable = no\n"),
	 {"# Disabled there, and not imported: telnet\n\n# As in conf:9\nport \"ftp\""}},
	{DEFAULTS("	disabled = telnet\n") TELNET("") SERVICE("ftp", ""),
	 {"# Disabled there, and not imported: telnet\n\n# As in conf:12\nport \"ftp\""}},
	{DEFAULTS("	enabled = file transfer\n") TELNET("") SERVICE("ftp", "	id = file\n"),
	 {"# Disabled there, and not imported: telnet\n\n# As in conf:12\nport \"ftp\""}},
	{INTERNAL(
		 "echo",
		 "	id = echo-stream\n") "service echo\n{\n	type = INTERNAL\n	id = echo-dgram\n	socket_type = dgram\n"
					     "	wait = yes\n}\n",
	 {"# As in conf:1 conf:8\nport \"echo\"", "=echo\nListenStream=7\nListenDatagram=7\n"}},
	{TELNET("	bind = 127.0.0.1\n")
		 TELNET("	id = other\n	bind = 127.0.0.2\n	nice = 1\n"),
	 {"port \"telnet\"", "port \"other\"", "adoptd-import-other.service\n[Unit]"}},
};

START_TEST(entry)
{
	import_text(KIND_XINETD, entries[_i].text);
	for (size_t i = 0; i < 3 && entries[_i].expected[i]; i++)
		assert_imported(entries[_i].expected[i]);
}
END_TEST

/* Nothing is said of what is kept. */
START_TEST(nothing_to_say)
{
	import_text(
		KIND_XINETD,
		"# a comment\n"
		"defaults\n{\n	# and another\n\n	instances = 60\n	disabled = x\n}\n"
		"service telnet\n{\n	flags = REUSE NOLIBWRAP KEEPALIVE NODELAY IPv4\n"
		"	socket_type = stream\n	protocol = tcp\n	wait = no\n	user = root\n"
		"	group = tty\n	groups = yes\n	server = /t\n	server_args = -h\n"
		"	log_on_success += HOST DURATION PID EXIT\n	only_from = localhost\n"
		"	nice = 3\n	umask = 022\n	env = A=b\n	rlimit_as = 8M\n	port = 23\n"
		"	disable = no\n	id = t\n	bind = 127.0.0.1\n	per_source = 3\n}\n");
	ck_assert_str_eq(said, "");
	assert_imported("	allow = {\"127.0.0.1\", \"::1\"}\n");
}
END_TEST

static const struct {
	const char *text;
	const char *expected;
	bool kept; /* the service is imported all the same */
} remarks[] = {
	{TELNET(""), "conf:1: warning: libwrap: hosts.allow and hosts.deny are not asked", true},
	{TELNET("	access_times = 2:00-9:00\n"), "conf:7: warning: access_times: timer", true},
	{TELNET("	banner = /b\n"), "conf:7: warning: banner: nothing is sent", true},
	{TELNET("	banner_fail = /b\n"), "conf:7: warning: banner_fail: ", true},
	{TELNET("	banner_success = /b\n"), "conf:7: warning: banner_success: ", true},
	{TELNET("	cps = 25 30\n"), "conf:7: warning: cps: rate-per-source limits", true},
	{TELNET("	max_load = 2.5\n"), "conf:7: warning: max_load: ", true},
	{TELNET("	mdns = yes\n"), "conf:7: warning: mdns: ", true},
	{TELNET("	libwrap = x\n"), "conf:7: warning: libwrap: ", true},
	{TELNET("	deny_time = 60\n"), "conf:7: warning: deny_time: ", true},
	{TELNET("	groups = no\n"), "conf:7: warning: groups no: a program always", true},
	{TELNET("	flags = IDONLY\n"), "conf:7: warning: flags IDONLY: no client", true},
	{TELNET("	flags = NORETRY\n"), "conf:7: warning: flags NORETRY: ", true},
	{TELNET("	flags = LABELED\n"), "conf:7: warning: flags LABELED: ", true},
	{TELNET("	log_type = FILE /l\n"), "conf:7: warning: log_type FILE: ", true},
	{TELNET("	log_type = SYSLOG x\n"), "conf:7: warning: log_type x: is no facility",
	 true},
	{TELNET("	log_on_failure = HOST USERID\n"),
	 "conf:7: warning: log_on_failure USERID: ", true},
	{TELNET("	only_from = a.example.org .b.net\n"),
	 "conf:7: warning: only_from .b.net: ", true},
	{TELNET("	no_access = a.example.org\n"),
	 "conf:7: warning: no_access a.example.org: ", true},
	{TELNET("	env = 1=2\n"), "conf:7: warning: the variable \"1\" is no name", true},
	{TELNET("	env = PROTO=2\n"),
	 "conf:7: warning: the variable \"PROTO\" is set by adoptd", true},
	{TELNET("	foo = bar\n"), "conf:7: warning: foo: unknown; xinetd ignores", true},
	{TELNET("	nise = 3\n"), "conf:7: warning: nise: unknown; did you mean nice?", true},
	{TELNET("	nice += 3\n"), "conf:7: warning: nice: takes no += and -=; xinetd", true},
	{TELNET("	user = nobody\n"), "conf:7: warning: user: is set already; xinetd", true},
	{TELNET("	disable = yes # not\n"), "conf:7: warning: disable: takes one value", true},
	{TELNET("	cps = 3\n"), "conf:7: warning: cps: takes two values", true},
	{TELNET("	disabled = x\n"), "conf:7: warning: disabled: belongs into the defaults",
	 true},
	{DEFAULTS("	nice = 3\n") TELNET(""), "conf:3: warning: nice: has no default", true},
	{DEFAULTS("	cps = 25 30\n") TELNET(""), "conf:3: warning: cps: rate-per-source", true},
	{"service telnet\n{\n	type = UNLISTED\n	port = 23\n	socket_type = dgram\n	wait = no\n"
	 "	user = root\n	server = /t\n}\n",
	 "conf:6: warning: wait no: a program gets a datagram socket", true},
	{"service tftp\n{\n	socket_type = dgram\n	wait = yes\n	user = root\n	server = /t\n"
	 "	only_from = 10.0.0.0\n	no_access = 10.1.0.0\n}\n",
	 "conf:8: warning: no_access: cannot be kept beside only_from", true},
	{TELNET("	type = RPC\n"), "conf:7: warning: type RPC: nothing is registered", false},
	{TELNET("	type = TCPMUX UNLISTED\n"), "conf:7: warning: type TCPMUX: ", false},
	{TELNET("	type = TCPMUXPLUS\n"), "conf:7: warning: type TCPMUXPLUS: ", false},
	{TELNET("	type = SPECIAL\n"), "conf:7: warning: type SPECIAL: ", false},
	{TELNET("	flags = SENSOR\n"), "conf:7: warning: flags SENSOR: there are no", false},
	{INTERNAL("ftp", ""), "conf:3: warning: type INTERNAL: adoptd has no internal", false},
	{TELNET("	protocol = sctp\n"), "conf:7: warning: protocol sctp: only tcp and udp",
	 false},
	{TELNET("	protocol = udp\n"), "conf:7: protocol: does not fit", false},
	{TELNET("	port = 0\n"), "conf:7: port: is no port", false},
	{SERVICE("x", ""), "conf:1: port: is neither given nor in services(5)", false},
	{TELNET("	bind = nowhere\n"), "conf:7: bind: has no address of this family", false},
	{TELNET("	bind = six\n	flags = IPv4\n"), "conf:7: bind: has no address", false},
	{TELNET("	bind = four\n	flags = IPv6\n"), "conf:7: bind: has no address", false},
	{TELNET("	flags = FAST\n"), "conf:7: flags: one of them is unknown", false},
	{TELNET("	instances = 0\n"), "conf:7: instances: 0 lets nobody in", false},
	{TELNET("	instances = many\n"), "conf:7: instances: is a number", false},
	{TELNET("	per_source = -1\n"), "conf:7: per_source: is a number", false},
	{TELNET("	nice = 20\n"), "conf:7: nice: is a number from -20 to 19", false},
	{TELNET("	umask = 8\n"), "conf:7: umask: is an octal number", false},
	{TELNET("	umask = 1000\n"), "conf:7: umask: is an octal number", false},
	{TELNET("	rlimit_cpu = 8M\n"), "conf:7: rlimit_cpu: is no limit", false},
	{TELNET("	rlimit_as = 99999999999999M\n"), "conf:7: rlimit_as: is no limit", false},
	{TELNET("	env = A\n"), "conf:7: env: is a list of NAME=VALUE", false},
	{TELNET("	group = alice\n"), "conf:5: there is no group \"alice\"", false},
	{TELNET("	redirect = a_b%c 23\n"), "conf:7: redirect: its host is no host", false},
	{TELNET("	redirect = unix 23\n"), "conf:7: redirect: its host is no host", false},
	{TELNET("	redirect = 192.0.2.1 x\n"), "conf:7: redirect: its port is not known",
	 false},
	{"service telnet\n{\n	socket_type = stream\n	wait = yes\n	redirect = 192.0.2.1 23\n}\n",
	 "conf:5: redirect: is for streams, without wait", false},
	{"service telnet\n{\n	wait = no\n}\n", "conf:1: socket_type: is missing", false},
	{"service telnet\n{\n	socket_type = flow\n}\n", "conf:3: socket_type: is no type", false},
	{"service telnet\n{\n	socket_type = raw\n}\n",
	 "conf:3: warning: socket_type raw: ", false},
	{"service telnet\n{\n	socket_type = stream\n}\n", "conf:1: wait: is missing", false},
	{"service telnet\n{\n	socket_type = stream\n	wait = 1\n}\n",
	 "conf:4: wait: is yes or no", false},
	{"service telnet\n{\n	socket_type = stream\n	wait = no\n	user = root\n}\n",
	 "conf:1: server: is missing", false},
	{"service telnet\n{\n	socket_type = stream\n	wait = no\n	server = /t\n}\n",
	 "conf:1: user: is missing", false},
	{TELNET("	flags = NAMEINARGS\n"), "conf:1: server_args: is missing", false},
	{"service telnet {\n	socket_type = stream\n}\n", "conf:2: a { is missing", false},
	{"service telnet\n{\n	socket_type=stream\n}\n", "conf:3: this is not NAME = VALUE",
	 false},
	{"service telnet\n{\n	socket_type\n}\n", "conf:3: this is not NAME = VALUE", false},
	{"service telnet\n{\n	socket_type = stream\n", "conf:3: the file ends within an entry",
	 false},
	{"service\n{\n}\n", "conf:1: the service has no name", false},
	{"telnet\n{\n}\n", "conf:1: an entry begins with service", false},
	{"include\n", "conf:1: the include has no path", false},
	{"include /nowhere/at/all\n", "conf:1: cannot read \"/nowhere/at/all\": No such file",
	 false},
	{"includedir /nowhere/at/all\n", "conf:1: cannot read \"/nowhere/at/all\": No such", false},
	{"defaults\n{\n}\ndefaults\n{\n}\n", "conf:4: these are the second defaults", false},
};

START_TEST(remark)
{
	import_text(KIND_XINETD, remarks[_i].text);
	assert_said(remarks[_i].expected);
	ck_assert_msg((strstr(imported, "port ") != NULL) == remarks[_i].kept, "%s", imported);
}
END_TEST

/* The kind's name is for those who need nothing special, whoever comes first. */
START_TEST(names_of_units)
{
	import_text(KIND_XINETD, TELNET("	nice = 3\n") SERVICE("ftp", ""));
	assert_imported("#### adoptd-import-telnet.service\n");
	assert_imported("#### adoptd-imported-programs.service\n");
	assert_imported("Service=adoptd-imported-programs.service\nFileDescriptorName=ftp\n");
	import_text(KIND_XINETD, TELNET("	nice = 3\n") INTERNAL("echo", "")
					 SERVICE("ftp", "	nice = 4\n")
						 SERVICE("daytime", "	nice = 3\n"));
	assert_imported("Service=adoptd-imported-programs.service\nFileDescriptorName=telnet\n");
	assert_imported("Service=adoptd-imported-programs.service\nFileDescriptorName=daytime\n");
	assert_imported("Service=adoptd-import-ftp.service\nFileDescriptorName=ftp\n");
	assert_imported("Service=adoptd-imported.service\nFileDescriptorName=echo\n");
}
END_TEST

START_TEST(told_once)
{
	const char *first;

	import_text(KIND_XINETD, DEFAULTS("	cps = 25 30\n	log_on_failure = USERID\n")
					 TELNET("") SERVICE("ftp", "") INTERNAL("echo", ""));
	first = strstr(said, "cps:");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "cps:"));
	first = strstr(said, "USERID:");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "USERID:"));
	first = strstr(said, "libwrap:");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "libwrap:"));
}
END_TEST

/* What of the defaults does not matter to one service may matter to another. */
START_TEST(told_when_it_matters)
{
	import_text(KIND_XINETD, DEFAULTS("	groups = no\n") INTERNAL("echo", "") TELNET(""));
	assert_said("conf:3: warning: groups no: ");
	import_text(KIND_XINETD, DEFAULTS("	groups = no\n") INTERNAL("echo", ""));
	ck_assert_ptr_null(strstr(said, "groups"));
}
END_TEST

/* An entry that is wrong does not cost the others. */
START_TEST(the_rest_is_imported)
{
	import_text(KIND_XINETD, "nonsense\n{\n	a = b\n}\n"
				 "service daytime\n{\n	a=b\n	c = d\n}\n" TELNET("")
					 SERVICE("ftp", "	nice = x\n") INTERNAL("echo", ""));
	assert_said("conf:1: an entry begins with");
	assert_said("conf:5: the service \"daytime\" is left out");
	assert_said("conf:7: this is not NAME = VALUE");
	assert_said("nice: is a number from -20 to 19; the service \"ftp\" is left out");
	assert_imported("port \"telnet\"");
	assert_imported("port \"echo\"");
	ck_assert_ptr_null(strstr(imported, "port \"ftp\""));
	ck_assert_ptr_null(strstr(imported, "port \"daytime\""));
}
END_TEST

/* --- what is included --- */

static char directory[] = "/tmp/adoptctl.XXXXXX";

static void enter(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void leave(void)
{
	static const char *const names[] = {"sub/.hidden", "sub/a", "sub/b", "sub/c~", "sub/d.conf",
					    "more",        "loop",  "nul",   NULL};

	for (size_t i = 0; names[i]; i++)
		unlink(names[i]);
	rmdir("sub/directory");
	rmdir("sub");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	import_teardown();
}

static void put(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	fwrite(text, 1, length, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

START_TEST(a_directory)
{
	ck_assert_int_eq(mkdir("sub", 0700), 0);
	ck_assert_int_eq(mkdir("sub/directory", 0700), 0);
	put_text("sub/b", SERVICE("ftp", ""));
	put_text("sub/a", TELNET("	banner = x\n"));
	put_text("sub/c~", INTERNAL("echo", ""));
	put_text("sub/d.conf", INTERNAL("echo", ""));
	put_text("sub/.hidden", INTERNAL("echo", ""));
	import_text(KIND_XINETD,
		    DEFAULTS("	instances = 9\n") "includedir sub\n" INTERNAL("time", ""));
	assert_imported("# As in sub/a:1\nport \"telnet\"");
	assert_imported("# As in sub/b:1\nport \"ftp\"");
	assert_imported("# As in conf:6\nport \"time\"");
	assert_imported("max-processes = 9");
	assert_said("sub/a:7: warning: banner: ");
	ck_assert_ptr_null(strstr(imported, "\"echo\""));
	ck_assert_int_lt(strstr(imported, "\"telnet\"") - imported,
			 strstr(imported, "\"ftp\"") - imported);
}
END_TEST

START_TEST(a_file)
{
	put_text("more", DEFAULTS("	instances = 9\n") TELNET(""));
	import_text(KIND_XINETD, "include more\n" SERVICE("ftp", ""));
	assert_imported("# As in more:5\nport \"telnet\"");
	assert_imported("# As in conf:2\nport \"ftp\"");
}
END_TEST

START_TEST(a_circle)
{
	put_text("loop", TELNET("") "include loop\n");
	import_text(KIND_XINETD, "include loop\n");
	assert_said("loop:8: includes are too deep");
	assert_said("loop:1: warning: telnet: stream [::]:23 is served already, for loop:1");
}
END_TEST

START_TEST(no_text)
{
	put("nul", "service\0", 8);
	import_text(KIND_XINETD, "include nul\n");
	assert_said("conf:1: cannot read \"nul\": it holds NUL bytes");
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
	Suite *suite = suite_create("import_xinetd");
	TCase *texts = tcase_create("text"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(texts, NULL, import_teardown);
	tcase_add_loop_test(texts, entry, 0, COUNT(entries));
	tcase_add_test(texts, nothing_to_say);
	tcase_add_loop_test(texts, remark, 0, COUNT(remarks));
	tcase_add_test(texts, names_of_units);
	tcase_add_test(texts, told_once);
	tcase_add_test(texts, told_when_it_matters);
	tcase_add_test(texts, the_rest_is_imported);
	suite_add_tcase(suite, texts);
	tcase_add_checked_fixture(files, enter, leave);
	tcase_add_test(files, a_directory);
	tcase_add_test(files, a_file);
	tcase_add_test(files, a_circle);
	tcase_add_test(files, no_text);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
