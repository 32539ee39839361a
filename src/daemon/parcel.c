#include "parcel.h"

#include "support/fd_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int begin(struct parcel *parcel, enum fd_message_kind kind)
{
	size_t size = (parcel->count + 1) * sizeof *parcel->messages;
	struct fd_message *messages = realloc(parcel->messages, size);

	if (!messages)
		return -ENOMEM;
	parcel->messages = messages;
	fd_message_begin(&messages[parcel->count++], kind);
	return 0;
}

static int add(struct parcel *parcel, int fd, const struct fd_message_record *record)
{
	int r = parcel->count > 0 ? fd_message_add(&parcel->messages[parcel->count - 1], fd, record)
				  : -ENOBUFS;

	if (r != -ENOBUFS)
		return r;
	r = begin(parcel, FD_MESSAGE_DESCRIPTORS);
	return r < 0 ? r : fd_message_add(&parcel->messages[parcel->count - 1], fd, record);
}

static int add_inherited(struct parcel *parcel, const struct inherited *item)
{
	const struct fd_message_record record = {
		.name = item->name,
		.source = item->source,
		.number = item->number,
	};

	return add(parcel, item->fd, &record);
}

static int add_opened(struct parcel *parcel, const struct listen_item *item)
{
	const struct fd_message_record record = {
		.name = item->text,
		.source = "listen",
		.number = -1,
		.opened = true,
	};

	return add(parcel, item->socket->fd, &record);
}

/* It may end, and its descriptor's number be another's, before all is sent. */
static int add_elder(struct fd_message *message, const struct elder *elder)
{
	int fd = fcntl(elder->watcher.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return fd < 0 ? -errno : fd_message_attach(message, fd);
}

static int add_end(struct parcel *parcel, const struct inherited_list *list,
		   const struct elders *elders)
{
	const struct fd_message_sender self = {
		.pid = getpid(),
		.stderr_taken = list->stderr_taken,
	};
	int r = begin(parcel, FD_MESSAGE_END);
	struct fd_message *message;
	const struct elder *elder;

	if (r < 0)
		return r;
	message = &parcel->messages[parcel->count - 1];
	parcel->ends = true;
	fd_message_set_sender(message, &self);
	LIST_FOREACH (elder, &elders->list, link) {
		/* More of them than there is room for are awaited by nobody. */
		if (message->fd_count == FD_MESSAGE_FDS_MAX)
			break;
		r = add_elder(message, elder);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_all_opened(struct parcel *parcel, const struct listen_set *opened)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < opened->count; i++)
		r = add_opened(parcel, &opened->items[i]);
	return r;
}

int parcel_pack(const struct inherited_list *list, const struct listen_set *opened,
		const struct listen_set *control, const struct elders *elders, struct parcel *ret)
{
	struct parcel parcel = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->count; i++)
		r = add_inherited(&parcel, &list->items[i]);
	if (r == 0)
		r = add_all_opened(&parcel, opened);
	if (r == 0)
		r = add_all_opened(&parcel, control);
	if (r == 0)
		r = add_end(&parcel, list, elders);
	if (r < 0)
		parcel_done(&parcel);
	else
		*ret = parcel;
	return r;
}

int parcel_send(struct parcel *parcel, int fd)
{
	int r = 0;

	while (r == 0 && parcel->next < parcel->count) {
		r = fd_socket_send(fd, &parcel->messages[parcel->next], &parcel->sent);
		if (r == 0) {
			parcel->next++;
			parcel->sent = 0;
		}
	}
	return r;
}

void parcel_done(struct parcel *parcel)
{
	const struct fd_message *end = parcel->ends ? &parcel->messages[parcel->count - 1] : NULL;

	for (size_t i = 0; end && i < end->fd_count; i++)
		close(end->fds[i]);
	free(parcel->messages);
	*parcel = (struct parcel){0};
}
