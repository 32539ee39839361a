/* Those who wait for an upstream that does not answer yet: through the proxy for
 * streams, on the memory reactor. */
#include "handlers/dial_queue.h"
#include "memory_proxy.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static size_t done; /* connects that have been finished */

static void setup(void)
{
	memory_proxy_start(1);
	done = 0;
}

static void clients(unsigned count)
{
	while (count-- > 0)
		client();
}

static size_t begun(void)
{
	const struct adopt_memory_connect *made;

	return adopt_memory_connects(reactor, &made);
}

static void finish(int error)
{
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, done++, error, NULL), 0);
}

static void advance(uint64_t ms)
{
	adopt_memory_advance(reactor, ms);
}

/* Lets time pass in which each connect ends so as soon as it has begun. Returns how many
 * ended. */
static size_t pass(unsigned ms, int error)
{
	size_t before = done;

	for (; ms > 0; ms--) {
		advance(1);
		while (done < begun())
			finish(error);
	}
	return done - before;
}

/* Lets time pass in which `clients_per_ms` come, and each connect ends so long after it has
 * begun, each tenth of them with this error. Returns how many were answered. */
static size_t traffic(unsigned ms, unsigned clients_per_ms, unsigned delay_ms, int tenth)
{
	static unsigned due[10000];
	size_t seen = begun(), answered = 0;

	ck_assert_uint_eq(done, seen);
	for (unsigned now = 1; now <= ms; now++) {
		clients(clients_per_ms);
		advance(1);
		for (; seen < begun(); seen++) {
			ck_assert_uint_lt(seen, 10000);
			due[seen] = now + delay_ms;
		}
		for (; done < seen && due[done] <= now; finish(done % 10 == 0 ? tenth : 0))
			answered += done % 10 > 0 || tenth == 0;
	}
	return answered;
}

static bool is_joined(const struct adopt_transport *transport)
{
	return !adopt_memory_paused(transport);
}

START_TEST(one_tries_for_all)
{
	client();
	finish(-ECONNREFUSED);
	clients(50);
	ck_assert_uint_eq(begun(), 1);
	ck_assert_uint_eq(pass(500, -ECONNREFUSED), 5);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 51);
}
END_TEST

START_TEST(who_is_alone_tries_at_once)
{
	struct adopt_transport *first = client();

	finish(-ECONNREFUSED);
	adopt_memory_lose(first, -ECONNRESET);
	advance(0);
	client();
	ck_assert_uint_eq(begun(), 2);
}
END_TEST

START_TEST(others_follow_in_their_order)
{
	struct adopt_transport *all[4];

	for (size_t i = 0; i < 4; i++)
		all[i] = client();
	/* All have tried, in whatever order they are told. */
	for (size_t i = 4; i > 0; i--)
		ck_assert_int_eq(adopt_memory_connect_finish(reactor, i - 1, -ECONNREFUSED, NULL),
				 0);
	done = 4;
	ck_assert_uint_eq(pass(100, 0), 1);
	ck_assert(is_joined(all[0]) && !is_joined(all[1]));
	advance(5);
	/* Twice as many. */
	ck_assert_uint_eq(begun(), 7);
	finish(0);
	finish(0);
	ck_assert(is_joined(all[1]) && is_joined(all[2]) && !is_joined(all[3]));
	advance(5);
	finish(0);
	ck_assert(is_joined(all[3]));
	/* Nobody waits any more, and nobody has to. */
	client();
	ck_assert_uint_eq(begun(), 9);
}
END_TEST

START_TEST(few_connect_at_once)
{
	size_t answered = 0;

	client();
	finish(-ECONNREFUSED);
	clients(500);
	advance(100);
	for (unsigned ms = 0; ms < 800; ms++) {
		size_t open = begun() - done;

		ck_assert_uint_le(open, answered + 1);
		/* A while later, some of those who try are answered. */
		for (size_t answers = (open + 3) / 4; answers > 0; answers--, answered++)
			finish(0);
		advance(1);
	}
	ck_assert_uint_eq(answered, 501);
}
END_TEST

START_TEST(few_begin_at_a_time)
{
	size_t before;

	client();
	finish(-ECONNREFUSED);
	clients(500);
	pass(100, 0);
	for (unsigned turn = 0; turn < 20; turn++) {
		before = begun();
		pass(5, 0);
		ck_assert_uint_le(begun() - before, 64);
	}
	ck_assert_uint_eq(done, 502);
}
END_TEST

/* So many are on their way at a time, where each of them takes long. */
START_TEST(all_are_served_again_where_an_answer_takes_long)
{
	client();
	finish(-ECONNREFUSED);
	ck_assert_uint_ge(traffic(1500, 2, 50, 0), 2 * 1400);
	client();
	ck_assert_uint_eq(begun() - done, 2 * 50 + 1);
}
END_TEST

/* One address may stand for many servers, one of which is dead. */
START_TEST(refused_now_and_then_they_hold_up_nobody)
{
	ck_assert_uint_ge(traffic(2000, 1, 0, -ECONNREFUSED), 1950);
	client();
	ck_assert_uint_eq(begun(), done + 1);
}
END_TEST

START_TEST(who_comes_meanwhile_is_behind_them)
{
	struct adopt_transport *last;

	client();
	finish(-ECONNREFUSED);
	clients(10);
	pass(100, 0);
	last = client();
	ck_assert_uint_eq(pass(5, 0), 2);
	ck_assert_uint_eq(pass(5, 0), 4);
	ck_assert(!is_joined(last));
	ck_assert_uint_eq(pass(5, 0), 5);
	ck_assert(is_joined(last));
}
END_TEST

