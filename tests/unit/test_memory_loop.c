/* The memory reactor's loop (contract row 28): run, stop, calls, the clock, timers,
 * signals. */
#include "memory_case.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

/* What has run, a letter each. */
static char written[64];

static void append(char letter)
{
	size_t length = strlen(written);

	ck_assert_uint_lt(length + 1, sizeof written);
	written[length] = letter;
	written[length + 1] = '\0';
}

static void written_set_up(void)
{
	memset(written, 0, sizeof written);
}

/* --- calls, run, stop --- */

struct letter {
	struct adopt_call call;
	char letter;
	struct letter *asks; /* for this one, when it runs */
	bool stops;
};

static void write_letter(struct adopt_call *call)
{
	struct letter *letter = (struct letter *)call;

	append(letter->letter);
	if (letter->asks)
		adopt_call_soon(loop, &letter->asks->call);
	if (letter->stops)
		adopt_reactor_stop(loop);
}

static struct letter letter(char which)
{
	return (struct letter){.call = {.run = write_letter}, .letter = which};
}

START_TEST(run_goes_on_until_no_call_waits)
{
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	a.asks = &c;
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	adopt_call_soon(loop, &a.call);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "abc");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "abc");
}
END_TEST

START_TEST(stop_ends_after_the_turn)
{
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	a.stops = true;
	a.asks = &c;
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "ab");
	ck_assert(!adopt_memory_stopping(loop));
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "abc");
}
END_TEST

START_TEST(stop_before_the_run)
{
	struct letter a = letter('a');

	ck_assert(!adopt_memory_stopping(loop));
	adopt_call_soon(loop, &a.call);
	adopt_reactor_stop(loop);
	ck_assert(adopt_memory_stopping(loop));
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "");
	ck_assert(!adopt_memory_stopping(loop));
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "a");
}
END_TEST

static void run_inside(struct adopt_call *call)
{
	(void)call;
	ck_assert_int_eq(adopt_reactor_run(loop), -EBUSY);
	append('i');
}

START_TEST(run_inside_a_run)
{
	struct adopt_call call = {.run = run_inside};

	adopt_call_soon(loop, &call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	adopt_call_soon(loop, &call);
	adopt_memory_advance(loop, 0);
	ck_assert_str_eq(written, "ii");
}
END_TEST

START_TEST(calls_are_taken_back)
{
	struct letter a = letter('a'), b = letter('b');

	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	adopt_call_cancel(loop, &b.call);
	adopt_call_cancel(loop, &b.call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "a");
}
END_TEST

static void *call_from_thread(void *argument)
{
	adopt_call_from_thread(loop, argument);
	return NULL;
}

START_TEST(call_from_another_thread)
{
	struct letter a = letter('a'), b = letter('b');
	pthread_t thread;

	adopt_call_soon(loop, &b.call);
	ck_assert_int_eq(pthread_create(&thread, NULL, call_from_thread, &a.call), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "ba");
}
END_TEST

/* --- the clock --- */

struct alarm {
	struct adopt_timer *timer;
	char letter;
	uint64_t due_ms; /* when it has to elapse */
	uint64_t again_ms;
	struct adopt_call *asks;
};

static void elapsed(void *context)
{
	struct alarm *alarm = context;

	append(alarm->letter);
	ck_assert_uint_eq(adopt_reactor_now_ms(loop), alarm->due_ms);
	if (alarm->asks)
		adopt_call_soon(loop, alarm->asks);
	if (alarm->again_ms > 0) {
		alarm->due_ms += alarm->again_ms;
		adopt_timer_start(alarm->timer, alarm->again_ms);
	}
}

static void alarm_start(struct alarm *alarm, char letter, uint64_t delay_ms)
{
	*alarm = (struct alarm){.letter = letter};
	ck_assert_int_eq(adopt_timer_new(loop, elapsed, alarm, &alarm->timer), 0);
	alarm->due_ms = adopt_reactor_now_ms(loop) + delay_ms;
	adopt_timer_start(alarm->timer, delay_ms);
}

START_TEST(clock_moves_as_told)
{
	uint64_t begin = adopt_reactor_now_ms(loop);

	ck_assert_uint_gt(begin, 0);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(adopt_reactor_now_ms(loop), begin);
	adopt_memory_advance(loop, 0);
	ck_assert_uint_eq(adopt_reactor_now_ms(loop), begin);
	adopt_memory_advance(loop, 1234);
	ck_assert_uint_eq(adopt_reactor_now_ms(loop), begin + 1234);
}
END_TEST

START_TEST(timers_elapse_in_order)
{
	struct alarm a, b, c, d;

	alarm_start(&a, 'a', 20);
	alarm_start(&b, 'b', 10);
	alarm_start(&c, 'c', 20);
	alarm_start(&d, 'd', 0);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "");
	adopt_memory_advance(loop, 0);
	ck_assert_str_eq(written, "d");
	adopt_memory_advance(loop, 9);
	ck_assert_str_eq(written, "d");
	adopt_memory_advance(loop, 100);
	ck_assert_str_eq(written, "dbac");
	adopt_timer_free(&a.timer);
	adopt_timer_free(&b.timer);
	adopt_timer_free(&c.timer);
	adopt_timer_free(&d.timer);
	ck_assert_ptr_null(a.timer);
	adopt_timer_free(&a.timer);
}
END_TEST

