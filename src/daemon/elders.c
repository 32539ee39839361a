#include "elders.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void forget(struct elder *elder)
{
	LIST_REMOVE(elder, link);
	adopt_reader_remove(elder->elders->reactor, &elder->watcher);
	close(elder->watcher.fd);
	free(elder);
}

/* It has nothing more to say: there is something to read when it has ended. */
static void readable(struct adopt_watcher *watcher)
{
	struct elder *elder = (struct elder *)watcher;
	struct elders *elders = elder->elders;
	char bytes[64];
	ssize_t length = recv(watcher->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (length > 0 || (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)))
		return;
	forget(elder);
	if (!elders_are_there(elders))
		elders->ops->gone(elders);
}

static const struct adopt_watcher_ops watcher_ops = {.readable = readable};

int elders_add(struct elders *elders, int fd)
{
	struct elder *elder = calloc(1, sizeof *elder);
	int error;

	if (!elder)
		return -ENOMEM;
	elder->watcher.ops = &watcher_ops;
	elder->watcher.fd = fd;
	elder->elders = elders;
	error = adopt_reader_add(elders->reactor, &elder->watcher);
	if (error < 0) {
		free(elder);
		return error;
	}
	LIST_INSERT_HEAD(&elders->list, elder, link);
	return 0;
}

size_t elders_count(const struct elders *elders)
{
	const struct elder *elder;
	size_t count = 0;

	LIST_FOREACH (elder, &elders->list, link)
		count++;
	return count;
}

void elders_forget(struct elders *elders)
{
	while (elders_are_there(elders))
		forget(LIST_FIRST(&elders->list));
}
