#include "name_pattern.h"

#include <string.h>

#define NAME_MAX_BYTES 253 /* RFC 1035, section 2.3.4, as text */

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

const char *name_pattern_problem(const char *pattern)
{
	const char *name = strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern;
	size_t length = strlen(name);

	if (pattern[0] == '[') {
		if (length > 2 && strspn(pattern + 1, "0123456789abcdefABCDEF:.") == length - 2 &&
		    pattern[length - 1] == ']')
			return NULL;
		return "is no IPv6 address in brackets, for example [2001:db8::1]";
	}
	if (length == 0 || name[0] == '.' || strstr(name, ".."))
		return "has an empty label; write a name such as example.org or *.example.org";
	if (length > NAME_MAX_BYTES + (name[length - 1] == '.'))
		return "is longer than the 253 bytes that a name may have";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at >= 0x80)
			return "is not in ASCII; write its xn-- form";
	if (strchr(name, '*'))
		return "has a * in it that is not the whole first label, as in *.example.org";
	if (strchr(name, ':'))
		return "has a port in it or is an IPv6 address without brackets; write the name "
		       "alone, an IPv6 address as [2001:db8::1]";
	if (strspn(name, letters) != length)
		return "has a character in it that no name has";
	return NULL;
}

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static bool equal(const char *a, const uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower((uint8_t)a[i]) != lower(b[i]))
			return false;
	return true;
}

bool name_pattern_match(const char *pattern, const uint8_t *name, size_t length)
{
	size_t pattern_length = strlen(pattern);

	if (pattern_length > 0 && pattern[pattern_length - 1] == '.')
		pattern_length--;
	if (length > 0 && name[length - 1] == '.')
		length--;
	if (pattern[0] != '*')
		return length == pattern_length && equal(pattern, name, length);
	/* The star stands for one byte at the least: `.example.org` is no name. */
	pattern++;
	pattern_length--;
	return length > pattern_length && name[0] != '.' &&
	       equal(pattern, name + length - pattern_length, pattern_length);
}
