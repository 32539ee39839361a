/* The loop itself: run and stop, calls, timers, watchers, signals, the end. */
#include "adopt/event_reactor.h"
#include "recorder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- calls --- */

/* Each call writes its letter; the last one stops the loop. */
static char written[64];

struct letter {
	struct adopt_call call;
	char letter;
	struct letter *asks; /* for this one, when it runs */
	bool stops;
};

static void write_letter(struct adopt_call *call)
{
	struct letter *letter = (struct letter *)call;
	size_t length = strlen(written);

	written[length] = letter->letter;
	written[length + 1] = '\0';
	if (letter->asks)
		adopt_call_soon(loop, &letter->asks->call);
	if (letter->stops)
		adopt_reactor_stop(loop);
}

static struct letter letter(char which)
{
	return (struct letter){.call = {.run = write_letter}, .letter = which};
}

static void letters_set_up(void)
{
	memset(written, 0, sizeof written);
}

START_TEST(calls_run_in_order)
{
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	c.stops = true;
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &c.call);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "abc");
}
END_TEST

START_TEST(calls_are_taken_back)
{
	struct letter a = letter('a'), b = letter('b'), c = letter('c'), d = letter('d');

	d.stops = true;
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	adopt_call_soon(loop, &c.call);
	adopt_call_cancel(loop, &a.call);
	adopt_call_cancel(loop, &c.call);
	adopt_call_cancel(loop, &c.call);
	adopt_call_soon(loop, &d.call);
	adopt_call_soon(loop, &a.call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_ptr_nonnull(strstr(written, "bd"));
	ck_assert_ptr_null(strchr(written, 'c'));
	RUN_UNTIL(strcmp(written, "bda") == 0);
}
END_TEST

/* A call that asks for itself must leave timers and descriptors their turn. */
START_TEST(calls_do_not_starve_the_rest)
{
	struct letter a = letter('\0');
	struct peer peer;
	int pair[2];

	a.asks = &a;
	unix_pair(SOCK_STREAM, pair);
	peer_start(&peer, pair[0], 0, false);
	adopt_call_soon(loop, &a.call);
	close(pair[1]);
	RUN_UNTIL(peer.ended);
	adopt_call_cancel(loop, &a.call);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

START_TEST(call_asked_for_by_a_call_runs_later)
{
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	a.asks = &c;
	c.stops = true;
	adopt_call_soon(loop, &a.call);
	adopt_call_soon(loop, &b.call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "abc");
}
END_TEST

#define THREAD_CALLS 1000

struct counted {
	struct adopt_call call;
	unsigned *count;
	pthread_t *ran_in;
};

static struct counted counted[4][THREAD_CALLS];

static void count(struct adopt_call *call)
{
	struct counted *mine = (struct counted *)call;

	*mine->ran_in = pthread_self();
	if (++*mine->count == 4 * THREAD_CALLS)
		adopt_reactor_stop(loop);
}

static void *make_calls(void *argument)
{
	struct counted *calls = argument;

	for (unsigned i = 0; i < THREAD_CALLS; i++)
		adopt_call_from_thread(loop, &calls[i].call);
	return NULL;
}

/* No timer runs here: the calls themselves must wake the loop. */
START_TEST(calls_from_threads)
{
	pthread_t threads[4], ran_in = pthread_self();
	unsigned made = 0;

	for (unsigned i = 0; i < 4 * THREAD_CALLS; i++)
		counted[i / THREAD_CALLS][i % THREAD_CALLS] =
			(struct counted){{.run = count}, &made, &ran_in};
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make_calls, counted[i]), 0);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(made, 4 * THREAD_CALLS);
	ck_assert(pthread_equal(ran_in, pthread_self()));
}
END_TEST

struct shared {
	struct adopt_call call;
	atomic_uint askers; /* that have not finished */
	unsigned made;
};

static void run_shared(struct adopt_call *call)
{
	struct shared *shared = (struct shared *)call;

	shared->made++;
	if (atomic_load(&shared->askers) == 0)
		adopt_reactor_stop(loop);
}

static void *ask_often(void *argument)
{
	struct shared *shared = argument;

	for (unsigned i = 0; i < 10 * THREAD_CALLS; i++)
		adopt_call_from_thread(loop, &shared->call);
	atomic_fetch_sub(&shared->askers, 1);
	adopt_call_from_thread(loop, &shared->call);
	return NULL;
}

/* It may run while it is asked for: whoever asks finds it run later. */
START_TEST(one_call_from_many_threads)
{
	struct shared shared = {.call.run = run_shared, .askers = 4};
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, &shared), 0);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_ge(shared.made, 1);
	ck_assert_uint_le(shared.made, 4 * (10 * THREAD_CALLS + 1));
	adopt_call_from_thread_cancel(loop, &shared.call);
}
END_TEST

