/* A hand-over, both sides of it in one process: what one adoptd packs, the next one takes. */
#include "activation/activation.h"
#include "daemon/keep.h"
#include "daemon/parcel.h"
#include "daemon/server_parts.h"
#include "support/descriptor_limit.h"
#include "support/fd_socket.h"
#include "support/pipe.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#define BOUND_MS 20000

static struct inherited_list before, after;
static struct listen_set opened, control, given;
static struct elders elders;
static struct adopt_reactor *reactor;
static struct parcel parcel;
static struct fd_received received;
static int ends[2]; /* before's, after's */
static char *message;

static void setup(void)
{
	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, ends), 0);
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	LIST_INIT(&elders.list);
	elders.reactor = reactor;
}

static void teardown(void)
{
	parcel_done(&parcel);
	fd_received_done(&received);
	elders_forget(&elders);
	adopt_reactor_free(&reactor);
	listen_close(&opened);
	listen_close(&control);
	listen_close(&given);
	inherited_free(&before);
	inherited_free(&after);
	free(message);
	if (ends[0] >= 0)
		close(ends[0]);
}

static int inherit(const char *name, int number, const char *source)
{
	const struct inherited what = {
		.fd = socket(AF_INET, SOCK_STREAM, 0),
		.number = number,
		.source = source,
	};

	ck_assert_int_eq(inherited_take(&before, name, &what), 0);
	return what.fd;
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static void announce(void)
{
	char number[32];

	snprintf(number, sizeof number, "%d", ends[1]);
	setenv(HANDOVER_VARIABLE, number, 1);
}

static int collect(void)
{
	static const char *const options[] = {"ignored=0", NULL};
	const struct activation_request request = {.fd_options = options};
	int r = activation_collect(&request, &after, &message);

	ck_assert_ptr_null(getenv(HANDOVER_VARIABLE));
	return r;
}

static void hand_over(void)
{
	ck_assert_int_eq(parcel_pack(&before, &opened, &control, &elders, &parcel), 0);
	ck_assert_int_eq(parcel_send(&parcel, ends[0]), 0);
	announce();
	ck_assert(handover_expected());
	ck_assert_int_eq(collect(), 0);
	ck_assert(!handover_expected());
	ck_assert(after.handed_over);
}

static void hang_up(void)
{
	close(ends[0]);
	ends[0] = -1;
}

START_TEST(nobody_hands_over)
{
	ck_assert(!handover_expected());
	ck_assert_int_eq(handover_accept(&after), 0);
	ck_assert_uint_eq(after.elder_count, 0);
}
END_TEST

START_TEST(all_arrives_as_it_was)
{
	static const struct {
		const char *name, *source;
		int number;
	} items[] = {{"web", "systemd", 3},
		     {"web", "systemd", 4},
		     {"a=b", "--fd", 900},
		     {"inetd", "inetd", 0}};
	int fds[4];

	for (size_t i = 0; i < 4; i++)
		fds[i] = inherit(items[i].name, items[i].number, items[i].source);
	before.stderr_taken = true;
	hand_over();
	ck_assert_uint_eq(after.count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct inherited *item = &after.items[i];

		ck_assert_str_eq(item->name, items[i].name);
		ck_assert_str_eq(item->source, items[i].source);
		ck_assert_int_eq(item->number, items[i].number);
		ck_assert(!item->opened);
		ck_assert(same_file(item->fd, fds[i]));
		ck_assert_int_eq(fcntl(item->fd, F_GETFD), FD_CLOEXEC);
	}
	ck_assert(after.stderr_taken);
	ck_assert_uint_eq(after.note_count, 1);
	ck_assert_ptr_nonnull(strstr(after.notes[0], "taking over from process "));
}
END_TEST

START_TEST(giver_of_a_later_version)
{
	inherit("web", 3, "gopher");
	hand_over();
	ck_assert_str_eq(after.items[0].source, "hand-over");
}
END_TEST

START_TEST(what_was_opened_is_open_already)
{
	struct listen_set next = {0};

	inherit("web", 3, "systemd");
	ck_assert_int_eq(listen_open(&opened, NULL, "127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&opened, NULL, "udp:127.0.0.1:0"), 0);
	hand_over();
	ck_assert_uint_eq(after.count, 3);
	ck_assert_int_eq(keep_take(&after, &given), 0);
	ck_assert_uint_eq(after.count, 1);
	ck_assert_str_eq(after.items[0].name, "web");
	ck_assert_uint_eq(given.count, 2);
	/* By its text: the port that it got says nothing. */
	ck_assert_int_eq(listen_open(&next, &given, "udp:127.0.0.1:0"), 0);
	ck_assert(same_file(next.items[0].socket->fd, opened.items[1].socket->fd));
	listen_close(&next);
}
END_TEST

START_TEST(many_descriptors)
{
	/* They are there twice, more than some systems give a process at first. */
	descriptor_limit_raise();
	for (int i = 0; i < 600; i++) {
		const struct inherited what = {
			.fd = fcntl(ends[0], F_DUPFD_CLOEXEC, 3), .number = i, .source = "--fd"};

		ck_assert_int_eq(inherited_take(&before, "many", &what), 0);
	}
	hand_over();
	ck_assert_uint_eq(parcel.count, 4);
	ck_assert_uint_eq(after.count, 600);
	ck_assert_int_eq(after.items[599].number, 599);
}
END_TEST

START_TEST(a_name_may_be_too_long)
{
	static char name[70000];

	memset(name, 'x', sizeof name - 1);
	inherit(name, 3, "--fd");
	ck_assert_int_eq(parcel_pack(&before, &opened, &control, &elders, &parcel), -ENAMETOOLONG);
}
END_TEST

/* --- the answer --- */

static void say_go(enum fd_message_kind kind)
{
	static struct fd_message go;

	fd_message_begin(&go, kind);
	ck_assert_int_eq(fd_socket_send_all(ends[0], &go, 0), 0);
}

START_TEST(the_answer)
{
	struct fd_message_sender sender;

	inherit("web", 3, "systemd");
	hand_over();
	say_go(FD_MESSAGE_GO);
	ck_assert_int_eq(handover_accept(&after), 0);
	ck_assert(!after.handed_over);
	ck_assert_int_eq(fd_socket_receive(ends[0], 0, &received), 0);
	ck_assert_uint_eq(received.header.kind, FD_MESSAGE_READY);
	ck_assert_int_eq(fd_message_read_sender(received.body, received.header.body_bytes, &sender),
			 0);
	ck_assert_int_eq(sender.pid, getpid());
	/* Once more, there is nobody to ask. */
	ck_assert_int_eq(handover_accept(&after), 0);
	ck_assert_uint_eq(after.elder_count, 1);
}
END_TEST

START_TEST(the_other_goes_on_itself)
{
	inherit("web", 3, "systemd");
	hand_over();
	hang_up();
	ck_assert_int_eq(handover_accept(&after), -EPIPE);
	ck_assert(after.handed_over);
}
END_TEST

START_TEST(the_other_says_something_else)
{
	inherit("web", 3, "systemd");
	hand_over();
	say_go(FD_MESSAGE_END);
	ck_assert_int_eq(handover_accept(&after), -EBADMSG);
}
END_TEST

static unsigned gone;

static void count_gone(struct elders *unused)
{
	(void)unused;
	gone++;
}

/* Its descriptor's number may be a client's by then. */
START_TEST(an_elder_ends_before_it_is_told)
{
	int older[2], client;

	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, older), 0);
	ck_assert_int_eq(elders_add(&elders, older[0]), 0);
	ck_assert_int_eq(parcel_pack(&before, &opened, &control, &elders, &parcel), 0);
	elders_forget(&elders);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(client, older[0]);
	ck_assert_int_eq(parcel_send(&parcel, ends[0]), 0);
	parcel_done(&parcel);
	announce();
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(after.elder_count, 1);
	ck_assert(!same_file(after.elders[0], client));
	close(older[1]);
	ck_assert_int_eq(read(after.elders[0], &client, 1), 0);
	close(older[0]);
}
END_TEST

/* Who handed over, and who had handed over to that one. */
START_TEST(elders_are_handed_on)
{
	static const struct elders_ops ops = {.gone = count_gone};
	struct elders next = {.ops = &ops};
	struct adopt_watcher *const *readers;
	int older[2];

	LIST_INIT(&next.list);
	next.reactor = reactor;
	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, older), 0);
	ck_assert_int_eq(elders_add(&elders, older[0]), 0);
	inherit("web", 3, "systemd");
	hand_over();
	elders_forget(&elders);
	say_go(FD_MESSAGE_GO);
	ck_assert_int_eq(handover_accept(&after), 0);
	ck_assert_uint_eq(after.elder_count, 2);
	while (after.elder_count > 0)
		ck_assert_int_eq(elders_add(&next, after.elders[--after.elder_count]), 0);

	for (unsigned i = 2; i > 0; i--) {
		ck_assert(elders_are_there(&next));
		ck_assert_uint_eq(gone, 0);
		if (i == 2)
			close(older[1]);
		else
			hang_up();
		ck_assert_uint_eq(adopt_memory_readers(reactor, &readers), i);
		for (unsigned j = i; j > 0; j--)
			readers[j - 1]->ops->readable(readers[j - 1]);
	}
	ck_assert(!elders_are_there(&next));
	ck_assert_uint_eq(gone, 1);
}
END_TEST

