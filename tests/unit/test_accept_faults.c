/* When accepting fails: contract rows 12 to 14. accept4() is wrapped by the
 * linker, to count its calls and to make it fail where nothing else could. */
#include "recorder.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* What the wrapped call answers instead of accepting, oldest first. */
static int faults[8];
static unsigned fault_count;
static unsigned accepts; /* calls in all */

/* How many calls each turn of the loop made. A call that asks for itself again tells the
 * turns apart: it comes after a turn's descriptors, whatever their order. */
#define TURNS 64
static unsigned turn;
static unsigned accepts_in[TURNS];

int __real_accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags);
int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags);

int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags)
{
	accepts++;
	if (turn < TURNS)
		accepts_in[turn]++;
	if (fault_count == 0)
		return __real_accept4(fd, peer, length, flags);
	errno = faults[0];
	fault_count--;
	for (unsigned i = 0; i < fault_count; i++)
		faults[i] = faults[i + 1];
	return -1;
}

/* Turns are counted from the first accept on. */
static void next_turn(struct adopt_call *call)
{
	if (accepts > 0)
		turn++;
	adopt_call_soon(loop, call);
}

static struct adopt_call turns = {.run = next_turn};

static void count_turns(void)
{
	adopt_call_soon(loop, &turns);
}

static void count_no_turns(void)
{
	adopt_call_cancel(loop, &turns);
}

static struct recorder_factory *factory;
static struct observed observed;
static struct adopt_port *port;
static int listener;

static void set_up(void)
{
	factory = recorder_factory_new();
	fault_count = accepts = turn = 0;
	for (unsigned i = 0; i < TURNS; i++)
		accepts_in[i] = 0;
	observe(&observed);
	listener = place_listener(&places[2]);
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNIX, &factory->factory, &port), 0);
}

static void tear_down(void)
{
	free_loop();
	close(listener);
	recorder_factory_free(factory);
}

static void inject(int error)
{
	faults[fault_count++] = error;
}

/* Runs the loop for a stretch of time. */
static void run_for(uint64_t ms)
{
	uint64_t end = adopt_reactor_now_ms(loop) + ms;

	RUN_UNTIL(adopt_reactor_now_ms(loop) >= end);
}

/* --- row 12 --- */

#define WAITING 5

START_TEST(row_12_no_descriptor_left)
{
	struct adopt_address there = own_address(listener);
	int clients[WAITING], late;

	for (int i = 0; i < WAITING; i++)
		clients[i] = client_of(listener);
	late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	use_up_descriptors(0);
	for (int i = 0; i < WAITING; i++) {
		RUN_UNTIL(readable(clients[i]));
		ck_assert_int_eq(end_of(clients[i]), 0);
	}
	ck_assert_uint_eq(factory->asked, 0);
	ck_assert_uint_eq(observed.troubles, 1);
	ck_assert_int_eq(observed.trouble, -EMFILE);
	run_for(300);
	/* Each try is one wake-up: a handful, not thousands. */
	ck_assert_uint_le(accepts, 3 * WAITING + 20);
	ck_assert_uint_eq(observed.troubles, 1);
	ck_assert_uint_eq(observed.recoveries, 0);

	give_back_descriptors();
	ck_assert_int_eq(connect(late, &there.name.any, there.length), 0);
	RUN_UNTIL(factory->count == 1);
	ck_assert_uint_eq(observed.recoveries, 1);
	ck_assert_uint_eq(observed.troubles, 1);
	for (int i = 0; i < WAITING; i++)
		close(clients[i]);
	close(late);
}
END_TEST

/* The reserve is taken again: a second episode goes as the first one did. */
START_TEST(row_12_every_episode_is_told_once)
{
	for (unsigned episode = 1; episode <= 3; episode++) {
		int turned_away = client_of(listener), served;

		use_up_descriptors(0);
		RUN_UNTIL(readable(turned_away));
		ck_assert_uint_eq(observed.troubles, episode);
		give_back_descriptors();
		served = client_of(listener);
		RUN_UNTIL(factory->count == episode);
		ck_assert_uint_eq(observed.recoveries, episode);
		close(turned_away);
		close(served);
	}
}
END_TEST

/* A client that comes while nothing is left is turned away as well, soon. */
START_TEST(row_12_late_clients_do_not_hang)
{
	struct adopt_address there = own_address(listener);
	int clients[4];

	for (int i = 0; i < 4; i++)
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	use_up_descriptors(0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(connect(clients[i], &there.name.any, there.length), 0);
		RUN_UNTIL(readable(clients[i]));
		ck_assert_int_eq(end_of(clients[i]), 0);
	}
	ck_assert_uint_eq(observed.troubles, 1);
	give_back_descriptors();
	for (int i = 0; i < 4; i++)
		close(clients[i]);
}
END_TEST

