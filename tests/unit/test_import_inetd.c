/* Entries of inetd.conf, in all its dialects, and what becomes of them. */
#include "import_fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXEC(command, rest)                                                                        \
	"	exec {\n"                                                                                \
	"		command = {" command "}\n"                                                 \
	"		user = \"root\"\n" rest "	}\n"

static const struct {
	const char *line;
	const char *expected[3]; /* parts of what is printed */
} entries[] = {
	{"echo stream tcp nowait root internal",
	 {"port \"echo\" {\n	optional = true\n	echo {}\n}\n",
	  "ListenStream=0.0.0.0:7\nListenStream=[::]:7\nBindIPv6Only=ipv6-only\n",
	  "Service=adoptd-imported.service\nFileDescriptorName=echo\n"}},
	{"daytime dgram udp wait root internal", {"	daytime {}\n", "ListenDatagram=[::]:13\n"}},
	{"telnet stream tcp4 nowait root /sbin/telnetd telnetd",
	 {"ListenStream=0.0.0.0:23\n\n[Install]", EXEC("\"/sbin/telnetd\"", ""),
	  "Service=adoptd-imported-programs.service\n"}},
	{"telnet stream tcp6 nowait root /sbin/telnetd", {"=telnet\nListenStream=[::]:23\n"}},
	{"telnet stream tcp6only nowait root /t",
	 {"=telnet\nListenStream=[::]:23\nBindIPv6Only=i"}},
	{"telnet stream tcp46 nowait root /t", {"=telnet\nListenStream=23\nBindIPv6Only=both\n"}},
	{"8023 stream tcp nowait root /t", {"port \"8023\" {", "ListenStream=0.0.0.0:8023\n"}},
	{"127.0.0.1:telnet stream tcp nowait root /t",
	 {"=telnet\nListenStream=127.0.0.1:23\nFreeBind=yes\n"}},
	{"[::1]:telnet stream tcp nowait root /t", {"=telnet\nListenStream=[::1]:23\nBindI"}},
	{"127.0.0.1,::1:telnet stream tcp nowait root /t",
	 {"ListenStream=127.0.0.1:23\nListenStream=[::1]:23\n"}},
	{"here:telnet stream tcp nowait root /t",
	 {"ListenStream=192.0.2.1:23\nListenStream=[2001:db8::1]:23\n"}},
	{"six:telnet stream tcp nowait root /t", {"=telnet\nListenStream=[2001:db8::6]:23\n"}},
	{"*:telnet stream tcp nowait root /t", {"=telnet\nListenStream=0.0.0.0:23\n"}},
	{"here:\ntelnet stream tcp4 nowait root /t", {"ListenStream=192.0.2.1:23\nF"}},
	{"here:\n*:\ntelnet stream tcp4 nowait root /t", {"ListenStream=0.0.0.0:23\n"}},
	{"here:\n*:telnet stream tcp4 nowait root /t", {"ListenStream=0.0.0.0:23\n"}},
	{"/run/x.sock stream unix nowait root /t",
	 {"port \"run-x.sock\" {", "ListenStream=/run/x.sock\n\n"}},
	{"telnet stream tcp,rcvbuf=64k,sndbuf=1m nowait root /t",
	 {"ReceiveBuffer=65536\nSendBuffer=1048576\n"}},
	{"tftp dgram udp wait root /t t -s /srv",
	 {EXEC("\"/t\", \"-s\", \"/srv\"", "		wait = true\n")}},
	{"telnet stream tcp wait root /t", {EXEC("\"/t\"", "		wait = true\n")}},
	{"telnet stream tcp nowait/9/8/7 root /t",
	 {"	max-connections-per-source = 7\n	rate-per-source = 8/m\n",
	  EXEC("\"/t\"", "		max-processes = 9\n")}},
	{"telnet stream tcp nowait/9 root /t",
	 {EXEC("\"/t\"", "		max-processes = 9\n")}},
	{"telnet stream tcp nowait/0/0/7 root /t",
	 {"port \"telnet\" {\n	optional = true\n	max-connections-per-source = 7\n	exec"}},
	{"telnet stream tcp nowait root:tty /t",
	 {EXEC("\"/t\"", "		group = \"tty\"\n")}},
	{"telnet stream tcp nowait root.tty /t",
	 {EXEC("\"/t\"", "		group = \"tty\"\n")}},
	{"telnet stream tcp nowait 7 /t", {"user = \"7\"\n		group = \"7\"\n"}},
	{"telnet stream tcp nowait root /t t 'a b' \"c'd\" e\"f",
	 {"{\"/t\", \"a b\", \"c'd\", \"e\\\"f\"}"}},
	{"telnet stream tcp nowait root /t t -a\n  -b\n\t-c\n",
	 {"{\"/t\", \"-a\", \"-b\", \"-c\"}"}},
	{"telnet stream tcp nowait root /t t ${HOME} \\n $x",
	 {"{\"/t\", \"\\${HOME}\", \"\\\\n\", \"$x\"}"}},
	{"telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd -h",
	 {"{\"/usr/sbin/in.telnetd\", \"-h\"}"}},
	{"telnet stream tcp nowait root /usr/sbin/tcpd /opt/telnetd", {"{\"/opt/telnetd\"}"}},
	{"echo stream tcp nowait root internal\necho dgram udp wait root internal\n",
	 {"conf:1 conf:2\nport \"echo\"",
	  "ListenStream=0.0.0.0:7\nListenStream=[::]:7\nListenDatagram=0.0.0.0:7\n"}},
	{"telnet stream tcp nowait root /a\r\n\r\nftp stream tcp nowait root /b b\r\n",
	 {"{\"/a\"}", "{\"/b\"}"}},
};