/* --- what is wrong --- */

static void assert_failed(int error, const char *part)
{
	ck_assert_int_lt(error, 0);
	ck_assert_ptr_nonnull(message);
	ck_assert_msg(strstr(message, part) != NULL, "\"%s\" is not in \"%s\"", part, message);
}

START_TEST(the_variable_is_wrong)
{
	static const char *const values[] = {"", "x", "-1", "3x", "99999999999", "900", "0"};
	int null = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(dup2(null, 0), 0);
	setenv(HANDOVER_VARIABLE, values[_i], 1);
	assert_failed(collect(), HANDOVER_VARIABLE "=");
	ck_assert(!after.handed_over);
}
END_TEST

START_TEST(the_variable_names_another_socket)
{
	char number[32];

	snprintf(number, sizeof number, "%d", inherit("web", 3, "systemd"));
	setenv(HANDOVER_VARIABLE, number, 1);
	assert_failed(collect(), "does not name the socket");
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *part;
} wrong[] = {
	{"", 0, "reset"},
	{"adFD\0\1", 6, "reset"},
	{"GET / HTTP/1.1\r\n\r\n", 18, "Bad message"},
	{"adFD\0\2\0\1\0\0\0\0\0\0\0\0", 16, "in another way"},
	{"adFD\0\1\0\1\0\0\0\0\0\0\0\1", 16, "Bad message"}, /* a descriptor that is missing */
	{"adFD\0\1\0\2\0\0\0\0\0\0\0\0", 16, "Bad message"}, /* an end without who it is */
};

