/* Which port block serves which descriptor, on real descriptors. */
#include "daemon/plan.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/netlink.h>
#include <mqueue.h>
#include <sys/epoll.h>
#endif

#define PORTS_MAX 4

static struct inherited_list list;
static struct faults *faults;
static struct plan *plan;
static struct config config;
static struct config_port ports[PORTS_MAX];
static char *no_listen[] = {NULL};
static char any_tcp[] = "127.0.0.1:0";
static char any_udp[] = "udp:127.0.0.1:0";
static char nowhere[] = "unix:/nonexistent/adoptd/socket";
static char report[4096];

/* The plan only asks which calls a handler has. */
static int no_stream(const struct handler_settings *settings, struct host *host,
		     struct adopt_factory **ret)
{
	(void)settings, (void)host, (void)ret;
	return -ENOSYS;
}

static int no_datagram(const struct handler_settings *settings, struct host *host,
		       struct adopt_datagram_protocol **ret)
{
	(void)settings, (void)host, (void)ret;
	return -ENOSYS;
}

static const struct handler both = {
	.name = "both", .stream_new = no_stream, .datagram_new = no_datagram};
static const struct handler streams = {.name = "streams", .stream_new = no_stream};
static const struct handler datagrams = {.name = "datagrams", .datagram_new = no_datagram};

static bool whole(const struct handler_settings *settings)
{
	return settings != NULL;
}

/* Takes the port itself where there are settings. */
static const struct handler wholes = {
	.name = "wholes", .stream_new = no_stream, .takes_port = whole};
static struct handler_settings wait_settings = {.handler = &wholes};

static void setup(void)
{
	ck_assert_int_eq(faults_new(&faults), 0);
	config.ports = ports;
}

static void teardown(void)
{
	plan_free(&plan);
	inherited_free(&list);
	faults_free(&faults);
	for (size_t i = 0; i < config.port_count; i++)
		free(ports[i].name);
}

static struct config_port *add_port(const char *name)
{
	struct config_port *port = &ports[config.port_count++];

	ck_assert_uint_le(config.port_count, PORTS_MAX);
	*port = (struct config_port){.name = strdup(name),
				     .file = "test.conf",
				     .line = (int)config.port_count,
				     .listen = no_listen,
				     .handler = &both};
	return port;
}

static int give(const char *name, int fd)
{
	ck_assert_int_ge(fd, 3);
	ck_assert_int_eq(inherited_add(&list, name, fd, "test"), 0);
	return fd;
}

static int make_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int make(void)
{
	return plan_make(&config, &list, NULL, faults, &plan);
}

static void append(void *context, enum fault_severity severity, const char *text)
{
	(void)context, (void)severity;
	strncat(report, text, sizeof report - strlen(report) - 1);
	strncat(report, "\n", sizeof report - strlen(report) - 1);
}

/* Asserts that there are so many faults, and that they say this. */
static void assert_faults(size_t count, const char *part)
{
	report[0] = '\0';
	faults_report(faults, append, NULL);
	ck_assert_msg(strstr(report, part) != NULL, "\"%s\" is not in:\n%s", part, report);
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), count);
	ck_assert_ptr_null(plan);
}

static void assert_entry(size_t i, const struct config_port *port, int fd, enum plan_role role)
{
	ck_assert_uint_lt(i, plan->count);
	ck_assert_ptr_eq(plan->entries[i].port, port);
	ck_assert_int_eq(plan->entries[i].fd, fd);
	ck_assert_int_eq((int)plan->entries[i].role, (int)role);
}

