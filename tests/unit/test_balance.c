/* Whom each client gets. */
#include "handlers/balance.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 4

static struct upstream *all[COUNT];
static const int origin;
static struct health_book *book;
static uint64_t now;

static struct adopt_address address(const char *text)
{
	struct adopt_address parsed;

	ck_assert_int_eq(adopt_address_parse(text, &parsed), 0);
	return parsed;
}

static void setup(void)
{
	ck_assert_int_eq(health_book_new(&book), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		char text[32];
		struct adopt_address made;

		snprintf(text, sizeof text, "192.0.2.%u:80", i + 1);
		made = address(text);
		all[i] = upstream_new(&made, health_take(book, &made, SOCK_STREAM, NULL), &origin,
				      false);
		ck_assert_ptr_nonnull(all[i]);
	}
}

static void teardown(void)
{
	health_book_close(&book);
	for (size_t i = 0; i < COUNT; i++)
		upstream_unref(&all[i]);
}

static unsigned index_of(const struct upstream *upstream)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (all[i] == upstream)
			return i;
	return COUNT;
}

/* Which one of the first `count` a client of this address gets. */
static unsigned choose(enum balance balance, size_t count, const char *from)
{
	struct adopt_address client_address = address(from);
	struct balance_client client = {.address = &client_address, .now_ms = now};

	return index_of(balance_choose(balance, all, count, &client));
}

static unsigned turn(size_t count)
{
	return choose(BALANCE_ROUND_ROBIN, count, "198.51.100.1:1");
}

START_TEST(round_robin_goes_round)
{
	for (unsigned i = 0; i < 12; i++)
		ck_assert_uint_eq(turn(3), i % 3);
}
END_TEST

START_TEST(round_robin_by_weight_is_spread)
{
	static const unsigned expected[] = {0, 0, 1, 0, 2, 0, 0};

	all[0]->weight = 5;
	for (unsigned i = 0; i < 21; i++)
		ck_assert_uint_eq(turn(3), expected[i % 7]);
}
END_TEST

START_TEST(least_connections_by_weight)
{
	unsigned got[3] = {0};

	all[2]->weight = 2;
	for (unsigned i = 0; i < 40; i++) {
		unsigned which = choose(BALANCE_LEAST_CONNECTIONS, 3, "198.51.100.1:1");

		upstream_enter(all[which]);
		got[which]++;
	}
	ck_assert_uint_eq(got[0], 10);
	ck_assert_uint_eq(got[1], 10);
	ck_assert_uint_eq(got[2], 20);
	upstream_leave(all[1]);
	ck_assert_uint_eq(choose(BALANCE_LEAST_CONNECTIONS, 3, "198.51.100.1:1"), 1);
}
END_TEST

START_TEST(least_connections_take_turns_among_equals)
{
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(choose(BALANCE_LEAST_CONNECTIONS, 3, "198.51.100.1:1"), i % 3);
}
END_TEST

static unsigned hashed(unsigned client, size_t count)
{
	char text[32];

	snprintf(text, sizeof text, "10.%u.%u.%u:%u", client >> 16 & 255, client >> 8 & 255,
		 client & 255, 1 + client % 60000);
	return choose(BALANCE_SOURCE_HASH, count, text);
}

START_TEST(source_hash_stays_and_spreads)
{
	unsigned got[COUNT] = {0};

	for (unsigned client = 0; client < 4000; client++) {
		unsigned which = hashed(client, COUNT);

		ck_assert_uint_eq(hashed(client, COUNT), which);
		got[which]++;
	}
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_gt(got[i], 850);
}
END_TEST

START_TEST(source_hash_by_weight)
{
	unsigned got[2] = {0};

	all[0]->weight = 3;
	for (unsigned client = 0; client < 4000; client++)
		got[hashed(client, 2)]++;
	ck_assert_uint_gt(got[0], 2850);
	ck_assert_uint_lt(got[0], 3150);
}
END_TEST

START_TEST(lost_upstream_moves_only_its_own)
{
	unsigned moved = 0;

	for (unsigned client = 0; client < 2000; client++) {
		unsigned before = hashed(client, COUNT), after = hashed(client, COUNT - 1);

		if (before == COUNT - 1)
			moved++;
		else
			ck_assert_uint_eq(after, before);
	}
	ck_assert_uint_gt(moved, 400);
	/* One that has failed is as good as lost, and comes back. */
	upstream_failed(all[1], -ECONNREFUSED, now);
	for (unsigned client = 0; client < 100; client++)
		ck_assert_uint_ne(hashed(client, COUNT), 1);
	now += UPSTREAM_PAUSE_MIN_MS;
	moved = 0;
	for (unsigned client = 0; client < 100; client++)
		moved += hashed(client, COUNT) == 1;
	ck_assert_uint_gt(moved, 10);
}
END_TEST

START_TEST(source_hash_knows_no_port_and_mapped_addresses)
{
	unsigned which = choose(BALANCE_SOURCE_HASH, COUNT, "192.0.2.77:1");

	ck_assert_uint_eq(choose(BALANCE_SOURCE_HASH, COUNT, "192.0.2.77:2"), which);
	ck_assert_uint_eq(choose(BALANCE_SOURCE_HASH, COUNT, "[::ffff:192.0.2.77]:3"), which);
}
END_TEST

START_TEST(source_without_a_host_takes_turns)
{
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(choose(BALANCE_SOURCE_HASH, 3, "unix:/run/client"), i % 3);
}
END_TEST