START_TEST(call_from_a_thread_is_taken_back)
{
	struct letter a = letter('a'), b = letter('b');

	b.stops = true;
	adopt_call_from_thread(loop, &a.call);
	adopt_call_from_thread(loop, &b.call);
	adopt_call_from_thread_cancel(loop, &a.call);
	adopt_call_from_thread_cancel(loop, &a.call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "b");
}
END_TEST

static void *call_and_leave(void *argument)
{
	struct letter *last = argument;

	adopt_call_from_thread(loop, &last->call);
	return NULL;
}

START_TEST(call_from_a_thread_before_the_run)
{
	struct letter a = letter('a');
	pthread_t thread;

	a.stops = true;
	ck_assert_int_eq(pthread_create(&thread, NULL, call_and_leave, &a), 0);
	pthread_join(thread, NULL);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_str_eq(written, "a");
}
END_TEST

/* --- run and stop --- */

START_TEST(stop_before_run_ends_it_at_once)
{
	adopt_reactor_stop(loop);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	adopt_reactor_stop(loop);
	adopt_reactor_stop(loop);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
}
END_TEST

static int nested_result;

static void run_nested(struct adopt_call *call)
{
	(void)call;
	nested_result = adopt_reactor_run(loop);
	adopt_reactor_stop(loop);
}

START_TEST(run_inside_a_run_is_refused)
{
	struct adopt_call call = {.run = run_nested};

	adopt_call_soon(loop, &call);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_int_eq(nested_result, -EBUSY);
}
END_TEST

/* --- timers --- */

struct ticks {
	struct adopt_timer *timer;
	unsigned count;
	unsigned again; /* how often to start it anew from inside */
	bool frees;
	uint64_t at_ms;
};

static void count_tick(void *context)
{
	struct ticks *ticks = context;

	ticks->count++;
	ticks->at_ms = adopt_reactor_now_ms(loop);
	if (ticks->frees)
		adopt_timer_free(&ticks->timer);
	else if (ticks->again-- > 0)
		adopt_timer_start(ticks->timer, 1);
	else
		ticks->again = 0;
}

static void ticks_init(struct ticks *ticks)
{
	*ticks = (struct ticks){0};
	ck_assert_int_eq(adopt_timer_new(loop, count_tick, ticks, &ticks->timer), 0);
}

START_TEST(timer_elapses_once_and_not_early)
{
	uint64_t began = adopt_reactor_now_ms(loop);
	struct ticks ticks;

	ticks_init(&ticks);
	adopt_timer_start(ticks.timer, 100);
	RUN_UNTIL(ticks.count == 1);
	ck_assert_uint_ge(ticks.at_ms, began + 100 - CLOCK_STEP_MS);
	settle();
	ck_assert_uint_eq(ticks.count, 1);
	adopt_timer_free(&ticks.timer);
	ck_assert_ptr_null(ticks.timer);
	adopt_timer_free(&ticks.timer);
}
END_TEST

START_TEST(timer_starts_anew_from_inside)
{
	struct ticks ticks;

	ticks_init(&ticks);
	ticks.again = 4;
	adopt_timer_start(ticks.timer, 0);
	RUN_UNTIL(ticks.count == 5);
	settle();
	ck_assert_uint_eq(ticks.count, 5);
	adopt_timer_free(&ticks.timer);
}
END_TEST

START_TEST(timer_that_waits_starts_anew)
{
	struct ticks soon, late;

	ticks_init(&soon);
	ticks_init(&late);
	adopt_timer_start(late.timer, 1);
	adopt_timer_start(late.timer, 3600 * 1000);
	adopt_timer_start(soon.timer, 3600 * 1000);
	adopt_timer_start(soon.timer, 5);
	RUN_UNTIL(soon.count == 1);
	settle();
	ck_assert_uint_eq(late.count, 0);
	adopt_timer_free(&soon.timer);
	adopt_timer_free(&late.timer);
}
END_TEST

START_TEST(timer_stops)
{
	struct ticks ticks;

	ticks_init(&ticks);
	adopt_timer_stop(ticks.timer);
	adopt_timer_start(ticks.timer, 0);
	adopt_timer_stop(ticks.timer);
	settle();
	ck_assert_uint_eq(ticks.count, 0);
	adopt_timer_free(&ticks.timer);
}
END_TEST

START_TEST(timer_frees_itself)
{
	struct ticks ticks;

	ticks_init(&ticks);
	ticks.frees = true;
	adopt_timer_start(ticks.timer, 1);
	RUN_UNTIL(ticks.count == 1);
	ck_assert_ptr_null(ticks.timer);
}
END_TEST