START_TEST(a_block_takes_all_of_its_name)
{
	struct config_port *dns = add_port("dns"), *web = add_port("web");
	int stream = give("dns", make_listener());
	int http = give("web", make_listener());
	int datagram = give("dns", socket(AF_INET, SOCK_DGRAM, 0));

	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan->count, 3);
	assert_entry(0, dns, stream, PLAN_STREAM_PORT);
	assert_entry(1, dns, datagram, PLAN_DATAGRAM_PORT);
	assert_entry(2, web, http, PLAN_STREAM_PORT);
	ck_assert_str_eq(plan->entries[1].name, "dns");
	ck_assert_str_eq(plan->entries[1].source, "test");
	ck_assert_int_eq(plan->entries[1].kind.type, SOCK_DGRAM);
}
END_TEST

/* Whatever the order of the blocks: the more exact one wins. */
START_TEST(numbered_before_named_before_the_rest)
{
	struct config_port *rest = add_port("*"), *web = add_port("web");
	struct config_port *second = add_port("web#1");
	int fds[4];

	for (int i = 0; i < 3; i++)
		fds[i] = give("web", make_listener());
	fds[3] = give("other", make_listener());
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan->count, 4);
	assert_entry(0, rest, fds[3], PLAN_STREAM_PORT);
	assert_entry(1, web, fds[0], PLAN_STREAM_PORT);
	assert_entry(2, web, fds[2], PLAN_STREAM_PORT);
	assert_entry(3, second, fds[1], PLAN_STREAM_PORT);
}
END_TEST

START_TEST(a_number_out_of_range_gets_none)
{
	add_port("web");
	add_port("web#1");
	give("web", make_listener());
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "test.conf:2: port \"web#1\" got no descriptor");
}
END_TEST

START_TEST(an_optional_block_may_stay_without)
{
	add_port("web")->optional = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan->count, 0);
}
END_TEST

START_TEST(what_no_block_takes_is_a_fault)
{
	char wanted[96];
	int fd;

	add_port("web");
	give("web", make_listener());
	fd = give("mail", make_listener());
	ck_assert_int_eq(make(), -EINVAL);
	snprintf(wanted, sizeof wanted,
		 "descriptor %d (\"mail\", from test) is taken by no port block", fd);
	assert_faults(1, wanted);
}
END_TEST

START_TEST(all_faults_are_told_at_once)
{
	add_port("web");
	add_port("dns");
	give("mail", make_listener());
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(3, "test.conf:2: port \"dns\" got no descriptor");
}
END_TEST

START_TEST(connected_streams)
{
	struct config_port *port = add_port("connection");
	int pair[2], records[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, records), 0);
	give("connection", pair[0]);
	give("connection", records[0]);
	ck_assert_int_eq(make(), 0);
	assert_entry(0, port, pair[0], PLAN_STREAM_CONNECTION);
	assert_entry(1, port, records[0], PLAN_STREAM_CONNECTION);
	close(pair[1]);
	close(records[1]);
}
END_TEST

/* A TCP connection that its client has reset. */
static int make_reset_connection(void)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;
	int listener = make_listener(), client = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct pollfd readable = {.events = POLLIN};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(client);
	close(listener);
	readable.fd = fd;
	ck_assert_int_eq(poll(&readable, 1, 3000), 1);
	return fd;
}

START_TEST(a_connection_whose_peer_is_gone_is_dropped)
{
	struct config_port *port = add_port("connection");
	int pair[2], gone = give("connection", make_reset_connection());

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	give("connection", pair[0]);
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan->count, 1);
	assert_entry(0, port, pair[0], PLAN_STREAM_CONNECTION);
	ck_assert_int_eq(fcntl(gone, F_GETFD), -1);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_uint_eq(list.note_count, 1);
	ck_assert_ptr_nonnull(strstr(list.notes[0], "its peer is gone"));
	close(pair[1]);
}
END_TEST

