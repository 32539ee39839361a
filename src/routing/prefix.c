#include "prefix.h"

#include "recognise.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, digit >= 'A' && digit <= 'F' ? digit | 0x20 : digit);

	return digit != '\0' && at ? (int)(at - digits) : -1;
}

/* Reads what follows a backslash. Returns how many characters that is, or 0. */
static size_t parse_escape(const char *text, uint8_t *ret)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
	const char *name = *text ? strchr(names, *text) : NULL;
	int high, low;

	if (name) {
		*ret = (uint8_t)values[name - names];
		return 1;
	}
	if (*text != 'x')
		return 0;
	high = hex_digit(text[1]);
	low = high >= 0 ? hex_digit(text[2]) : -1;
	if (low < 0)
		return 0;
	*ret = (uint8_t)(high << 4 | low);
	return 3;
}

int prefix_parse(const char *text, struct prefix *ret, char problem[PREFIX_PROBLEM_SIZE])
{
	struct prefix prefix = {0};

	while (*text) {
		uint8_t byte = (uint8_t)*text++;
		size_t length;

		if (byte == '\\') {
			length = parse_escape(text, &byte);
			if (length == 0) {
				snprintf(problem, PREFIX_PROBLEM_SIZE,
					 "has \\%.3s, which is no escape; there are \\xNN with two "
					 "hexadecimal digits, \\r, \\n, \\t, \\0 and \\\\",
					 text);
				return -EINVAL;
			}
			text += length;
		}
		if (prefix.length == sizeof prefix.bytes) {
			snprintf(problem, PREFIX_PROBLEM_SIZE, "is longer than %d bytes",
				 PREFIX_MAX_BYTES);
			return -EINVAL;
		}
		prefix.bytes[prefix.length++] = byte;
	}
	if (prefix.length == 0) {
		snprintf(problem, PREFIX_PROBLEM_SIZE,
			 "is empty and would match everything; leave starts-with out for that");
		return -EINVAL;
	}
	*ret = prefix;
	return 0;
}

enum verdict prefix_match(const struct prefix *prefix, const uint8_t *data, size_t length,
			  size_t *ret_needed)
{
	return recognise_literal(data, length, prefix->bytes, prefix->length, ret_needed);
}