START_TEST(entry)
{
	import_text(KIND_INETD, entries[_i].line);
	for (size_t i = 0; i < 3 && entries[_i].expected[i]; i++)
		assert_imported(entries[_i].expected[i]);
}
END_TEST

/* Nothing is said of what is kept. */
START_TEST(nothing_to_say)
{
	import_text(KIND_INETD, "# echo stream tcp nowait root internal\n"
				"\n"
				"\t# indented\n"
				"#:LABEL: labels\n"
				"echo stream tcp nowait root internal\n"
				"here:telnet stream tcp nowait/3/2/1 root:tty /t t -x\n");
	ck_assert_str_eq(said, "");
	ck_assert_ptr_null(strstr(imported, "label"));
}
END_TEST

static const struct {
	const char *line;
	const char *expected;
	bool kept; /* the service is imported all the same */
} remarks[] = {
	{"telnet stream tcp nowait.50 root /t", "conf:1: warning: nowait.50: how often", true},
	{"telnet stream tcp nowait:50 root /t", "conf:1: warning: nowait:50: how often", true},
	{"telnet stream tcp wait/3 root /t", "conf:1: warning: wait/3: who comes is not", true},
	{"tftp dgram udp nowait root /t", "conf:1: warning: nowait: a program gets", true},
	{"telnet stream tcp nowait root/staff /t", "conf:1: warning: staff: there are no login",
	 true},
	{"telnet stream tcp nowait root /bin/busybox telnetd",
	 "conf:1: warning: argv[0]: \"/bin/busybox\" is called by its path, not as \"telnetd\"",
	 true},
	{"telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd",
	 "conf:1: warning: tcpd: hosts.allow and hosts.deny no longer count for \"in.telnetd\"",
	 true},
	{"here,nowhere:telnet stream tcp nowait root /t",
	 "conf:1: \"nowhere\" has no address for tcp; it is left out", true},
	{"x stream tcp nowait root internal", "conf:1: \"x\" has no port in services(5)", false},
	{"telnet stream tcp nowait root internal",
	 "conf:1: warning: telnet: adoptd has no internal service", false},
	{"rstatd/1-3 dgram rpc/udp wait root /r", "conf:1: warning: rpc/udp: nothing is reg",
	 false},
	{"tcpmux/x stream tcp nowait root /t", "conf:1: warning: tcpmux/x: there is no TCPMUX",
	 false},
	{"telnet raw tcp nowait root /t", "conf:1: warning: raw: such sockets are not", false},
	{"telnet rdm tcp nowait root /t", "conf:1: warning: rdm: such sockets are not", false},
	{"telnet seqpacket tcp nowait root /t", "conf:1: warning: seqpacket: such sockets", false},
	{"telnet flow tcp nowait root /t", "conf:1: \"flow\" is no type of socket", false},
	{"telnet dgram tcp nowait root /t", "conf:1: \"tcp\" is not for this type of socket",
	 false},
	{"telnet stream ipx nowait root /t", "conf:1: \"ipx\" is no protocol that is known", false},
	{"telnet stream tcp,sndbuf nowait root /t", "conf:1: \"sndbuf\" is no option", false},
	{"telnet stream tcp,sndbuf=x nowait root /t", "conf:1: \"x\" is no size of a buffer",
	 false},
	{"telnet stream tcp,sndbuf=0 nowait root /t", "conf:1: \"0\" is no size of a buffer",
	 false},
	{"telnet stream tcp maybe root /t", "conf:1: \"maybe\" is neither wait nor nowait", false},
	{"telnet stream tcp nowait/x root /t", "conf:1: \"nowait/x\" is not wait or nowait", false},
	{"telnet stream tcp nowait/1/2/3/4 root /t", "conf:1: \"nowait/1/2/3/4\" is not wait",
	 false},
	{"telnet stream tcp nowait alice /t", "conf:1: there is no user \"alice\"", false},
	{"telnet stream tcp nowait root:alice /t", "conf:1: there is no group \"alice\"", false},
	{"telnet stream tcp nowait root t", "conf:1: \"t\" is not an absolute path", false},
	{"nowhere:telnet stream tcp nowait root /t", "conf:1: \"telnet\" has no address", false},
	{"10.1:telnet stream tcp nowait root /t", "conf:1: \"10.1\" has no address for tcp", false},
	{"run/x stream unix nowait root /t", "conf:1: \"run/x\" is no path of a UNIX socket",
	 false},
	{"telnet stream tcp", "conf:1: left out: an entry has", false},
	{"''", "conf:1: left out: an entry has", false},
	{"here:\n''", "conf:2: left out: an entry has", false},
	{"telnet stream tcp nowait root '/t", "conf:1: left out: a quote in it is never closed",
	 false},
	{"telnet stream tcp nowait root /t '\n  more\n", "conf:1: left out: a quote", false},
};

