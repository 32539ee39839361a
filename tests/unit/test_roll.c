/* The roll of those whom a worker has in hand, and the pace at which they come. */
#include "fixture.h"
#include "support/roll.h"

#include <stdlib.h>

#define ENTRIES 10

static struct roll_entry entries[ENTRIES];
static struct roll roll;

static void set_up(void)
{
	roll_init(&roll, 1, 4);
	for (size_t i = 0; i < ENTRIES; i++)
		roll_enter(&roll, &entries[i], 1000 * i);
}

START_TEST(numbers_are_the_workers_own)
{
	struct roll other;
	struct roll_entry entry;

	roll_init(&other, 0, 4);
	roll_enter(&other, &entry, 0);
	ck_assert_uint_eq(entry.id, 1);
	for (size_t i = 0; i < ENTRIES; i++) {
		ck_assert_uint_eq(entries[i].id, 2 + 4 * i);
		ck_assert_uint_eq(entries[i].begun_ms, 1000 * i);
	}
}
END_TEST

START_TEST(found_by_number_and_in_order)
{
	ck_assert_ptr_eq(roll_find(&roll, 0), &entries[0]);
	ck_assert_ptr_eq(roll_find(&roll, 2), &entries[0]);
	ck_assert_ptr_eq(roll_find(&roll, 3), &entries[1]);
	ck_assert_ptr_eq(roll_find(&roll, 6), &entries[1]);
	ck_assert_ptr_null(roll_find(&roll, entries[ENTRIES - 1].id + 1));
	ck_assert_ptr_eq(roll_next(&entries[3]), &entries[4]);
	ck_assert_ptr_null(roll_next(&entries[ENTRIES - 1]));
}
END_TEST

START_TEST(who_leaves_is_not_found)
{
	roll_leave(&roll, &entries[1]);
	roll_leave(&roll, &entries[9]);
	ck_assert_uint_eq(roll.count, ENTRIES - 2);
	ck_assert_ptr_eq(roll_find(&roll, 6), &entries[2]);
	ck_assert_ptr_eq(roll_next(&entries[0]), &entries[2]);
	ck_assert_ptr_null(roll_next(&entries[8]));
	/* A number is never given twice. */
	roll_enter(&roll, &entries[1], 0);
	ck_assert_uint_eq(entries[1].id, 2 + 4 * ENTRIES);
}
END_TEST

static void assert_rate(const struct pace *pace, uint64_t now_ms, double expected)
{
	ck_assert_double_eq_tol(pace_per_second(pace, now_ms), expected, 0.01);
}

START_TEST(pace_is_that_of_lately)
{
	struct pace pace = {0};
	uint64_t start = 7 * PACE_WINDOW_MS;

	assert_rate(&pace, start, 0);
	for (uint64_t ms = 0; ms < 3 * PACE_WINDOW_MS; ms += 100)
		pace_count(&pace, start + ms);
	start += 3 * PACE_WINDOW_MS;
	assert_rate(&pace, start - 1, 10);
	/* It takes a window to be forgotten. */
	assert_rate(&pace, start, 10);
	assert_rate(&pace, start + PACE_WINDOW_MS / 2, 5);
	assert_rate(&pace, start + PACE_WINDOW_MS, 0);
	assert_rate(&pace, start + 100 * PACE_WINDOW_MS, 0);
	pace_count(&pace, start + 100 * PACE_WINDOW_MS);
	assert_rate(&pace, start + 100 * PACE_WINDOW_MS, 0.1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("roll");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, numbers_are_the_workers_own);
	tcase_add_test(tests, found_by_number_and_in_order);
	tcase_add_test(tests, who_leaves_is_not_found);
	tcase_add_test(tests, pace_is_that_of_lately);
	return run_case(tests, "roll");
}
