/* The real reactor on select(), which knows no descriptor of FD_SETSIZE or more: each is
 * refused, and the rest goes on. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#define ROOM (FD_SETSIZE + 64)

static struct recorder_factory *factory;

/* So many may be open in all. Returns whether that could be had. */
static bool raise_limit(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < ROOM) {
		printf("skipped: select: no more than %ju descriptors\n",
		       (uintmax_t)limit.rlim_max);
		return false;
	}
	limit.rlim_cur = ROOM;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void set_up(void)
{
	factory = recorder_factory_new();
}

static void tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

/* Uses up what select() knows. Returns the first of those descriptors; the others follow. */
static int fill(void)
{
	int first = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), last = first;

	while (last < FD_SETSIZE - 1)
		last = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, first);
	ck_assert_int_eq(last, FD_SETSIZE - 1);
	return first;
}

static void ignore(struct adopt_watcher *watcher)
{
	(void)watcher;
}

START_TEST(high_descriptors_are_refused)
{
	static const struct adopt_watcher_ops watcher_ops = {.readable = ignore};
	struct adopt_watcher watcher = {.ops = &watcher_ops};
	struct adopt_address inet = fresh_address(AF_INET, false);
	struct adopt_reactor *other = NULL;
	int listener = bound_socket(SOCK_STREAM, &inet), pair[2];
	struct adopt_address there = own_address(listener);
	struct adopt_lookout lookout = {0};
	unsigned before;

	if (!raise_limit())
		return;
	tcp_pair(pair);
	fill();
	before = open_descriptors();
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_INET, &factory->factory, NULL),
			 -EMFILE);
	ck_assert_int_eq(adopt_watched_port(loop, listener, AF_INET, &lookout, NULL), -EMFILE);
	ck_assert_int_eq(adopt_stream_connection(loop, pair[0], AF_INET, &factory->factory),
			 -EMFILE);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &there, SOCK_STREAM, 0, &factory->factory, NULL),
		-EMFILE);
	ck_assert_int_eq(adopt_reactor_new(&other), -EMFILE);
	ck_assert_uint_eq(open_descriptors(), before);
	watcher.fd = fcntl(pair[0], F_DUPFD_CLOEXEC, FD_SETSIZE);
	ck_assert_int_eq(adopt_reader_add(loop, &watcher), -EMFILE);
	ck_assert_uint_eq(factory->asked, 0);
}
END_TEST

START_TEST(clients_past_it_are_turned_away)
{
	int listener = place_listener(&places[2]), first, turned_away, served;

	if (!raise_limit())
		return;
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNIX, &factory->factory, NULL), 0);
	first = fill();
	turned_away = client_of(listener);
	RUN_UNTIL(readable(turned_away));
	ck_assert_int_eq(end_of(turned_away), 0);
	ck_assert_uint_eq(factory->asked, 0);
	for (int fd = first; fd < first + 8; fd++)
		close(fd);
	served = client_of(listener);
	RUN_UNTIL(factory->count == 1);
	ck_assert_int_ge(served, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("select");
	TCase *test_case = harness_case("past FD_SETSIZE");

	/* Libevent's words for it. */
	setenv("EVENT_NOEPOLL", "1", 1);
	setenv("EVENT_NOPOLL", "1", 1);
	setenv("EVENT_NOKQUEUE", "1", 1);
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, high_descriptors_are_refused);
	tcase_add_test(test_case, clients_past_it_are_turned_away);
	suite_add_tcase(suite, test_case);
	return harness_main(suite);
}
