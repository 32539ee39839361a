#include "activation_case.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct inherited_list list;
char *message;

/* Whoever runs the tests may have been started on sockets, and have left that in the
 * environment. */
static void forget_announcement(void)
{
	static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
						"LISTEN_PIDFDID"};

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		unsetenv(variables[i]);
}

static void setup(void)
{
	int null = open("/dev/null", O_RDWR);

	ck_assert_int_eq(dup2(null, 0), 0);
	for (int fd = 3; fd < FREE_NUMBERS; fd++)
		close(fd);
	forget_announcement();
	list = (struct inherited_list){0};
	message = NULL;
}

static void teardown(void)
{
	inherited_free(&list);
	free(message);
}

void place(int from, int number)
{
	ck_assert_int_ge(from, 0);
	if (from == number)
		return;
	ck_assert_int_eq(dup2(from, number), number);
	close(from);
}

void place_listener(int number)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(listen(fd, 1), 0);
	place(fd, number);
}

void place_connection(int number)
{
	int pair[2], high[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < 2; i++) {
		high[i] = fcntl(pair[i], F_DUPFD, FREE_NUMBERS);
		close(pair[i]);
	}
	place(high[0], number);
	place(high[1], PEER);
}

int collect_with(const char *const *fd_options)
{
	struct activation_request request = {.fd_options = fd_options};

	return activation_collect(&request, &list, &message);
}

int collect(void)
{
	return collect_with(NULL);
}

void assert_item(size_t i, const char *name, int number, const char *source)
{
	ck_assert_uint_lt(i, list.count);
	ck_assert_str_eq(list.items[i].name, name);
	ck_assert_int_eq(list.items[i].number, number);
	ck_assert_str_eq(list.items[i].source, source);
	ck_assert_int_ge(list.items[i].fd, 3);
	ck_assert_int_eq(fcntl(list.items[i].fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(list.items[i].fd, F_GETFL) & O_NONBLOCK, 0);
}

void assert_failed(int error, int wanted, const char *part)
{
	ck_assert_int_eq(error, wanted);
	ck_assert_ptr_nonnull(message);
	ck_assert_msg(strstr(message, part) != NULL, "\"%s\" is not in \"%s\"", part, message);
}

void activation_take_numbers(void)
{
	while (open("/dev/null", O_RDWR) < FREE_NUMBERS - 1)
		;
}

TCase *activation_add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	return tcase;
}

int activation_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
