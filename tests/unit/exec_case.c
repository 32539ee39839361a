#include "exec_case.h"

#include "handler_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct host host;

static struct handler_fixture fixture;
static char heard[65536];

static void set_up(void)
{
	fixture_init(&fixture);
	host_init(&host, loop, NULL);
	capture_log();
}

static void tear_down(void)
{
	free_loop();
	ck_assert_uint_eq(host.work, 0);
	host_done(&host);
	fixture_done(&fixture);
}

TCase *exec_case(const char *name)
{
	TCase *tests = harness_case(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	return tests;
}

const struct handler_settings *read_block(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ck_assert_int_eq(fixture_read(&fixture, "exec", text), 0);
	return fixture.settings;
}

const struct handler_settings *read_shell(const char *command, const char *more)
{
	return read_block("command = {\"/bin/sh\", \"-c\", '%s'} %s", command, more);
}

/* Where there is no loop any more, somebody else has to speak. */
static void wait_for(int fd, uint64_t deadline)
{
	struct pollfd state = {.fd = fd, .events = POLLIN};

	if (loop)
		harness_turn(deadline, "what is to be heard", __FILE__, __LINE__);
	else
		ck_assert_int_eq(poll(&state, 1, 10000), 1);
}

const char *hear(int fd, const char *until)
{
	uint64_t deadline = loop ? harness_bound() : 0;
	size_t length = 0;
	ssize_t got;

	heard[0] = '\0';
	for (;;) {
		got = read(fd, heard + length, sizeof heard - 1 - length);
		if (got > 0)
			length += (size_t)got;
		heard[length] = '\0';
		if (got == 0 || (got < 0 && errno != EAGAIN) || (until && strstr(heard, until)))
			return heard;
		if (got < 0)
			wait_for(fd, deadline);
	}
}
