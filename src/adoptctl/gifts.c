#include "gifts.h"

#include "support/fd_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As of adoptd's --fd. */
static const char default_name[] = "listeners";

static enum command_exit fail(enum command_exit code, const char *what, const char *why)
{
	fprintf(stderr, "adoptctl give: %s%s%s\n", what, *what ? ": " : "", why);
	return code;
}

/* --- collecting --- */

/* Where a word's name ends, if it has one: an address may have a = itself, but not before its
 * first colon. */
static size_t name_length(const char *word)
{
	size_t length = strcspn(word, "=:");

	return word[length] == '=' ? length : 0;
}

/* Tells whether a word is [NAME=]FD. */
static bool is_number(const char *word)
{
	size_t length = name_length(word);
	int fd;

	return descriptor_read(length > 0 ? word + length + 1 : word, &fd) == 0;
}

/* Splits a word into a name, malloc'ed, and an address. NULL where memory is short. */
static char *split(const char *word, const char **ret_address)
{
	static const char tcp[] = "tcp:";
	size_t length = name_length(word);

	*ret_address = length > 0 ? word + length + 1 : word;
	if (strncmp(*ret_address, tcp, strlen(tcp)) == 0)
		*ret_address += strlen(tcp);
	return length > 0 ? strndup(word, length) : strdup(default_name);
}

static const char *why_not(int error)
{
	switch (error) {
	case -EINVAL:
		return "is no descriptor, and no address as `listen` of adoptd.conf(5) has it";
	case -EADDRINUSE:
		return "somebody has it already";
	default:
		return strerror(-error);
	}
}

/* Names what an address has opened: a name may stand for several. */
static int name_opened(struct gifts *gifts, const char *name)
{
	char **names = realloc(gifts->names, gifts->opened.count * sizeof *names);

	if (!names)
		return -ENOMEM;
	gifts->names = names;
	while (gifts->name_count < gifts->opened.count) {
		names[gifts->name_count] = strdup(name);
		if (!names[gifts->name_count])
			return -ENOMEM;
		gifts->name_count++;
	}
	return 0;
}

static enum command_exit open_word(struct gifts *gifts, const char *word)
{
	const char *address;
	char *name = split(word, &address);
	int r = name ? listen_check(address) : -ENOMEM;

	if (r == 0)
		r = listen_open(&gifts->opened, NULL, address);
	if (r == 0)
		r = name_opened(gifts, name);
	free(name);
	if (r == 0)
		return COMMAND_OK;
	return fail(r == -EINVAL ? COMMAND_USAGE : COMMAND_SYSTEM, word, why_not(r));
}

/* Asks everybody who may have handed over something, --fd being the words that are numbers.
 * Whoever names what to give has a stdin of his own, which may well be a socket. */
static enum command_exit inherit(struct gifts *gifts, const char *const *numbers, bool named)
{
	const struct activation_request request = {.fd_options = numbers, .leave_stdin = named};
	char *message = NULL;
	int r = activation_collect(&request, &gifts->inherited, &message);

	for (size_t i = 0; i < gifts->inherited.note_count; i++)
		fail(COMMAND_OK, "", gifts->inherited.notes[i]);
	if (r < 0)
		fail(COMMAND_CONFIG, "", message ? message : strerror(-r));
	free(message);
	return r < 0 ? COMMAND_CONFIG : COMMAND_OK;
}

static enum command_exit collect(struct gifts *gifts, char *const *words, const char **numbers)
{
	enum command_exit code;
	size_t count = 0;
	const bool named = *words != NULL;

	for (char *const *word = words; *word; word++)
		if (is_number(*word))
			numbers[count++] = *word;
	code = inherit(gifts, numbers, named);
	for (; code == COMMAND_OK && *words; words++)
		if (!is_number(*words))
			code = open_word(gifts, *words);
	return code;
}

enum command_exit gifts_collect(struct gifts *gifts, char *const *words)
{
	const char **numbers;
	enum command_exit code;
	size_t count = 0;

	while (words[count])
		count++;
	numbers = calloc(count + 1, sizeof *numbers);
	if (!numbers)
		return fail(COMMAND_SYSTEM, "", strerror(ENOMEM));
	code = collect(gifts, words, numbers);
	free(numbers);
	return code;
}

size_t gifts_count(const struct gifts *gifts)
{
	return gifts->inherited.count + gifts->opened.count;
}

/* --- sending --- */

static struct fd_message_record record_of(const struct gifts *gifts, size_t i, int *ret_fd)
{
	const struct inherited_list *inherited = &gifts->inherited;
	struct fd_message_record record;

	if (i < inherited->count) {
		*ret_fd = inherited->items[i].fd;
		record = (struct fd_message_record){
			.name = inherited->items[i].name,
			.source = inherited->items[i].source,
		};
	} else {
		i -= inherited->count;
		*ret_fd = gifts->opened.items[i].socket->fd;
		record = (struct fd_message_record){.name = gifts->names[i], .source = "adoptctl"};
	}
	record.number = *ret_fd;
	return record;
}

static int send_list(const struct gifts *gifts, int fd, uint64_t until_ms,
		     struct fd_message *message)
{
	int r = 0;

	fd_message_begin(message, FD_MESSAGE_DESCRIPTORS);
	for (size_t i = 0; i < gifts_count(gifts) && r == 0; i++) {
		int gift;
		const struct fd_message_record record = record_of(gifts, i, &gift);

		r = fd_message_add(message, gift, &record);
		if (r != -ENOBUFS)
			continue;
		r = fd_socket_send_all(fd, message, fd_socket_left(until_ms));
		fd_message_begin(message, FD_MESSAGE_DESCRIPTORS);
		if (r == 0)
			r = fd_message_add(message, gift, &record);
	}
	return r < 0 ? r : fd_socket_send_all(fd, message, fd_socket_left(until_ms));
}

int gifts_send(const struct gifts *gifts, int fd, uint64_t timeout_ms)
{
	const struct fd_message_sender self = {.pid = getpid()};
	uint64_t until_ms = fd_socket_until(timeout_ms);
	struct fd_message *message = malloc(sizeof *message);
	int r;

	if (!message)
		return -ENOMEM;
	r = send_list(gifts, fd, until_ms, message);
	if (r == 0) {
		fd_message_begin(message, FD_MESSAGE_END);
		fd_message_set_sender(message, &self);
		r = fd_socket_send_all(fd, message, fd_socket_left(until_ms));
	}
	free(message);
	return r;
}

void gifts_done(struct gifts *gifts)
{
	for (size_t i = 0; i < gifts->name_count; i++)
		free(gifts->names[i]);
	free(gifts->names);
	listen_close(&gifts->opened);
	inherited_free(&gifts->inherited);
	*gifts = (struct gifts){0};
}
