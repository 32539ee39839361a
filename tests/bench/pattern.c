/* Bytes that tell where they belong. */
#include "pattern.h"

#include <string.h>

/* Twice, so that what begins anywhere is in one piece. */
static unsigned char pattern[2 * PATTERN_BYTES];

/* Neighbours among the numbers are to be far apart in what is made of them (splitmix64). */
static uint64_t scatter(uint64_t number)
{
	number += 0x9e3779b97f4a7c15;
	number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
	number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
	return number ^ (number >> 31);
}

void pattern_init(void)
{
	for (size_t i = 0; i < PATTERN_BYTES; i++)
		pattern[i] = pattern[i + PATTERN_BYTES] = (unsigned char)scatter(i);
}

const unsigned char *pattern_at(uint64_t stream, uint64_t position)
{
	return pattern + (scatter(stream) % PATTERN_BYTES + position) % PATTERN_BYTES;
}

void message_write(unsigned char *buffer, size_t size, uint64_t number)
{
	if (size == 0)
		return;
	memcpy(buffer, &number, sizeof number);
	memcpy(buffer + sizeof number, pattern_at(number, 0), size - sizeof number);
}

bool message_is(const unsigned char *buffer, size_t size, uint64_t number)
{
	if (size == 0)
		return true;
	return memcmp(buffer, &number, sizeof number) == 0 &&
	       memcmp(buffer + sizeof number, pattern_at(number, 0), size - sizeof number) == 0;
}

uint64_t message_number(const unsigned char *buffer)
{
	uint64_t number;

	memcpy(&number, buffer, sizeof number);
	return number;
}