START_TEST(row_12_costs_no_time)
{
	struct rusage before, after;
	int client = client_of(listener);
	long spent_ms;

	use_up_descriptors(0);
	getrusage(RUSAGE_SELF, &before);
	RUN_UNTIL(readable(client));
	run_for(500);
	getrusage(RUSAGE_SELF, &after);
	spent_ms = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000 +
		   (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1000 +
		   (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000 +
		   (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1000;
	ck_assert_int_lt(spent_ms, 250);
	give_back_descriptors();
	close(client);
}
END_TEST

START_TEST(row_12_port_may_stop_meanwhile)
{
	int client = client_of(listener);

	use_up_descriptors(0);
	RUN_UNTIL(readable(client));
	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	run_for(150);
	give_back_descriptors();
	close(client);
}
END_TEST

START_TEST(row_12_no_descriptor_for_a_port)
{
	int second = place_listener(&places[3]);
	unsigned before;

	use_up_descriptors(0);
	before = open_descriptors();
	ck_assert_int_eq(adopt_stream_port(loop, second, AF_UNIX, &factory->factory, NULL),
			 -EMFILE);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(factory->starts, 1);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 1);
	give_back_descriptors();
	close(second);
}
END_TEST

/* --- row 13 --- */

/* What ends a batch, and whether that is trouble to be told. */
static const struct {
	int error;
	bool told;
} endings[] = {
	{ENOBUFS, true},       {ENFILE, true},    {ENOMEM, true},
	{ECONNABORTED, false}, {ENETDOWN, false}, {EPROTO, false},
};
#define ENDINGS 6

START_TEST(row_13_batch_ends_port_survives)
{
	int one = client_of(listener), two = client_of(listener);

	count_turns();
	inject(endings[_i].error);
	RUN_UNTIL(factory->count == 2);
	count_no_turns();
	ck_assert_uint_eq(accepts_in[0], 1);
	ck_assert_uint_eq(observed.troubles, endings[_i].told);
	ck_assert_uint_eq(observed.recoveries, endings[_i].told);
	if (endings[_i].told)
		ck_assert_int_eq(observed.trouble, -endings[_i].error);
	close(one);
	close(two);
}
END_TEST

START_TEST(row_13_trouble_is_told_once_an_episode)
{
	int client = client_of(listener);

	inject(endings[_i].error);
	inject(endings[_i].error);
	inject(endings[_i].error);
	RUN_UNTIL(factory->count == 1);
	ck_assert_uint_eq(observed.troubles, endings[_i].told);
	ck_assert_uint_eq(observed.recoveries, endings[_i].told);
	close(client);
}
END_TEST

START_TEST(row_13_eperm_skips_that_client)
{
	int one = client_of(listener), two = client_of(listener);

	count_turns();
	inject(EPERM);
	inject(EPERM);
	RUN_UNTIL(factory->count == 2);
	count_no_turns();
	ck_assert_uint_ge(accepts_in[0], 4);
	ck_assert_uint_eq(observed.troubles, 0);
	close(one);
	close(two);
}
END_TEST

/* --- row 14 --- */

#define MANY 330

START_TEST(row_14_batches_adapt)
{
	static int clients[MANY];
	unsigned most = 0;

	for (int i = 0; i < MANY; i++)
		clients[i] = client_of(listener);
	count_turns();
	RUN_UNTIL(factory->count == MANY);
	count_no_turns();
	ck_assert_uint_eq(accepts_in[0], 100);
	ck_assert_uint_gt(accepts_in[1], 100);
	for (unsigned i = 0; i < TURNS; i++)
		most = accepts_in[i] > most ? accepts_in[i] : most;
	ck_assert_uint_lt(most, MANY);
	for (int i = 0; i < MANY; i++)
		close(clients[i]);
}
END_TEST

static struct recorder_factory *quiet_factory;
static unsigned busy_count; /* of the busy port, when the quiet one was served */

static void quiet_port_builds(void)
{
	busy_count = factory->count;
}

/* Both have waited from the start: the quiet one is served before the busy one
 * is through. */
START_TEST(row_14_busy_port_leaves_the_rest_its_turn)
{
	static int clients[MANY];
	int quiet = place_listener(&places[3]), client;

	quiet_factory = recorder_factory_new();
	quiet_factory->hooks.building = quiet_port_builds;
	ck_assert_int_eq(adopt_stream_port(loop, quiet, AF_UNIX, &quiet_factory->factory, NULL), 0);
	for (int i = 0; i < MANY; i++)
		clients[i] = client_of(listener);
	client = client_of(quiet);
	RUN_UNTIL(factory->count == MANY && quiet_factory->count == 1);
	ck_assert_uint_le(busy_count, 100);
	for (int i = 0; i < MANY; i++)
		close(clients[i]);
	close(client);
	close(quiet);
	free_loop();
	recorder_factory_free(quiet_factory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("accept faults");
	TCase *tests = harness_case("accept faults");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_12_no_descriptor_left);
	tcase_add_test(tests, row_12_every_episode_is_told_once);
	tcase_add_test(tests, row_12_late_clients_do_not_hang);
	tcase_add_test(tests, row_12_costs_no_time);
	tcase_add_test(tests, row_12_port_may_stop_meanwhile);
	tcase_add_test(tests, row_12_no_descriptor_for_a_port);
	tcase_add_loop_test(tests, row_13_batch_ends_port_survives, 0, ENDINGS);
	tcase_add_loop_test(tests, row_13_trouble_is_told_once_an_episode, 0, ENDINGS);
	tcase_add_test(tests, row_13_eperm_skips_that_client);
	tcase_add_test(tests, row_14_batches_adapt);
	tcase_add_test(tests, row_14_busy_port_leaves_the_rest_its_turn);
	return harness_main(suite);
}
