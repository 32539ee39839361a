#include "log_capture.h"

#include "support/log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *file;
static char *text;

void capture_log(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	log_set_level(LOG_LEVEL_DEBUG);
	log_set_format(LOG_FORMAT_TEXT);
}

const char *captured_log(void)
{
	off_t length = lseek(fileno(file), 0, SEEK_CUR);

	free(text);
	text = calloc(1, (size_t)length + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(fileno(file), text, (size_t)length, 0), length);
	return text;
}

unsigned captured_count(const char *part)
{
	unsigned count = 0;

	for (const char *at = captured_log(); (at = strstr(at, part)); at++)
		count++;
	return count;
}
