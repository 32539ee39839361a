#include "keep.h"

#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* Room for the prefix and any number. */
#define NAME_BYTES 64

/* Each socket has a name of its own, and the same in every adoptd that gets it. */
static bool name_of(int fd, char name[NAME_BYTES])
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	snprintf(name, NAME_BYTES, STORED_PREFIX "%llu", (unsigned long long)st.st_ino);
	return true;
}

static void remove_stored(int fd)
{
	char name[NAME_BYTES];

	if (name_of(fd, name))
		notify_store_remove(name);
}

static int take(struct inherited_list *list, const struct inherited *item, struct listen_set *set)
{
	int fd = item->fd, r = listen_take(set, fd, item->name);

	if (r == 0) {
		inherited_release(list, fd);
	} else if (r != -ENOMEM) {
		remove_stored(fd);
		inherited_drop(list, fd);
	}
	return r == -ENOMEM ? r : 0;
}

int keep_take(struct inherited_list *list, struct listen_set *set)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->count;) {
		if (list->items[i].opened)
			r = take(list, &list->items[i], set);
		else
			i++;
	}
	return r;
}

void keep_store(struct listen_set *set)
{
	size_t room = notify_store_room();
	char name[NAME_BYTES];

	for (size_t i = 0; i < set->count; i++) {
		struct listen_socket *socket = set->items[i].socket;

		socket->path_stays =
			i < room && name_of(socket->fd, name) && notify_store(socket->fd, name);
	}
}

void keep_forget(const struct listen_set *before, const struct listen_set *now)
{
	for (size_t i = 0; i < before->count; i++) {
		struct listen_socket *socket = before->items[i].socket;

		if (listen_has(now, socket))
			continue;
		remove_stored(socket->fd);
		socket->path_stays = false;
	}
}
