/* The loop of a test, and the descriptors of its process. */
#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Far above what anything takes, even under a sanitizer on a slow and busy machine. */
#define BOUND_MS 60000
#define CASE_SECONDS 180

#define DESCRIPTORS 256

struct adopt_reactor *loop;

static struct adopt_timer *tick;
static bool was_open[DESCRIPTORS];
static int used_up[DESCRIPTORS];
static unsigned used_up_count;
static unsigned random_state;

static void stop_loop(void *context)
{
	(void)context;
	adopt_reactor_stop(loop);
}

static void set_up(void)
{
	random_state = 1;
	used_up_count = 0;
	directory_set_up();
	ck_assert_int_eq(adopt_reactor_new(&loop), 0);
	ck_assert_int_eq(adopt_timer_new(loop, stop_loop, NULL, &tick), 0);
}

void free_loop(void)
{
	adopt_timer_free(&tick);
	adopt_reactor_free(&loop);
}

static void tear_down(void)
{
	free_loop();
	directory_tear_down();
}

TCase *harness_case(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, CASE_SECONDS);
	return tests;
}

int harness_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t harness_bound(void)
{
	return adopt_reactor_now_ms(loop) + BOUND_MS;
}

void harness_turn(uint64_t deadline, const char *condition, const char *file, int line)
{
	if (adopt_reactor_now_ms(loop) > deadline)
		ck_abort_msg("%s:%d: it never came: %s", file, line, condition);
	adopt_timer_start(tick, 1);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
}

void settle(void)
{
	for (int i = 0; i < 10; i++)
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
}

unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
		count += was_open[fd];
	}
	return count;
}

void assert_new_close_on_exec(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !was_open[fd])
			ck_assert_int_eq(flags & FD_CLOEXEC, FD_CLOEXEC);
	}
}

void use_up_descriptors(unsigned spare)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = DESCRIPTORS;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (used_up_count < DESCRIPTORS) {
		int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			break;
		used_up[used_up_count++] = fd;
	}
	ck_assert_uint_ge(used_up_count, spare);
	while (spare-- > 0)
		close(used_up[--used_up_count]);
}

void give_back_descriptors(void)
{
	while (used_up_count > 0)
		close(used_up[--used_up_count]);
}

unsigned next_random(void)
{
	random_state = random_state * 1103515245 + 12345;
	return random_state >> 16 & 0x7fff;
}