START_TEST(what_comes_is_wrong)
{
	ck_assert_int_eq(send(ends[0], wrong[_i].bytes, wrong[_i].length, 0),
			 (int)wrong[_i].length);
	hang_up();
	announce();
	assert_failed(collect(), wrong[_i].part);
}
END_TEST

START_TEST(a_number_comes_twice)
{
	inherit("web", 3, "systemd");
	before.items[0].number = 3;
	inherit("dns", 4, "systemd");
	before.items[1].number = 3;
	ck_assert_int_eq(parcel_pack(&before, &opened, &control, &elders, &parcel), 0);
	ck_assert_int_eq(parcel_send(&parcel, ends[0]), 0);
	announce();
	assert_failed(collect(), "File exists");
}
END_TEST

START_TEST(other_kinds_may_be_left)
{
	say_go((enum fd_message_kind)77);
	inherit("web", 3, "systemd");
	hand_over();
	ck_assert_uint_eq(after.count, 1);
}
END_TEST

/* --- the server that hands over --- */

#ifdef __linux__
static struct config config;
static struct plan_entry entry = {.role = PLAN_STREAM_PORT};
static struct plan plan = {.entries = &entry, .count = 1};
static struct setup served = {.config = &config, .plan = &plan};
static char sleep_path[] = "/bin/sleep", forever[] = "1000";
static char *sleep_argv[] = {sleep_path, forever, NULL};
static const struct program sleeper = {.path = sleep_path, .argv = sleep_argv};

START_TEST(who_is_not_ready_in_time_is_killed)
{
	struct server server = {
		.program = &sleeper, .list = &before, .setup = &served, .reactor = reactor};
	int status;

	/* The new process is nobody's child; so it is this one's. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	LIST_INIT(&server.elders.list);
	entry.fd = ends[0];
	ck_assert_int_eq(server_hand_over(&server), 0);
	ck_assert_int_eq(server_hand_over(&server), -EBUSY);
	adopt_memory_advance(reactor, HANDOVER_TIMEOUT_MS - 1);
	ck_assert_ptr_nonnull(server.handover);
	ck_assert_int_eq(waitpid(-1, &status, WNOHANG), 0);
	adopt_memory_advance(reactor, 1);
	ck_assert_ptr_null(server.handover);
	ck_assert_int_gt(waitpid(-1, &status, 0), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* It goes on, and may try again. */
	ck_assert_int_eq(server.state, SERVER_SERVING);
	ck_assert_int_eq(server_hand_over(&server), 0);
	server_call_off_hand_over(&server);
	ck_assert_int_gt(waitpid(-1, &status, 0), 0);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tcase = tcase_create("handover");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nobody_hands_over);
	tcase_add_test(tcase, all_arrives_as_it_was);
	tcase_add_test(tcase, giver_of_a_later_version);
	tcase_add_test(tcase, what_was_opened_is_open_already);
	tcase_add_test(tcase, many_descriptors);
	tcase_add_test(tcase, a_name_may_be_too_long);
	tcase_add_test(tcase, the_answer);
	tcase_add_test(tcase, the_other_goes_on_itself);
	tcase_add_test(tcase, the_other_says_something_else);
	tcase_add_test(tcase, an_elder_ends_before_it_is_told);
	tcase_add_test(tcase, elders_are_handed_on);
	tcase_add_loop_test(tcase, the_variable_is_wrong, 0, 7);
	tcase_add_test(tcase, the_variable_names_another_socket);
	tcase_add_loop_test(tcase, what_comes_is_wrong, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tcase, a_number_comes_twice);
	tcase_add_test(tcase, other_kinds_may_be_left);
#ifdef __linux__
	tcase_add_test(tcase, who_is_not_ready_in_time_is_killed);
#endif
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
