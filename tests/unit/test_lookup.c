/* Names asked of a name server in the same loop. */
#include "support/lookup.h"

#include "harness.h"
#include "name_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct name_record records[] = {
	{"both.test", "A", 30, "192.0.2.1"},
	{"both.test", "AAAA", 20, "2001:db8::1"},
	{"both.test", "A", 30, "192.0.2.2"},
	{"_web._tcp.both.test", "SRV", 10, "1 3 81 both.test"},
	{"_web._tcp.both.test", "SRV", 10, "2 0 82 four.test"},
	{"_web._tcp.both.test", "SRV", 10, "2 7 83 gone.test"},
	{"_none._tcp.both.test", "SRV", 10, "0 0 0 ."},
	{"four.test", "A", 40, "192.0.2.4"},
	{"empty.test", "SRV", 10, "0 0 1 x"},
	{"brief.test", "A", 0xffffffff, "192.0.2.5"},
	{"lasting.test", "A", 0x7fffffff, "192.0.2.6"},
	{NULL, NULL, 0, NULL},
};

static struct name_server server;
static struct lookup *lookup;

/* What came. */
static unsigned answers;
static int error;
static struct lookup_address found[16];
static size_t count;
static uint64_t ttl_ms;

static void done(void *context, int result, const struct lookup_answer *answer)
{
	ck_assert_ptr_eq(context, &server);
	lookup = NULL;
	answers++;
	error = result;
	count = answer->count;
	ttl_ms = answer->ttl_ms;
	ck_assert_uint_le(count, 16);
	for (size_t i = 0; i < count; i++)
		found[i] = answer->addresses[i];
}

static void begin(const char *name)
{
	struct endpoint endpoint;
	unsigned before = answers;

	ck_assert_int_eq(endpoint_parse(name, &endpoint), 0);
	ck_assert_int_eq(
		lookup_begin(loop, &endpoint, SOCK_STREAM, server.address, done, &server, &lookup),
		0);
	memset(&endpoint, 0xff, sizeof endpoint);
	ck_assert_uint_eq(answers, before);
}

static void look(const char *name)
{
	begin(name);
	RUN_UNTIL(!lookup);
	ck_assert_uint_eq(answers, 1);
}

static const struct lookup_address *among_found(const char *text)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	for (size_t i = 0; i < count; i++)
		if (adopt_address_equal(&found[i].address, &address))
			return &found[i];
	ck_abort_msg("%s was not found", text);
}

static void setup(void)
{
	name_server_start(&server, records);
}

START_TEST(all_addresses_of_both_families)
{
	look("both.test:80");
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(among_found("192.0.2.1:80")->priority, 0);
	ck_assert_uint_eq(among_found("192.0.2.2:80")->weight, 1);
	among_found("[2001:db8::1]:80");
	ck_assert_uint_eq(ttl_ms, 20000);
}
END_TEST

START_TEST(service_has_ports_priorities_and_weights)
{
	look("srv:_web._tcp.both.test");
	ck_assert_int_eq(error, 0);
	/* The target that does not exist costs nothing else. */
	ck_assert_uint_eq(count, 4);
	ck_assert_uint_eq(among_found("192.0.2.1:81")->priority, 1);
	ck_assert_uint_eq(among_found("192.0.2.1:81")->weight, 3);
	ck_assert_uint_eq(among_found("[2001:db8::1]:81")->weight, 3);
	ck_assert_uint_eq(among_found("192.0.2.4:82")->priority, 2);
	ck_assert_uint_eq(among_found("192.0.2.4:82")->weight, 1);
	ck_assert_uint_eq(ttl_ms, 10000);
}
END_TEST

static const struct {
	const char *name;
	int error;
} nothing[] = {
	{"nowhere.test:80", -EHOSTUNREACH},
	{"empty.test:80", -EHOSTUNREACH},
	{"srv:_web._tcp.nowhere.test", -EHOSTUNREACH},
	{"srv:_none._tcp.both.test", -EHOSTUNREACH},
};

