/*
 * keep.h - `listen` sockets that outlive this adoptd, so that no client is refused meanwhile
 *
 * The next adoptd gets them from the supervisor, which stores copies where it can
 * (sd_notify(3), FDSTORE=1), or from this one, where that hands over.
 */
#ifndef DAEMON_KEEP_H
#define DAEMON_KEEP_H

#include "activation/activation.h"
#include "support/listen.h"

/*
 * Takes out of a list what an adoptd before this one opened, and adds it to a set. What can
 * be reached no more is closed.
 * Returns 0 or -ENOMEM.
 */
int keep_take(struct inherited_list *list, struct listen_set *set);

/* Has the supervisor store the sockets of a set, as far as it has room. A UNIX path stays at
 * the end where its socket is stored. */
void keep_store(struct listen_set *set);

/*
 * Ends the keeping of what only the former of two sets has: it is stored no more, and a UNIX
 * path goes with it. That set is to be closed then.
 */
void keep_forget(const struct listen_set *before, const struct listen_set *now);

#endif
