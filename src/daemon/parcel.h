/* parcel.h - all descriptors of an adoptd, packed for the next one */
#ifndef DAEMON_PARCEL_H
#define DAEMON_PARCEL_H

#include "activation/activation.h"
#include "elders.h"
#include "support/fd_message.h"
#include "support/listen.h"

/* Messages that are sent one after the other. Initialize with zeros. */
struct parcel {
	struct fd_message *messages;
	size_t count;
	size_t next; /* to be sent, or being sent */
	size_t sent; /* of its bytes */
	bool ends;   /* the last of them is the end, whose descriptors are the parcel's own */
};

/*
 * Packs what was inherited, what was opened, the control socket, and who drains still. The
 * descriptors are to stay open until all is sent, but for those of who drains, which may end
 * meanwhile. ret: free with parcel_done(). Returns 0; -ENAMETOOLONG where a descriptor's name
 * is too long to be told; -EMFILE; -ENOMEM.
 */
int parcel_pack(const struct inherited_list *list, const struct listen_set *opened,
		const struct listen_set *control, const struct elders *elders, struct parcel *ret);

/* Sends what is left, as fd_socket_send() does. Returns as that does; 0 when nothing is
 * left. */
int parcel_send(struct parcel *parcel, int fd);

void parcel_done(struct parcel *parcel);

#endif
