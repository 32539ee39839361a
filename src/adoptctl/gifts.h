/* gifts.h - the sockets that adoptctl gives: those that it inherited, and those that it opens */
#ifndef ADOPTCTL_GIFTS_H
#define ADOPTCTL_GIFTS_H

#include "activation/activation.h"
#include "command.h"
#include "support/listen.h"

/* Initialize with zeros. */
struct gifts {
	struct inherited_list inherited; /* from systemd and the like, and by number */
	struct listen_set opened;
	char **names; /* of what was opened, one an item */
	size_t name_count;
};

/*
 * Gets them.
 * words: [NAME=]FD or [NAME=]ADDRESS, ended by NULL. Changes the environment.
 * Returns COMMAND_OK, or the exit code where that cannot be, which has been said on stderr.
 * gifts: to be freed in either case.
 */
enum command_exit gifts_collect(struct gifts *gifts, char *const *words);

/* Returns how many there are. */
size_t gifts_count(const struct gifts *gifts);

/*
 * Sends them, and the end of their list.
 * fd: a non-blocking UNIX stream socket.
 * timeout_ms: for all of it.
 * Returns 0; what fd_socket_send_all() returns; -ENOMEM; -ENAMETOOLONG.
 */
int gifts_send(const struct gifts *gifts, int fd, uint64_t timeout_ms);

/* Closes and frees them. A UNIX path that was made is unlinked. */
void gifts_done(struct gifts *gifts);

#endif
