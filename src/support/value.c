#include "value.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Words of a configuration are short; past this no suggestion is worth it. */
#define WORD_BYTES 64

#define YEAR_MS (UINT64_C(365) * 24 * 60 * 60 * 1000)

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_digits(const char *text, const char **ret_rest, uint64_t *ret)
{
	uint64_t number = 0;
	bool overflow = false;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		overflow = overflow || number > (UINT64_MAX - digit) / 10;
		number = number * 10 + digit;
	}
	if (at == text)
		return -EINVAL;
	*ret_rest = at;
	*ret = number;
	return overflow ? -ERANGE : 0;
}

/* A number too long for the type is out of range only if its unit is right. */
static int parse_scaled(const char *text, const struct unit *units, size_t count, uint64_t max,
			uint64_t *ret)
{
	const char *rest = NULL;
	uint64_t number = 0;
	int error = parse_digits(text, &rest, &number);

	if (error == -EINVAL)
		return error;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rest, units[i].name) != 0)
			continue;
		if (error || number > max / units[i].factor)
			return -ERANGE;
		*ret = number * units[i].factor;
		return 0;
	}
	return -EINVAL;
}

int value_duration(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	return parse_scaled(text, units, sizeof units / sizeof units[0], YEAR_MS, ret_ms);
}

int value_size(const char *text, size_t *ret_bytes)
{
	static const struct unit units[] = {
		{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
	uint64_t bytes = 0;
	int error = parse_scaled(text, units, sizeof units / sizeof units[0], SIZE_MAX, &bytes);

	if (!error)
		*ret_bytes = (size_t)bytes;
	return error;
}

int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {{"", 1}};
	uint64_t number = 0;
	int error = parse_scaled(text, units, 1, UINT64_MAX, &number);

	if (error)
		return error;
	if (number < min || number > max)
		return -ERANGE;
	*ret = number;
	return 0;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to insert, drop or replace, or neighbours to swap, lead from
 * one word to the other (optimal string alignment). Both below WORD_BYTES. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_BYTES + 1];
	size_t length_a = strlen(a), length_b = strlen(b);

	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3],
		       *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			row[j] = min_size(above[j], row[j - 1]) + 1;
			row[j] = min_size(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min_size(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[length_a % 3][length_b];
}

const char *value_suggest(const char *text, const char *const *words)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;
	size_t length = strlen(text);

	if (length >= WORD_BYTES)
		return NULL;
	for (; *words; words++) {
		size_t word_length = strlen(*words);
		size_t longer = length > word_length ? length : word_length;
		size_t apart;

		if (word_length >= WORD_BYTES)
			continue;
		apart = distance(text, *words);
		if (apart * 3 <= longer && apart < best_distance) {
			best = *words;
			best_distance = apart;
		}
	}
	return best;
}