START_TEST(silence_has_the_next_one_try_too)
{
	client();
	finish(-ECONNREFUSED);
	clients(5);
	advance(100);
	ck_assert_uint_eq(begun(), 2);
	advance(300);
	ck_assert_uint_eq(begun(), 5);
}
END_TEST

START_TEST(who_has_little_time_left_does_not_try_for_others)
{
	const struct adopt_memory_connect *made;
	struct adopt_transport *last;

	client();
	finish(-ECONNREFUSED);
	clients(1);
	pass(750, -ECONNREFUSED);
	last = client();
	advance(50);
	ck_assert_uint_eq(adopt_memory_connects(reactor, &made), done + 1);
	ck_assert_uint_gt(made[done].timeout_ms, 900);
	finish(0);
	ck_assert(is_joined(last));
	ck_assert_uint_eq(pass(5, 0), 2);
}
END_TEST

START_TEST(slow_answers_do_not_hold_up_the_next_one)
{
	settings.connect_timeout_ms = 0;
	clients(200);
	finish(-ECONNREFUSED);
	for (unsigned answers = 0; answers < 5; answers++) {
		ck_assert_uint_eq(begun(), 200);
		advance(20);
		finish(0);
	}
	ck_assert_uint_eq(begun(), 201);
}
END_TEST

START_TEST(each_has_time_for_its_round)
{
	const struct adopt_memory_connect *made;

	clients(5);
	advance(50);
	finish(-ECONNREFUSED);
	pass(2000, -ECONNREFUSED);
	ck_assert_uint_gt(adopt_memory_connects(reactor, &made), 10);
	for (size_t i = 0; i < done; i++)
		ck_assert_uint_ge(made[i].timeout_ms, settings.retry_interval_ms);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(each_has_its_own_time)
{
	client();
	finish(-ECONNREFUSED);
	advance(50);
	clients(3);
	pass(400, -ECONNREFUSED);
	clients(2);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 6);
	pass(500, -ECONNREFUSED);
	ck_assert_uint_gt(adopt_reactor_connection_count(reactor), 2);
	pass(1, -ECONNREFUSED);
	advance(0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 2);
	pass(400, -ECONNREFUSED);
	advance(0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(who_leaves_is_passed_over)
{
	struct adopt_transport *second, *third;

	client();
	finish(-ECONNREFUSED);
	second = client();
	third = client();
	adopt_memory_lose(second, -ECONNRESET);
	ck_assert_uint_eq(pass(105, 0), 2);
	ck_assert(is_joined(third));
}
END_TEST

START_TEST(who_leaves_while_it_tries_is_followed)
{
	struct adopt_transport *first = client(), *second;

	finish(-ECONNREFUSED);
	second = client();
	advance(100);
	ck_assert_uint_eq(begun(), 2);
	adopt_memory_lose(first, -ECONNRESET);
	done++;
	ck_assert_uint_eq(pass(100, 0), 1);
	ck_assert(is_joined(second));
}
END_TEST

START_TEST(full_backlog_gets_a_moment)
{
	struct adopt_transport *last;

	client();
	pass(1, 0);
	clients(50);
	pass(1, -EAGAIN);
	/* There is somebody: who comes need not wait for them. */
	last = client();
	pass(1, 0);
	ck_assert(is_joined(last));
	/* Nobody tries more often than once an interval, but they are fifty. */
	ck_assert_uint_eq(pass(2, -EAGAIN), 0);
	ck_assert_uint_ge(pass(90, -EAGAIN), 15);
	ck_assert_uint_le(done, 52 + 60);
	/* Nobody has answered for so long: one tries for all. */
	pass(20, -EAGAIN);
	ck_assert_uint_le(pass(500, -EAGAIN), 5);
}
END_TEST

START_TEST(reactor_may_end_while_they_wait)
{
	client();
	finish(-ECONNREFUSED);
	clients(10);
	advance(100);
	/* teardown frees it: the sanitizer tells of what is left */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create(("dial_queue"));
	TCase *tests = tcase_create(("dial_queue"));
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, memory_proxy_stop);
	tcase_add_test(tests, one_tries_for_all);
	tcase_add_test(tests, who_is_alone_tries_at_once);
	tcase_add_test(tests, others_follow_in_their_order);
	tcase_add_test(tests, few_connect_at_once);
	tcase_add_test(tests, few_begin_at_a_time);
	tcase_add_test(tests, all_are_served_again_where_an_answer_takes_long);
	tcase_add_test(tests, refused_now_and_then_they_hold_up_nobody);
	tcase_add_test(tests, who_comes_meanwhile_is_behind_them);
	tcase_add_test(tests, silence_has_the_next_one_try_too);
	tcase_add_test(tests, who_has_little_time_left_does_not_try_for_others);
	tcase_add_test(tests, slow_answers_do_not_hold_up_the_next_one);
	tcase_add_test(tests, each_has_time_for_its_round);
	tcase_add_test(tests, each_has_its_own_time);
	tcase_add_test(tests, who_leaves_is_passed_over);
	tcase_add_test(tests, who_leaves_while_it_tries_is_followed);
	tcase_add_test(tests, full_backlog_gets_a_moment);
	tcase_add_test(tests, reactor_may_end_while_they_wait);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
