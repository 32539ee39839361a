/* Tables of adoptctl, and numbers as people read them. */
#include "adoptctl/columns.h"
#include "adoptctl/human.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct column heads[] = {{"NAME", false}, {"N", true}, {"LAST", false}};

static char *printed(const struct columns *columns)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	columns_print(columns, stream);
	ck_assert_int_eq(fclose(stream), 0);
	return text;
}

START_TEST(columns_are_as_wide_as_they_must_be)
{
	const char *const rows[][3] = {
		{"a", "1", "x"}, {"longer", "12345", ""}, {"\xc3\xa4\xc3\xb6", "", "\x1b[31m"}};
	struct columns *columns = NULL;
	char *text;

	ck_assert_int_eq(columns_new(heads, 3, &columns), 0);
	text = printed(columns);
	ck_assert_str_eq(text, "NAME  N  LAST\n");
	free(text);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(columns_add(columns, rows[i]), 0);
	text = printed(columns);
	ck_assert_str_eq(text, "NAME        N  LAST\n"
			       "a           1  x\n"
			       "longer  12345  \n"
			       "\xc3\xa4\xc3\xb6             \\x1B[31m\n");
	free(text);
	columns_free(&columns);
	ck_assert_ptr_null(columns);
	columns_free(&columns);
}
END_TEST

START_TEST(many_rows)
{
	const char *const row[] = {"a", "1", "x"};
	struct columns *columns = NULL;
	char *text;

	ck_assert_int_eq(columns_new(heads, 3, &columns), 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(columns_add(columns, row), 0);
	text = printed(columns);
	ck_assert_uint_eq(strlen(text), strlen("NAME  N  LAST\n") + 1000 * strlen("a     1  x\n"));
	free(text);
	columns_free(&columns);
}
END_TEST

typedef const char *human(const json_t *object, const char *member, char text[HUMAN_SIZE]);

static const struct {
	human *human;
	const char *json, *text;
} texts[] = {
	{human_bytes, "0", "0"},
	{human_bytes, "1023", "1023"},
	{human_bytes, "1024", "1.0K"},
	{human_bytes, "18224", "17.8K"},
	{human_bytes, "1048575", "1.0M"},
	{human_bytes, "9223372036854775807", "8.0E"},
	{human_bytes, "null", "-"},
	{human_span, "0", "0ms"},
	{human_span, "999", "999ms"},
	{human_span, "1000", "1s"},
	{human_span, "185000", "3m05s"},
	{human_span, "7800000", "2h10m"},
	{human_span, "442800000", "5d03h"},
	{human_span, "null", "-"},
	{human_number, "-3", "-3"},
	{human_number, "\"3\"", "-"},
	{human_rate, "0", "0"},
	{human_rate, "0.358", "0.4"},
	{human_rate, "9.949", "9.9"},
	{human_rate, "9.96", "10"},
	{human_rate, "12345.6", "12346"},
	{human_rate, "null", "-"},
	{human_list, "[]", "-"},
	{human_list, "[0]", "0"},
	{human_list, "[0,1,2,3]", "0-3"},
	{human_list, "[0,2,3,7]", "0,2-3,7"},
	{human_list, "[10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54]",
	 "10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,..."},
	{human_time, "\"2026-11-25T21:40:54.753659Z\"", "2026-11-25 21:40:54Z"},
	{human_time, "\"2026\"", "2026 Z"},
	{human_time, "null", "-"},
};

START_TEST(numbers_for_people)
{
	json_t *value = json_loads(texts[_i].json, JSON_DECODE_ANY, NULL);
	json_t *object = json_pack("{s:o}", "member", value);
	char text[HUMAN_SIZE];

	ck_assert_ptr_nonnull(object);
	ck_assert_str_eq(texts[_i].human(object, "member", text), texts[_i].text);
	ck_assert_str_eq(texts[_i].human(object, "none", text), "-");
	json_decref(object);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("columns");

	tcase_add_test(tests, columns_are_as_wide_as_they_must_be);
	tcase_add_test(tests, many_rows);
	tcase_add_loop_test(tests, numbers_for_people, 0, (int)(sizeof texts / sizeof texts[0]));
	return run_case(tests, "columns");
}
