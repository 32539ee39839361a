/* Lines of the log in each of their forms, and repeats that are held back. */
#include "fixture.h"
#include "support/json_text.h"
#include "support/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int log_fd; /* where stderr goes */

static void set_up(void)
{
	char name[] = "/tmp/adoptd-log.XXXXXX";

	log_fd = mkstemp(name);
	ck_assert_int_ge(log_fd, 0);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_ge(dup2(log_fd, STDERR_FILENO), 0);
}

static void tear_down(void)
{
	close(log_fd);
}

/* Returns all that has been written. */
static const char *logged(void)
{
	static char text[16384];
	ssize_t length = pread(log_fd, text, sizeof text - 1, 0);

	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	return text;
}

static json_t *logged_object(void)
{
	const char *text = logged();
	json_error_t error;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(object != NULL, "%s: %s", error.text, text);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	return object;
}

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	ck_assert_msg(text != NULL, "no %s", name);
	return text;
}

static const struct log_field fields[] = {
	{.name = "port", .text = "a \"b\"", .quoted = true},
	{.name = "number", .number = 17},
	{.name = "word", .text = "w\n\xff"},
};

START_TEST(text_is_a_line)
{
	log_set_format(LOG_FORMAT_TEXT);
	log_info("it is %d\nor\x7f", 7);
	log_debug("not this");
	log_event(LOG_LEVEL_INFO, "event", fields, 3);
	log_event(LOG_LEVEL_DEBUG, "event", fields, 3);
	ck_assert_str_eq(logged(), "adoptd: it is 7\\x0Aor\\x7F\n"
				   "adoptd: event port=\"a \"b\"\" number=17 word=w\\x0A\xff\n");
}
END_TEST

START_TEST(journal_has_priorities)
{
	log_set_format(LOG_FORMAT_JOURNAL);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("bad");
	log_debug("fine");
	ck_assert_str_eq(logged(), "<3>bad\n<7>fine\n");
}
END_TEST

START_TEST(json_is_an_object)
{
	json_t *object;
	const char *when;

	log_set_format(LOG_FORMAT_JSON);
	log_warning("it \"is\"\n\xff and \xc3\xa4");
	object = logged_object();
	ck_assert_str_eq(member(object, "level"), "warning");
	ck_assert_str_eq(member(object, "message"), "it \"is\"\n\\xFF and \\xC3\\xA4");
	when = member(object, "time");
	ck_assert_uint_eq(strlen(when), strlen("2026-11-25T21:40:54.753659Z"));
	ck_assert_uint_eq(strspn(when, "0123456789-:.TZ"), strlen(when));
	ck_assert_uint_eq(json_object_size(object), 3);
	json_decref(object);
}
END_TEST

START_TEST(json_has_fields_as_members)
{
	json_t *object;

	log_set_format(LOG_FORMAT_JSON);
	log_event(LOG_LEVEL_NOTICE, "event", fields, 3);
	object = logged_object();
	ck_assert_str_eq(member(object, "level"), "notice");
	ck_assert_str_eq(member(object, "message"), "event");
	ck_assert_str_eq(member(object, "port"), "a \"b\"");
	ck_assert_str_eq(member(object, "word"), "w\n\\xFF");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "number")), 17);
	ck_assert_uint_eq(json_object_size(object), 6);
	json_decref(object);
}
END_TEST

START_TEST(utf8_stays)
{
	json_t *text = json_text("\xc3\xa4");

	ck_assert_str_eq(json_string_value(text), "\xc3\xa4");
	json_decref(text);
}
END_TEST

START_TEST(long_line_is_cut)
{
	static char text[5000];

	memset(text, '\x01', sizeof text - 1);
	log_set_format(LOG_FORMAT_TEXT);
	log_info("%s", text);
	ck_assert_uint_lt(strlen(logged()), 2100);
	ck_assert_ptr_eq(strchr(logged(), '\n'), logged() + strlen(logged()) - 1);
}
END_TEST

static void held(void *context)
{
	(*(unsigned *)context)++;
}

START_TEST(repeats_are_held_back_where_somebody_tells_them)
{
	unsigned times = 0;

	log_set_format(LOG_FORMAT_TEXT);
	log_info("again");
	log_info("again");
	log_hold_repeats(held, &times);
	log_info("again");
	ck_assert_uint_eq(times, 0);
	log_info("again");
	log_info("again");
	ck_assert_uint_eq(times, 1);
	log_info("other");
	log_hold_repeats(NULL, NULL);
	log_info("again");
	ck_assert_str_eq(logged(), "adoptd: again\nadoptd: again\nadoptd: again\n"
				   "adoptd: other\nadoptd: again (repeated 2 times)\n"
				   "adoptd: again\n");
}
END_TEST

START_TEST(count_of_repeats_is_a_member)
{
	unsigned times = 0;
	json_t *object;
	int lines;

	log_hold_repeats(held, &times);
	log_set_format(LOG_FORMAT_JSON);
	log_info("again");
	lines = (int)strlen(logged());
	log_info("again");
	log_hold_repeats(NULL, NULL);
	object = json_loads(logged() + lines, 0, NULL);
	ck_assert_str_eq(member(object, "message"), "again");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "repeated")), 1);
	json_decref(object);
}
END_TEST

START_TEST(events_are_told_each_time)
{
	unsigned times = 0;

	log_set_format(LOG_FORMAT_JOURNAL);
	log_hold_repeats(held, &times);
	for (int i = 0; i < 3; i++)
		log_event(LOG_LEVEL_INFO, "same", NULL, 0);
	ck_assert_str_eq(logged(), "<6>same\n<6>same\n<6>same\n");
	ck_assert(!log_flush());
	log_hold_repeats(NULL, NULL);
}
END_TEST

START_TEST(names_are_read_back)
{
	static const char *const formats[] = {"auto", "journal", "text", "json"};
	enum log_level level;
	enum log_format format;

	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		ck_assert_int_eq(log_level_parse(log_level_name((enum log_level)i), &level), 0);
		ck_assert_int_eq((int)level, i);
		log_set_level(level);
		ck_assert_int_eq((int)log_level_now(), i);
		ck_assert(log_wants(level));
		ck_assert(!log_wants((enum log_level)(i + 1)));
	}
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		ck_assert_int_eq(log_format_parse(formats[i], &format), 0);
		ck_assert_int_eq((int)format, (int)i);
	}
	ck_assert_int_lt(log_level_parse("loud", &level), 0);
	ck_assert_int_lt(log_format_parse("syslog", &format), 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, text_is_a_line);
	tcase_add_test(tests, journal_has_priorities);
	tcase_add_test(tests, json_is_an_object);
	tcase_add_test(tests, json_has_fields_as_members);
	tcase_add_test(tests, utf8_stays);
	tcase_add_test(tests, long_line_is_cut);
	tcase_add_test(tests, repeats_are_held_back_where_somebody_tells_them);
	tcase_add_test(tests, count_of_repeats_is_a_member);
	tcase_add_test(tests, events_are_told_each_time);
	tcase_add_test(tests, names_are_read_back);
	return run_case(tests, "log");
}