START_TEST(priorities_come_first)
{
	all[0]->priority = 2;
	all[1]->priority = 1;
	all[2]->priority = 1;
	ck_assert_uint_eq(turn(3), 1);
	ck_assert_uint_eq(turn(3), 2);
	ck_assert_uint_eq(turn(3), 1);
	upstream_failed(all[1], -ECONNREFUSED, now);
	ck_assert_uint_eq(turn(3), 2);
	ck_assert_uint_eq(turn(3), 2);
	upstream_failed(all[2], -ECONNREFUSED, now);
	ck_assert_uint_eq(turn(3), 0);
}
END_TEST

START_TEST(failed_is_left_alone_for_longer_and_longer)
{
	uint64_t pause = UPSTREAM_PAUSE_MIN_MS;

	upstream_failed(all[0], -ECONNREFUSED, now);
	for (unsigned i = 0; i < 10; i++) {
		now += pause - 1;
		ck_assert(!upstream_usable(all[0], now));
		ck_assert_uint_eq(turn(2), 1);
		now += 1;
		ck_assert(upstream_usable(all[0], now));
		/* One client tries it; all others leave it alone meanwhile. */
		upstream_tried(all[0], now);
		ck_assert(!upstream_usable(all[0], now));
		upstream_failed(all[0], -ECONNREFUSED, now);
		pause = pause * 2 < UPSTREAM_PAUSE_MAX_MS ? pause * 2 : UPSTREAM_PAUSE_MAX_MS;
	}
	upstream_answered(all[0]);
	ck_assert(upstream_usable(all[0], now));
}
END_TEST

/* Of one reactor, and of another for the same address; of another type of socket. */
START_TEST(what_one_finds_out_all_know)
{
	const struct adopt_address *same = &all[0]->address;
	struct upstream *elsewhere =
		upstream_new(same, health_take(book, same, SOCK_STREAM, NULL), &origin, false);
	struct upstream *datagrams =
		upstream_new(same, health_take(book, same, SOCK_DGRAM, NULL), &origin, false);

	upstream_failed(all[0], -ECONNREFUSED, now);
	ck_assert(!upstream_usable(elsewhere, now));
	ck_assert(upstream_usable(datagrams, now));
	now += UPSTREAM_PAUSE_MIN_MS;
	upstream_tried(elsewhere, now);
	ck_assert(!upstream_usable(all[0], now));
	upstream_answered(elsewhere);
	ck_assert(upstream_usable(all[0], now));
	upstream_enter(elsewhere);
	ck_assert_uint_eq(upstream_active(all[0]), 1);
	ck_assert_uint_eq(upstream_active(datagrams), 0);
	upstream_unref(&all[0]);
	ck_assert_uint_eq(upstream_active(elsewhere), 1);
	upstream_unref(&elsewhere);
	upstream_unref(&datagrams);
}
END_TEST

START_TEST(all_failed_are_tried_all_the_same)
{
	for (size_t i = 0; i < COUNT; i++)
		upstream_failed(all[i], -ECONNREFUSED, now);
	ck_assert_uint_lt(turn(COUNT), COUNT);
}
END_TEST

START_TEST(tried_are_not_chosen_again)
{
	struct adopt_address from = address("198.51.100.1:1");
	struct upstream *tried[2] = {all[0], all[2]};
	struct balance_client client = {.address = &from, .tried = tried, .tried_count = 2};

	ck_assert_ptr_eq(balance_choose(BALANCE_ROUND_ROBIN, all, 3, &client), all[1]);
	client.tried_count = 1;
	ck_assert_ptr_null(balance_choose(BALANCE_ROUND_ROBIN, all, 1, &client));
	ck_assert_ptr_null(balance_choose(BALANCE_ROUND_ROBIN, all, 0, &client));
}
END_TEST

START_TEST(beside_is_of_the_same_name_and_rather_the_other_family)
{
	static const int other_origin;
	struct adopt_address from = address("198.51.100.1:1");
	struct balance_client client = {.address = &from};

	all[1]->origin = &other_origin;
	all[3]->address = address("[2001:db8::1]:80");
	client.tried = all;
	client.tried_count = 1;
	client.beside = all[0];
	ck_assert_ptr_eq(balance_choose(BALANCE_ROUND_ROBIN, all, COUNT, &client), all[3]);
	all[3]->origin = &other_origin;
	ck_assert_ptr_eq(balance_choose(BALANCE_ROUND_ROBIN, all, COUNT, &client), all[2]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("balance");
	TCase *tests = tcase_create("choices");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, round_robin_goes_round);
	tcase_add_test(tests, round_robin_by_weight_is_spread);
	tcase_add_test(tests, least_connections_by_weight);
	tcase_add_test(tests, least_connections_take_turns_among_equals);
	tcase_add_test(tests, source_hash_stays_and_spreads);
	tcase_add_test(tests, source_hash_by_weight);
	tcase_add_test(tests, lost_upstream_moves_only_its_own);
	tcase_add_test(tests, source_hash_knows_no_port_and_mapped_addresses);
	tcase_add_test(tests, source_without_a_host_takes_turns);
	tcase_add_test(tests, priorities_come_first);
	tcase_add_test(tests, failed_is_left_alone_for_longer_and_longer);
	tcase_add_test(tests, what_one_finds_out_all_know);
	tcase_add_test(tests, all_failed_are_tried_all_the_same);
	tcase_add_test(tests, tried_are_not_chosen_again);
	tcase_add_test(tests, beside_is_of_the_same_name_and_rather_the_other_family);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