START_TEST(nothing_there)
{
	look(nothing[_i].name);
	ck_assert_int_eq(error, nothing[_i].error);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(failing_server_is_not_an_answer)
{
	server.broken = true;
	look("both.test:80");
	ck_assert_int_eq(error, -EAGAIN);
}
END_TEST

START_TEST(silent_server_is_asked_again)
{
	server.silent = true;
	begin("both.test:80");
	RUN_UNTIL(server.asked > 3);
	server.silent = false;
	RUN_UNTIL(!lookup);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(given_up_is_not_told)
{
	unsigned before = open_descriptors();

	server.silent = true;
	begin("both.test:80");
	RUN_UNTIL(server.asked > 0);
	assert_new_close_on_exec();
	lookup_cancel(&lookup);
	ck_assert_ptr_null(lookup);
	lookup_cancel(&lookup);
	settle();
	ck_assert_uint_eq(answers, 0);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

/* RFC 2181, section 8: what is more than 31 bits is nothing. */
START_TEST(extreme_times_to_live)
{
	look("brief.test:80");
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(ttl_ms, 0);
	begin("lasting.test:80");
	RUN_UNTIL(!lookup);
	ck_assert_uint_eq(ttl_ms, UINT64_C(0x7fffffff) * 1000);
}
END_TEST

/* Where the first answer of a message begins, after the question. */
static size_t first_record(const unsigned char *bytes)
{
	size_t at = 12;

	while (bytes[at])
		at += bytes[at] + 1u;
	return at + 5;
}

static void cut_after_header(unsigned char *bytes, size_t *length)
{
	(void)bytes;
	*length = 12;
}

static void cut_inside_record(unsigned char *bytes, size_t *length)
{
	*length = first_record(bytes) + 3;
}

static void cut_one_byte(unsigned char *bytes, size_t *length)
{
	(void)bytes;
	--*length;
}

static void nothing_at_all(unsigned char *bytes, size_t *length)
{
	(void)bytes;
	*length = 0;
}

static void countless_answers(unsigned char *bytes, size_t *length)
{
	(void)length;
	bytes[6] = bytes[7] = 0xff;
}

static void countless_questions(unsigned char *bytes, size_t *length)
{
	(void)length;
	bytes[4] = bytes[5] = 0xff;
}

static void name_without_end(unsigned char *bytes, size_t *length)
{
	size_t at = first_record(bytes);

	(void)length;
	bytes[at] = 0xc0;
	bytes[at + 1] = (unsigned char)at;
}

static void pointer_past_the_end(unsigned char *bytes, size_t *length)
{
	size_t at = first_record(bytes);

	(void)length;
	bytes[at] = bytes[at + 1] = 0xff;
}

static void label_past_the_end(unsigned char *bytes, size_t *length)
{
	size_t at = first_record(bytes);

	bytes[at] = 63;
	*length = at + 20;
}

static void data_past_the_end(unsigned char *bytes, size_t *length)
{
	size_t at = first_record(bytes);

	(void)length;
	at += strlen((const char *)bytes + at) + 1;
	bytes[at + 8] = bytes[at + 9] = 0xff;
}

static void no_data(unsigned char *bytes, size_t *length)
{
	size_t at = first_record(bytes);

	at += strlen((const char *)bytes + at) + 1;
	bytes[at + 8] = bytes[at + 9] = 0;
	*length = at + 10;
}

static void (*const spoils[])(unsigned char *, size_t *) = {
	cut_after_header,   cut_inside_record,   cut_one_byte,     nothing_at_all,
	countless_answers,  countless_questions, name_without_end, pointer_past_the_end,
	label_past_the_end, data_past_the_end,   no_data,
};

/* What it makes of the name is c-ares' to judge; that it ends, and hurts nobody, ours. */
START_TEST(hostile_answers)
{
	static const struct {
		const char *name;
		unsigned questions;
	} asks[] = {{"both.test:80", 2}, {"srv:_web._tcp.both.test", 1}};

	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
		answers = server.asked = 0;
		server.spoil = spoils[_i];
		begin(asks[i].name);
		RUN_UNTIL(!lookup || server.asked >= asks[i].questions);
		settle();
		/* What was not taken for an answer is asked again. */
		server.spoil = NULL;
		RUN_UNTIL(!lookup);
		ck_assert_uint_eq(answers, 1);
		ck_assert(error == 0 || error == -EAGAIN || error == -EHOSTUNREACH);
	}
}
END_TEST

/* Guessed by who has not seen the question. */
static void other_question(unsigned char *bytes, size_t *length)
{
	(void)length;
	bytes[0] ^= 0xff;
}

START_TEST(forged_answer_is_not_believed)
{
	server.spoil = other_question;
	begin("both.test:80");
	RUN_UNTIL(server.asked >= 2);
	settle();
	ck_assert_uint_eq(answers, 0);
	server.spoil = NULL;
	RUN_UNTIL(!lookup);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(count, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tests = harness_case("lookup");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, all_addresses_of_both_families);
	tcase_add_test(tests, service_has_ports_priorities_and_weights);
	tcase_add_loop_test(tests, nothing_there, 0, sizeof nothing / sizeof nothing[0]);
	tcase_add_test(tests, failing_server_is_not_an_answer);
	tcase_add_test(tests, silent_server_is_asked_again);
	tcase_add_test(tests, given_up_is_not_told);
	tcase_add_test(tests, extreme_times_to_live);
	tcase_add_loop_test(tests, hostile_answers, 0, sizeof spoils / sizeof spoils[0]);
	tcase_add_test(tests, forged_answer_is_not_believed);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