START_TEST(remark)
{
	import_text(KIND_INETD, remarks[_i].line);
	assert_said(remarks[_i].expected);
	ck_assert_msg((strstr(imported, "port ") != NULL) == remarks[_i].kept, "%s", imported);
}
END_TEST

/* An entry that is wrong does not cost the others. */
START_TEST(the_rest_is_imported)
{
	import_text(KIND_INETD, "telnet stream\n"
				"ftp stream tcp nowait root /f\n"
				"telnet stream tcp nowait root \"/t\n"
				"echo stream tcp nowait root internal\n");
	assert_imported("port \"ftp\"");
	assert_imported("port \"echo\"");
	assert_said("conf:1: left out");
	assert_said("conf:3: left out");
}
END_TEST

START_TEST(one_name_many_services)
{
	import_text(KIND_INETD, "127.0.0.1:ftp stream tcp nowait root /a\n"
				"127.0.0.2:ftp stream tcp nowait root /b\n"
				"127.0.0.3:ftp stream tcp nowait root /a\n"
				"127.0.0.4:ftp stream tcp nowait root /c\n");
	assert_imported("# As in conf:1 conf:3\nport \"ftp\" {");
	assert_imported("=ftp\nListenStream=127.0.0.1:21\nListenStream=127.0.0.3:21\n");
	assert_imported("=ftp-2\nListenStream=127.0.0.2:21\n");
	assert_imported("=ftp-3\nListenStream=127.0.0.4:21\n");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(an_address_is_served_once)
{
	import_text(KIND_INETD, "ftp stream tcp4 nowait root /a\n"
				"21 stream tcp nowait root /b\n"
				"ftp stream tcp4 nowait root /c\n");
	assert_imported("=ftp\nListenStream=0.0.0.0:21\n");
	assert_imported("=21\nListenStream=[::]:21\n");
	ck_assert_ptr_null(strstr(imported, "\"/c\""));
	assert_said("conf:2: warning: 21: stream 0.0.0.0:21 is served already, for conf:1");
	assert_said("conf:3: warning: ftp: stream 0.0.0.0:21 is served already, for conf:1");
}
END_TEST

/* Where an IPv6 socket takes IPv4 clients, nobody else can. */
START_TEST(both_families_are_served_once)
{
	import_text(KIND_INETD, "ftp stream tcp46 nowait root /a\n"
				"ftp stream tcp4 nowait root /b\n"
				"telnet stream tcp4 nowait root /c\n"
				"telnet stream tcp46 nowait root /d\n"
				"127.0.0.1:ftp stream tcp4 nowait root /e\n"
				"21 dgram udp4 wait root /f\n");
	assert_said("conf:2: warning: ftp: stream 0.0.0.0:21 is served already, for conf:1");
	assert_said("conf:4: warning: telnet: stream [::]:23 is served already, for conf:3");
	assert_imported("ListenStream=127.0.0.1:21\n");
	assert_imported("ListenDatagram=0.0.0.0:21\n");
}
END_TEST

/* Names become such that a port, a descriptor and a unit can have them. */
START_TEST(names_of_any_kind)
{
	import_text(KIND_INETD, "/run/.a%b$c stream unix nowait root /t\n"
				"/... stream unix nowait root /u\n");
	assert_imported("port \"run-.a-b-c\"");
	assert_imported("#### adoptd-import-run-.a-b-c.socket\n");
	assert_imported("ListenStream=/run/.a%%b$c\n");
	assert_imported("port \"port\"");
}
END_TEST

START_TEST(too_many_words)
{
	size_t size = 64 + 2 * 5000;
	char *text = malloc(size);

	strcpy(text, "ftp stream tcp nowait root /f f");
	for (size_t i = 0; i < 5000; i++)
		strcpy(text + strlen("ftp stream tcp nowait root /f f") + 2 * i, " x");
	import_text(KIND_INETD, text);
	assert_said("conf:1: left out: it has too many words");
	ck_assert_ptr_null(strstr(imported, "port "));
	free(text);
}
END_TEST

START_TEST(too_many_services)
{
	char *text = malloc(64 * 1100);
	size_t used = 0;

	for (size_t i = 0; i < 1100; i++)
		used += (size_t)sprintf(text + used, "%zu stream tcp4 nowait root /t\n", 2000 + i);
	import_text(KIND_INETD, text);
	assert_imported("port \"2999\"");
	ck_assert_ptr_null(strstr(imported, "port \"3000\""));
	assert_said("conf:1001: left out: ");
	free(text);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
	Suite *suite = suite_create("import_inetd");
	TCase *tests = tcase_create("import_inetd");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, NULL, import_teardown);
	tcase_add_loop_test(tests, entry, 0, COUNT(entries));
	tcase_add_test(tests, nothing_to_say);
	tcase_add_loop_test(tests, remark, 0, COUNT(remarks));
	tcase_add_test(tests, the_rest_is_imported);
	tcase_add_test(tests, one_name_many_services);
	tcase_add_test(tests, an_address_is_served_once);
	tcase_add_test(tests, both_families_are_served_once);
	tcase_add_test(tests, names_of_any_kind);
	tcase_add_test(tests, too_many_words);
	tcase_add_test(tests, too_many_services);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