/* --- watchers --- */

struct watched {
	struct adopt_watcher watcher;
	unsigned readable;
	unsigned writable;
	bool removes;
};

static void became_readable(struct adopt_watcher *watcher)
{
	struct watched *watched = (struct watched *)watcher;

	watched->readable++;
	if (watched->removes)
		adopt_reader_remove(loop, watcher);
}

static void became_writable(struct adopt_watcher *watcher)
{
	struct watched *watched = (struct watched *)watcher;

	watched->writable++;
	if (watched->removes)
		adopt_writer_remove(loop, watcher);
}

static const struct adopt_watcher_ops watched_ops = {became_readable, became_writable};

START_TEST(watcher_is_called_while_it_is_so)
{
	struct watched watched = {.watcher = {.ops = &watched_ops}};
	int pair[2];

	unix_pair(SOCK_STREAM, pair);
	watched.watcher.fd = pair[0];
	ck_assert_int_eq(adopt_reader_add(loop, &watched.watcher), 0);
	ck_assert_int_eq(adopt_reader_add(loop, &watched.watcher), 0);
	settle();
	ck_assert_uint_eq(watched.readable, 0);
	send_text(pair[1], "x");
	RUN_UNTIL(watched.readable > 3);
	assert_reads(pair[0], "x");
	watched.readable = 0;
	settle();
	ck_assert_uint_le(watched.readable, 1);
	adopt_reader_remove(loop, &watched.watcher);
	adopt_reader_remove(loop, &watched.watcher);
	ck_assert_uint_eq(watched.writable, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(watcher_removes_itself)
{
	struct watched watched = {.watcher = {.ops = &watched_ops}, .removes = true};
	int pair[2];

	unix_pair(SOCK_STREAM, pair);
	send_text(pair[1], "x");
	watched.watcher.fd = pair[0];
	ck_assert_int_eq(adopt_reader_add(loop, &watched.watcher), 0);
	ck_assert_int_eq(adopt_writer_add(loop, &watched.watcher), 0);
	RUN_UNTIL(watched.readable == 1 && watched.writable == 1);
	settle();
	ck_assert_uint_eq(watched.readable, 1);
	ck_assert_uint_eq(watched.writable, 1);
	send_text(pair[1], "the descriptor is still open");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(watcher_of_nothing)
{
	struct watched watched = {.watcher = {.ops = &watched_ops}};
	int pair[2];

	unix_pair(SOCK_STREAM, pair);
	close(pair[0]);
	close(pair[1]);
	watched.watcher.fd = pair[0];
	ck_assert_int_eq(adopt_reader_add(loop, &watched.watcher), -EBADF);
	ck_assert_ptr_null(watched.watcher.reader);
}
END_TEST

/* --- signals --- */

static void count_signal(void *context)
{
	++*(unsigned *)context;
}

static struct sigaction disposition_of(int number)
{
	struct sigaction action;

	ck_assert_int_eq(sigaction(number, NULL, &action), 0);
	return action;
}

START_TEST(signals_become_callbacks)
{
	struct sigaction before = disposition_of(SIGUSR1);
	struct adopt_signal *first, *second;
	unsigned ones = 0, twos = 0;

	ck_assert_int_eq(adopt_signal_new(loop, SIGUSR1, count_signal, &ones, &first), 0);
	ck_assert_int_eq(adopt_signal_new(loop, SIGUSR2, count_signal, &twos, &second), 0);
	raise(SIGUSR1);
	ck_assert_uint_eq(ones, 0);
	RUN_UNTIL(ones == 1);
	ck_assert_uint_eq(twos, 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	RUN_UNTIL(ones == 2 && twos == 1);
	adopt_signal_free(&first);
	ck_assert_ptr_null(first);
	ck_assert(disposition_of(SIGUSR1).sa_handler == before.sa_handler);
	adopt_signal_free(&second);
	adopt_signal_free(&second);
}
END_TEST

/* Without a timer: the signal itself wakes the loop. */
static void stop_on_signal(void *context)
{
	(void)context;
	adopt_reactor_stop(loop);
}

static void *raise_soon(void *argument)
{
	(void)argument;
	kill(getpid(), SIGTERM);
	return NULL;
}

START_TEST(signal_wakes_the_loop)
{
	struct adopt_signal *signal;
	pthread_t thread;

	ck_assert_int_eq(adopt_signal_new(loop, SIGTERM, stop_on_signal, NULL, &signal), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, raise_soon, NULL), 0);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	pthread_join(thread, NULL);
	adopt_signal_free(&signal);
}
END_TEST

START_TEST(signal_that_cannot_be_watched)
{
	struct adopt_signal *signal = NULL;

	ck_assert_int_eq(adopt_signal_new(loop, SIGKILL, count_signal, NULL, &signal), -EINVAL);
	ck_assert_int_eq(adopt_signal_new(loop, 4096, count_signal, NULL, &signal), -EINVAL);
	ck_assert_int_eq(adopt_signal_new(loop, -1, count_signal, NULL, &signal), -EINVAL);
	ck_assert_ptr_null(signal);
}
END_TEST

/* --- beginning --- */

START_TEST(reactor_needs_descriptors)
{
	for (unsigned spare = 0; spare < 16; spare++) {
		struct adopt_reactor *second = NULL;
		unsigned before;
		int error;

		use_up_descriptors(spare);
		before = open_descriptors();
		error = adopt_reactor_new(&second);
		if (error == 0) {
			assert_new_close_on_exec();
			ck_assert_uint_gt(spare, 2);
		} else {
			ck_assert_int_eq(error, -EMFILE);
			ck_assert_ptr_null(second);
		}
		adopt_reactor_free(&second);
		ck_assert_uint_eq(open_descriptors(), before);
		give_back_descriptors();
	}
}
END_TEST

struct guest {
	struct adopt_guest base;
	struct adopt_timer *timer;
	unsigned left;
};

static void leave(struct adopt_guest *base)
{
	struct guest *guest = (struct guest *)base;

	guest->left++;
	/* What it has is valid still. */
	adopt_timer_start(guest->timer, 1);
	adopt_timer_free(&guest->timer);
}

static void never(void *context)
{
	(void)context;
	ck_abort_msg("the timer of one who has left");
}

START_TEST(guests_are_asked_to_leave)
{
	struct guest guests[3] = {
		{.base.leave = leave}, {.base.leave = leave}, {.base.leave = leave}};

	if (_i == 1) {
		free_loop();
		ck_assert_int_eq(adopt_memory_reactor_new(&loop), 0);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(adopt_timer_new(loop, never, NULL, &guests[i].timer), 0);
		adopt_guest_add(loop, &guests[i].base);
	}
	adopt_guest_remove(&guests[1].base);
	adopt_timer_free(&guests[1].timer);
	free_loop();
	ck_assert_uint_eq(guests[0].left, 1);
	ck_assert_uint_eq(guests[1].left, 0);
	ck_assert_uint_eq(guests[2].left, 1);
}
END_TEST

START_TEST(freeing_none_is_harmless)
{
	struct adopt_reactor *none = NULL;

	adopt_reactor_free(&none);
	ck_assert_ptr_null(none);
}
END_TEST

/* make check-backends leaves some out. */
START_TEST(backend_is_one_that_was_left)
{
	const char *method = event_base_get_method(event_reactor(loop)->events);

	if (getenv("EVENT_NOEPOLL"))
		ck_assert_str_ne(method, "epoll");
	if (getenv("EVENT_NOPOLL"))
		ck_assert_str_ne(method, "poll");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reactor");
	TCase *tests = harness_case("reactor");

	tcase_add_checked_fixture(tests, letters_set_up, NULL);
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, backend_is_one_that_was_left);
	tcase_add_test(tests, calls_run_in_order);
	tcase_add_test(tests, calls_are_taken_back);
	tcase_add_test(tests, calls_do_not_starve_the_rest);
	tcase_add_test(tests, call_asked_for_by_a_call_runs_later);
	tcase_add_test(tests, calls_from_threads);
	tcase_add_test(tests, one_call_from_many_threads);
	tcase_add_test(tests, call_from_a_thread_is_taken_back);
	tcase_add_test(tests, call_from_a_thread_before_the_run);
	tcase_add_test(tests, stop_before_run_ends_it_at_once);
	tcase_add_test(tests, run_inside_a_run_is_refused);
	tcase_add_test(tests, timer_elapses_once_and_not_early);
	tcase_add_test(tests, timer_starts_anew_from_inside);
	tcase_add_test(tests, timer_that_waits_starts_anew);
	tcase_add_test(tests, timer_stops);
	tcase_add_test(tests, timer_frees_itself);
	tcase_add_test(tests, watcher_is_called_while_it_is_so);
	tcase_add_test(tests, watcher_removes_itself);
	tcase_add_test(tests, watcher_of_nothing);
	tcase_add_test(tests, signals_become_callbacks);
	tcase_add_test(tests, signal_wakes_the_loop);
	tcase_add_test(tests, signal_that_cannot_be_watched);
	tcase_add_test(tests, reactor_needs_descriptors);
	tcase_add_loop_test(tests, guests_are_asked_to_leave, 0, 2);
	tcase_add_test(tests, freeing_none_is_harmless);
	return harness_main(suite);
}