static int make_fresh(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int make_bound(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = make_fresh();

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static int make_fifo(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	close(ends[1]);
	return ends[0];
}

static int make_device(void)
{
	return open("/dev/null", O_RDWR);
}

static int make_directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int make_file(void)
{
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	fd = fcntl(fileno(file), F_DUPFD, 3);
	fclose(file);
	return fd;
}

#ifdef __linux__
static int make_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int make_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
}

static int make_epoll(void)
{
	return epoll_create1(0);
}

static int make_queue(void)
{
	char name[48];
	int fd;

	snprintf(name, sizeof name, "/adoptd-test-%ld", (long)getpid());
	fd = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
	mq_unlink(name);
	return fd;
}
#endif

static const struct {
	int (*make)(void);
	const char *kind;
} misfits[] = {
	{make_fresh, "a stream socket that neither listens nor is connected"},
	{make_bound, "a stream socket that neither listens nor is connected"},
	{make_fifo, "a FIFO (ListenFIFO=)"},
	{make_device, "a character device (ListenSpecial=)"},
	{make_directory, "a directory"},
	{make_file, "a regular file (ListenSpecial=, OpenFile=)"},
#ifdef __linux__
	{make_netlink, "a netlink socket (ListenNetlink=)"},
	{make_raw, "a raw socket"},
	{make_epoll, "a kernel object, [eventpoll]"},
	{make_queue, "a message queue (ListenMessageQueue=)"},
#endif
};

START_TEST(what_cannot_be_served_is_named)
{
	char wanted[256];
	int fd = misfits[_i].make();

	if (fd < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES))
		return; /* raw sockets need rights, queues a kernel that has them */
	add_port("web");
	give("web", fd);
	ck_assert_int_eq(make(), -EINVAL);
	snprintf(wanted, sizeof wanted,
		 "test.conf:1: port \"web\": descriptor %d (\"web\", from test) is %s, which "
		 "cannot be served",
		 fd, misfits[_i].kind);
	assert_faults(1, wanted);
}
END_TEST

START_TEST(a_datagram_socket_on_a_stream_handler)
{
	add_port("web")->handler = &streams;
	give("web", socket(AF_INET, SOCK_DGRAM, 0));
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "is a datagram socket, but its handler serves only streams");
}
END_TEST

START_TEST(a_stream_socket_on_a_datagram_handler)
{
	add_port("web")->handler = &datagrams;
	give("web", make_listener());
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "is a listening stream socket, but its handler serves only datagrams");
}
END_TEST

START_TEST(a_route_whose_handler_does_not_serve_it)
{
	struct config_route routes[] = {{.handler = &both}, {.handler = &streams}};
	struct config_port *port = add_port("web");

	port->routes = routes;
	port->route_count = 2;
	give("web", socket(AF_INET, SOCK_DGRAM, 0));
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "is a datagram socket, but the handler of a route serves only streams");
}
END_TEST

static const char *no_records(const struct handler_settings *settings, int type)
{
	(void)settings;
	return type == SOCK_SEQPACKET ? "knows no records" : NULL;
}

START_TEST(a_handler_may_refuse_what_it_serves_otherwise)
{
	static const struct handler choosy = {
		.name = "choosy", .stream_new = no_stream, .misfit = no_records};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	ck_assert_int_eq(bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	add_port("web")->handler = &choosy;
	give("web", make_listener());
	give("web", fd);
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "is a listening seqpacket socket, but its handler knows no records");
}
END_TEST

START_TEST(a_handler_may_have_the_port_itself)
{
	struct config_port *web = add_port("web"), *dns = add_port("dns");
	int stream = give("web", make_listener()), datagram;

	datagram = give("dns", socket(AF_INET, SOCK_DGRAM, 0));
	web->handler = dns->handler = &wholes;
	web->settings = dns->settings = &wait_settings;
	ck_assert_int_eq(make(), 0);
	assert_entry(0, web, stream, PLAN_WHOLE_PORT);
	assert_entry(1, dns, datagram, PLAN_WHOLE_PORT);
}
END_TEST

