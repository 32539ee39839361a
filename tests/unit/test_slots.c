/* Slots that are shared, and quotas in them. */
#include "memory_case.h"
#include "support/quota.h"

#include <pthread.h>

static struct slots *slots;

struct waiting {
	struct slots_waiter waiter;
	unsigned granted;
};

static void granted(struct slots_waiter *waiter)
{
	((struct waiting *)waiter)->granted++;
}

static struct waiting a, b;

static void set_up(void)
{
	a = b = (struct waiting){.waiter = {.reactor = loop, .granted = granted}};
	ck_assert_int_eq(slots_new(2, &slots), 0);
}

static void tear_down(void)
{
	slots_unref(&slots);
}

static void turn(void)
{
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
}

START_TEST(taken_slots_are_not_free)
{
	ck_assert(slots_take(slots));
	ck_assert(slots_take(slots));
	ck_assert(!slots_take(slots));
	ck_assert_uint_eq(slots_used(slots), 2);
	slots_give(slots);
	ck_assert(slots_take(slots));
	slots_take_anyway(slots);
	ck_assert_uint_eq(slots_used(slots), 3);
	slots_give(slots);
	ck_assert(!slots_take(slots));
}
END_TEST

START_TEST(no_limit_is_never_full)
{
	slots_set_max(slots, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert(slots_take(slots));
}
END_TEST

START_TEST(line_is_served_in_its_order)
{
	slots_take(slots);
	slots_take(slots);
	slots_wait(slots, &a.waiter);
	slots_wait(slots, &a.waiter);
	slots_wait(slots, &b.waiter);
	turn();
	ck_assert(a.granted == 0 && b.granted == 0);
	slots_give(slots);
	ck_assert(!slots_take(slots));
	ck_assert(a.granted == 0);
	turn();
	ck_assert(a.granted == 1 && b.granted == 0);
	slots_give(slots);
	turn();
	ck_assert(a.granted == 1 && b.granted == 1);
}
END_TEST

START_TEST(who_waits_for_a_free_one_gets_it_later)
{
	slots_wait(slots, &a.waiter);
	ck_assert_uint_eq(a.granted, 0);
	turn();
	ck_assert_uint_eq(a.granted, 1);
	ck_assert_uint_eq(slots_used(slots), 1);
}
END_TEST

START_TEST(who_leaves_is_not_called)
{
	slots_take(slots);
	slots_take(slots);
	slots_wait(slots, &a.waiter);
	slots_wait(slots, &b.waiter);
	/* One in line, and one whose call is under way, which goes on to the next. */
	slots_give(slots);
	slots_leave(&a.waiter);
	turn();
	ck_assert(a.granted == 0 && b.granted == 1);
	slots_wait(slots, &a.waiter);
	slots_leave(&a.waiter);
	slots_leave(&a.waiter);
	slots_give(slots);
	turn();
	ck_assert_uint_eq(a.granted, 0);
	ck_assert_uint_eq(slots_used(slots), 1);
}
END_TEST

START_TEST(more_slots_serve_the_line)
{
	slots_take(slots);
	slots_take(slots);
	slots_wait(slots, &a.waiter);
	slots_wait(slots, &b.waiter);
	slots_set_max(slots, 3);
	turn();
	ck_assert(a.granted == 1 && b.granted == 0);
	slots_set_max(slots, 1);
	slots_give(slots);
	turn();
	ck_assert_uint_eq(b.granted, 0);
	slots_set_max(slots, 0);
	turn();
	ck_assert_uint_eq(b.granted, 1);
}
END_TEST

/* --- several threads --- */

#define ROUNDS 20000

static void *take_and_give(void *most)
{
	for (int i = 0; i < ROUNDS; i++)
		if (slots_take(slots)) {
			uint64_t used = slots_used(slots);

			if (used > *(uint64_t *)most)
				*(uint64_t *)most = used;
			slots_give(slots);
		}
	return NULL;
}

START_TEST(threads_never_take_more_than_there_are)
{
	pthread_t threads[4];
	uint64_t most[4] = {0};

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, &most[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_le(most[i], 2);
	}
	ck_assert_uint_eq(slots_used(slots), 0);
}
END_TEST

/* --- quotas --- */

struct counted {
	struct quota quota;
	bool full;
	unsigned told;
};

static void full(struct quota *quota, bool is_full)
{
	struct counted *counted = (struct counted *)quota;

	ck_assert(counted->full != is_full);
	counted->full = is_full;
	counted->told++;
}

START_TEST(quota_keeps_one_for_the_next)
{
	struct counted one = {0}, other = {0};

	quota_init(&one.quota, slots, loop, full);
	quota_init(&other.quota, slots, loop, full);
	quota_open(&one.quota);
	quota_open(&other.quota);
	ck_assert(!one.full && !other.full);
	quota_spend(&one.quota);
	ck_assert(one.full && !other.full);
	quota_return(&one.quota);
	turn();
	ck_assert(!one.full);
	quota_spend(&one.quota);
	quota_spend(&other.quota);
	ck_assert(one.full && other.full);
	/* What came by another way counts as well. */
	quota_spend(&other.quota);
	quota_return(&one.quota);
	turn();
	ck_assert(one.full && other.full);
	quota_close(&one.quota);
	ck_assert(!one.full);
	quota_return(&other.quota);
	turn();
	ck_assert(!other.full);
	quota_return(&other.quota);
	quota_close(&other.quota);
	quota_close(&other.quota);
	ck_assert_uint_eq(slots_used(slots), 0);
}
END_TEST

/* --- */

int main(void)
{
	TCase *tests = memory_case("slots");
	Suite *suite = suite_create("slots");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, taken_slots_are_not_free);
	tcase_add_test(tests, no_limit_is_never_full);
	tcase_add_test(tests, line_is_served_in_its_order);
	tcase_add_test(tests, who_waits_for_a_free_one_gets_it_later);
	tcase_add_test(tests, who_leaves_is_not_called);
	tcase_add_test(tests, more_slots_serve_the_line);
	tcase_add_test(tests, threads_never_take_more_than_there_are);
	tcase_add_test(tests, quota_keeps_one_for_the_next);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
