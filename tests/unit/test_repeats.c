/* Lines that repeat one of the last second are counted, and told as a number. */
#include "fixture.h"
#include "support/repeats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct repeats repeats;

static void set_up(void)
{
	memset(&repeats, 0, sizeof repeats);
}

static bool tell(const char *text, uint64_t now_ms)
{
	return repeats_tell(&repeats, 4, text, now_ms);
}

static void assert_taken(bool all, uint64_t now_ms, const char *text, unsigned held)
{
	struct repeats_line line;

	ck_assert(repeats_take(&repeats, all, now_ms, &line));
	ck_assert_str_eq(line.text, text);
	ck_assert_uint_eq(line.held, held);
	ck_assert_int_eq(line.level, 4);
}

static void assert_nothing(bool all, uint64_t now_ms)
{
	struct repeats_line line;

	ck_assert(!repeats_take(&repeats, all, now_ms, &line));
}

START_TEST(repeat_is_held_back_and_told_after_a_second)
{
	ck_assert(tell("no", 5000));
	ck_assert(!tell("no", 5000));
	ck_assert(!tell("no", 5999));
	ck_assert_uint_eq(repeats.holding, 1);
	assert_nothing(false, 5999);
	assert_taken(false, 6000, "no", 2);
	assert_nothing(false, 7000);
	ck_assert_uint_eq(repeats.holding, 0);
}
END_TEST

START_TEST(flood_is_told_once_a_second)
{
	unsigned told = 0, held = 0;
	struct repeats_line line;

	for (uint64_t now = 0; now < 10000; now++) {
		if (repeats_take(&repeats, false, now, &line)) {
			told++;
			held += line.held;
		}
		told += tell("flood", now);
	}
	assert_taken(true, 10000, "flood", 9999 - held);
	ck_assert_uint_eq(told, 10);
}
END_TEST

/* What is held back is told before it is told anew: the order of what happened. */
START_TEST(late_repeat_joins_those_held_back)
{
	ck_assert(tell("late", 0));
	ck_assert(!tell("late", 10));
	ck_assert(!tell("late", 5000));
	assert_taken(false, 5000, "late", 2);
}
END_TEST

START_TEST(once_a_second_is_no_repeat)
{
	for (uint64_t now = 0; now < 5000; now += REPEATS_INTERVAL_MS)
		ck_assert(tell("tick", now));
	assert_nothing(true, 5000);
}
END_TEST

START_TEST(others_in_between_do_not_matter)
{
	ck_assert(tell("a", 0));
	ck_assert(tell("b", 0));
	ck_assert(!tell("a", 1));
	ck_assert(!tell("b", 1));
	ck_assert(!tell("a", 2));
	ck_assert_uint_eq(repeats.holding, 2);
	assert_taken(true, 2, "a", 2);
	assert_taken(true, 2, "b", 1);
	assert_nothing(true, 2);
}
END_TEST

START_TEST(line_that_differs_is_never_held_back)
{
	char text[REPEATS_BYTES + 8];

	for (int i = 0; i < 3 * REPEATS_LINES; i++) {
		snprintf(text, sizeof text, "line %d", i);
		ck_assert(tell(text, 0));
	}
	ck_assert(repeats_tell(&repeats, 5, "line 0", 0));
	/* Those that found no place are told each time. */
	ck_assert(tell(text, 0));
	assert_nothing(true, 0);
	ck_assert(!tell("line 0", 0));
}
END_TEST

START_TEST(old_line_makes_room)
{
	char text[32];

	for (int i = 0; i < REPEATS_LINES; i++) {
		snprintf(text, sizeof text, "line %d", i);
		ck_assert(tell(text, 0));
	}
	ck_assert(!tell("line 0", 0));
	ck_assert(tell("new", REPEATS_INTERVAL_MS));
	ck_assert(!tell("new", REPEATS_INTERVAL_MS));
	/* The one with repeats has stayed. */
	assert_taken(false, REPEATS_INTERVAL_MS, "line 0", 1);
}
END_TEST

START_TEST(lines_are_compared_whole)
{
	char text[REPEATS_BYTES + 8];

	memset(text, 'x', sizeof text);
	text[REPEATS_BYTES - 1] = '\0';
	ck_assert(tell(text, 0));
	ck_assert(!tell(text, 0));
	text[REPEATS_BYTES - 1] = 'x';
	text[REPEATS_BYTES] = '\0';
	ck_assert(tell(text, 0));
	ck_assert(tell(text, 0));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("repeats");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, repeat_is_held_back_and_told_after_a_second);
	tcase_add_test(tests, flood_is_told_once_a_second);
	tcase_add_test(tests, late_repeat_joins_those_held_back);
	tcase_add_test(tests, once_a_second_is_no_repeat);
	tcase_add_test(tests, others_in_between_do_not_matter);
	tcase_add_test(tests, line_that_differs_is_never_held_back);
	tcase_add_test(tests, old_line_makes_room);
	tcase_add_test(tests, lines_are_compared_whole);
	return run_case(tests, "repeats");
}