START_TEST(a_handler_of_ports_gets_no_connection)
{
	struct config_port *web = add_port("web");
	int pair[2];

	web->handler = &wholes;
	web->settings = &wait_settings;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	give("web", pair[0]);
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "is a connected stream socket, but its handler has `wait`, and takes");
	close(pair[1]);
}
END_TEST

START_TEST(datagrams_need_a_handler_of_ports)
{
	add_port("web")->handler = &wholes;
	give("web", socket(AF_INET, SOCK_DGRAM, 0));
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "a datagram socket, but its handler serves datagrams only with `wait");
}
END_TEST

START_TEST(listen_is_used_where_nothing_came)
{
	char *addresses[] = {any_tcp, any_udp, NULL};
	struct config_port *web = add_port("web"), *dns = add_port("dns");
	int fd = give("web", make_listener());

	web->listen = addresses;
	dns->listen = addresses;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan->count, 3);
	ck_assert_uint_eq(plan->opened.count, 2);
	assert_entry(0, web, fd, PLAN_STREAM_PORT);
	assert_entry(1, dns, plan->opened.items[0].socket->fd, PLAN_STREAM_PORT);
	assert_entry(2, dns, plan->opened.items[1].socket->fd, PLAN_DATAGRAM_PORT);
	ck_assert_str_eq(plan->entries[2].source, "listen");
}
END_TEST

START_TEST(an_address_that_cannot_be_opened_is_told)
{
	char *addresses[] = {nowhere, NULL};

	add_port("web")->listen = addresses;
	ck_assert_int_eq(make(), -ENOENT);
	assert_faults(1, "test.conf:1: port \"web\": cannot listen on "
			 "\"unix:/nonexistent/adoptd/socket\": No such file or directory");
}
END_TEST

/* What the configuration has wrong comes before what the system refuses. */
START_TEST(a_misfit_outweighs_a_refusal)
{
	char *addresses[] = {nowhere, NULL};

	add_port("web")->listen = addresses;
	add_port("dns");
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(2, "cannot listen");
}
END_TEST

START_TEST(a_listen_address_that_the_handler_does_not_serve)
{
	char *addresses[] = {any_udp, NULL};
	struct config_port *port = add_port("web");

	port->listen = addresses;
	port->handler = &streams;
	ck_assert_int_eq(make(), -EINVAL);
	assert_faults(1, "`listen` address \"udp:127.0.0.1:0\" is a datagram socket, but its "
			 "handler serves only streams");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_block_takes_all_of_its_name);
	tcase_add_test(tcase, numbered_before_named_before_the_rest);
	tcase_add_test(tcase, a_number_out_of_range_gets_none);
	tcase_add_test(tcase, an_optional_block_may_stay_without);
	tcase_add_test(tcase, what_no_block_takes_is_a_fault);
	tcase_add_test(tcase, all_faults_are_told_at_once);
	tcase_add_test(tcase, connected_streams);
	tcase_add_test(tcase, a_connection_whose_peer_is_gone_is_dropped);
	tcase_add_loop_test(tcase, what_cannot_be_served_is_named, 0,
			    sizeof misfits / sizeof misfits[0]);
	tcase_add_test(tcase, a_datagram_socket_on_a_stream_handler);
	tcase_add_test(tcase, a_stream_socket_on_a_datagram_handler);
	tcase_add_test(tcase, a_route_whose_handler_does_not_serve_it);
	tcase_add_test(tcase, a_handler_may_refuse_what_it_serves_otherwise);
	tcase_add_test(tcase, a_handler_may_have_the_port_itself);
	tcase_add_test(tcase, a_handler_of_ports_gets_no_connection);
	tcase_add_test(tcase, datagrams_need_a_handler_of_ports);
	tcase_add_test(tcase, listen_is_used_where_nothing_came);
	tcase_add_test(tcase, an_address_that_cannot_be_opened_is_told);
	tcase_add_test(tcase, a_misfit_outweighs_a_refusal);
	tcase_add_test(tcase, a_listen_address_that_the_handler_does_not_serve);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
