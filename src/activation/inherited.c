#include "activation.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_socket(int fd, const struct stat *other)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == other->st_dev &&
	       st.st_ino == other->st_ino;
}

/* Gives /dev/null to each standard descriptor that is the socket. */
static int silence_standard(const struct stat *socket_stat, bool *stderr_taken)
{
	int r = 0;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && r == 0; fd++) {
		int null;

		if (!same_socket(fd, socket_stat))
			continue;
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			return -errno;
		if (dup2(null, fd) < 0)
			r = -errno;
		else if (fd == STDERR_FILENO)
			*stderr_taken = true;
		/* With a standard descriptor closed, /dev/null lands on it and may stay. */
		if (null > STDERR_FILENO)
			close(null);
	}
	return r;
}

static int prepare_socket(struct inherited *item, const struct stat *st, bool *stderr_taken)
{
	int r;

	int given = item->fd;

	if (given <= STDERR_FILENO) {
		item->fd = fcntl(given, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (item->fd < 0)
			return -errno;
	}
	r = adopt_descriptor_prepare(item->fd);
	if (r == 0)
		r = silence_standard(st, stderr_taken);
	if (r < 0 && item->fd != given)
		close(item->fd);
	return r;
}

static const struct inherited *find_number(const struct inherited_list *list, int number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

int inherited_take(struct inherited_list *list, const char *name, const struct inherited *what)
{
	struct inherited item = *what, *items;
	struct stat st;
	int r = 0;

	if (fstat(item.fd, &st) < 0)
		return -errno;
	if (item.number >= 0 && find_number(list, item.number))
		return -EEXIST;

	items = realloc(list->items, (list->count + 1) * sizeof *items);
	if (!items)
		return -ENOMEM;
	list->items = items;
	item.name = strdup(name);
	if (!item.name)
		return -ENOMEM;

	/* Non-blocking belongs to the open file: a terminal that was given by mistake
	 * must not keep it when adoptd has refused it and is gone. */
	if (S_ISSOCK(st.st_mode))
		r = prepare_socket(&item, &st, &list->stderr_taken);
	else if (fcntl(item.fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r < 0) {
		free(item.name);
		return r;
	}
	items[list->count++] = item;
	return 0;
}

int inherited_add(struct inherited_list *list, const char *name, int number, const char *source)
{
	const struct inherited what = {.fd = number, .number = number, .source = source};

	return inherited_take(list, name, &what);
}

static bool remove_item(struct inherited_list *list, int fd)
{
	for (size_t i = 0; i < list->count; i++) {
		struct inherited *item = &list->items[i];

		if (item->fd != fd)
			continue;
		free(item->name);
		list->count--;
		memmove(item, item + 1, (list->count - i) * sizeof *item);
		return true;
	}
	return false;
}

void inherited_drop(struct inherited_list *list, int fd)
{
	if (remove_item(list, fd))
		close(fd);
}

void inherited_release(struct inherited_list *list, int fd)
{
	remove_item(list, fd);
}

void inherited_note(struct inherited_list *list, const char *format, ...)
{
	char **notes = realloc(list->notes, (list->note_count + 1) * sizeof *notes);
	va_list args;

	if (!notes)
		return;
	list->notes = notes;
	va_start(args, format);
	if (vasprintf(&notes[list->note_count], format, args) >= 0)
		list->note_count++;
	va_end(args);
}

void inherited_free(struct inherited_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		close(list->items[i].fd);
		free(list->items[i].name);
	}
	for (size_t i = 0; i < list->note_count; i++)
		free(list->notes[i]);
	for (size_t i = 0; i < list->elder_count; i++)
		close(list->elders[i]);
	if (list->handed_over)
		close(list->answer_fd);
	if (list->acknowledges)
		close(list->acknowledge_fd);
	free(list->elders);
	free(list->items);
	free(list->notes);
	*list = (struct inherited_list){0};
}

bool inherited_split_name(const char *text, size_t *ret_length, size_t *ret_index)
{
	const char *mark = strrchr(text, '#');
	size_t index = 0;

	if (!mark || !mark[1])
		return false;
	for (const char *digit = mark + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9' || index > INT_MAX / 10)
			return false;
		index = index * 10 + (size_t)(*digit - '0');
	}
	*ret_length = (size_t)(mark - text);
	*ret_index = index;
	return true;
}

int giver_fail(int error, char **ret_message, const char *format, ...)
{
	char *message;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&message, format, args);
	va_end(args);
	if (length < 0)
		return -ENOMEM;
	*ret_message = message;
	return error;
}

static int explain(int error, int number, const struct inherited_list *list, char **ret_message,
		   const char *what)
{
	const struct inherited *before = error == -EEXIST ? find_number(list, number) : NULL;

	if (error == -EBADF)
		return giver_fail(error, ret_message, "%s: descriptor %d is not open", what,
				  number);
	if (before)
		return giver_fail(error, ret_message,
				  "%s: %s gave descriptor %d already, as \"%s\"", what,
				  before->source, number, before->name);
	return giver_fail(error, ret_message, "%s: %s", what, strerror(-error));
}

int giver_explain(int error, int number, const struct inherited_list *list, char **ret_message,
		  const char *format, ...)
{
	char *what;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&what, format, args);
	va_end(args);
	if (length < 0)
		return -ENOMEM;
	error = explain(error, number, list, ret_message, what);
	free(what);
	return error;
}