START_TEST(timer_is_started_anew_and_stopped)
{
	struct alarm a, b;

	alarm_start(&a, 'a', 10);
	alarm_start(&b, 'b', 10);
	adopt_memory_advance(loop, 5);
	adopt_timer_start(a.timer, 10);
	a.due_ms += 5;
	adopt_timer_stop(b.timer);
	adopt_timer_stop(b.timer);
	adopt_memory_advance(loop, 9);
	ck_assert_str_eq(written, "");
	adopt_memory_advance(loop, 1);
	ck_assert_str_eq(written, "a");
	adopt_timer_stop(a.timer);
	adopt_memory_advance(loop, 100);
	ck_assert_str_eq(written, "a");
	adopt_timer_free(&a.timer);
	adopt_timer_free(&b.timer);
}
END_TEST

START_TEST(timer_starts_itself_anew)
{
	struct alarm a, b;

	alarm_start(&a, 'a', 10);
	a.again_ms = 10;
	alarm_start(&b, 'b', 15);
	adopt_memory_advance(loop, 35);
	ck_assert_str_eq(written, "abaa");
	adopt_timer_free(&a.timer);
	adopt_timer_free(&b.timer);
}
END_TEST

START_TEST(calls_of_a_timer_come_before_the_next_one)
{
	struct letter asked = letter('!'), before = letter('0');
	struct alarm a, b;

	adopt_call_soon(loop, &before.call);
	alarm_start(&a, 'a', 10);
	a.asks = &asked.call;
	alarm_start(&b, 'b', 10);
	adopt_memory_advance(loop, 10);
	ck_assert_str_eq(written, "0a!b");
	adopt_timer_free(&a.timer);
	adopt_timer_free(&b.timer);
}
END_TEST

START_TEST(timer_that_never_comes)
{
	struct alarm a;

	alarm_start(&a, 'a', 0);
	adopt_timer_start(a.timer, UINT64_MAX);
	adopt_memory_advance(loop, UINT32_MAX);
	ck_assert_str_eq(written, "");
	adopt_timer_free(&a.timer);
}
END_TEST

static struct adopt_timer *suicide;

static void free_timer(void *context)
{
	(void)context;
	append('f');
	adopt_timer_free(&suicide);
}

START_TEST(timer_frees_itself)
{
	ck_assert_int_eq(adopt_timer_new(loop, free_timer, NULL, &suicide), 0);
	adopt_timer_start(suicide, 1);
	adopt_memory_advance(loop, 10);
	ck_assert_str_eq(written, "f");
	ck_assert_ptr_null(suicide);
}
END_TEST

START_TEST(advance_is_not_stopped)
{
	struct letter stop = letter('s');
	struct alarm a;

	stop.stops = true;
	adopt_call_soon(loop, &stop.call);
	alarm_start(&a, 'a', 10);
	adopt_memory_advance(loop, 10);
	ck_assert_str_eq(written, "sa");
	ck_assert(adopt_memory_stopping(loop));
	adopt_timer_free(&a.timer);
}
END_TEST

/* --- signals --- */

static void received(void *context)
{
	append(*(const char *)context);
}

START_TEST(signals_come_as_told)
{
	char term = 't', hup = 'h';
	struct adopt_signal *on_term = NULL, *on_hup = NULL;

	ck_assert_int_eq(adopt_signal_new(loop, -1, received, &term, &on_term), -EINVAL);
	ck_assert_int_eq(adopt_signal_new(loop, 100000, received, &term, &on_term), -EINVAL);
	ck_assert_ptr_null(on_term);
	ck_assert(!adopt_memory_signal(loop, SIGTERM));
	ck_assert_int_eq(adopt_signal_new(loop, SIGTERM, received, &term, &on_term), 0);
	ck_assert_int_eq(adopt_signal_new(loop, SIGHUP, received, &hup, &on_hup), 0);
	ck_assert(adopt_memory_signal(loop, SIGTERM));
	ck_assert(adopt_memory_signal(loop, SIGHUP));
	ck_assert(adopt_memory_signal(loop, SIGTERM));
	ck_assert_str_eq(written, "tht");
	adopt_signal_free(&on_term);
	ck_assert_ptr_null(on_term);
	ck_assert(!adopt_memory_signal(loop, SIGTERM));
	ck_assert(adopt_memory_signal(loop, SIGHUP));
	adopt_signal_free(&on_hup);
	adopt_signal_free(&on_hup);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory loop");
	TCase *tests = memory_case("memory loop");

	tcase_add_checked_fixture(tests, written_set_up, NULL);
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, run_goes_on_until_no_call_waits);
	tcase_add_test(tests, stop_ends_after_the_turn);
	tcase_add_test(tests, stop_before_the_run);
	tcase_add_test(tests, run_inside_a_run);
	tcase_add_test(tests, calls_are_taken_back);
	tcase_add_test(tests, call_from_another_thread);
	tcase_add_test(tests, clock_moves_as_told);
	tcase_add_test(tests, timers_elapse_in_order);
	tcase_add_test(tests, timer_is_started_anew_and_stopped);
	tcase_add_test(tests, timer_starts_itself_anew);
	tcase_add_test(tests, calls_of_a_timer_come_before_the_next_one);
	tcase_add_test(tests, timer_that_never_comes);
	tcase_add_test(tests, timer_frees_itself);
	tcase_add_test(tests, advance_is_not_stopped);
	tcase_add_test(tests, signals_come_as_told);
	return harness_main(suite);
}
