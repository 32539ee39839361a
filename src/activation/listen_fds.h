/* listen_fds.h - LISTEN_FDS, by which systemd and systemfd say what they hand over */
#ifndef ACTIVATION_LISTEN_FDS_H
#define ACTIVATION_LISTEN_FDS_H

#include "activation.h"

/*
 * Takes the descriptors that LISTEN_FDS counts, from LISTEN_FDS_FIRST_FD on (systemfd; 3
 * without it), under the names of LISTEN_FDNAMES; see sd_listen_fds(3). Whether they are
 * meant for this process is judged before. Changes no variable.
 * giver: its name, static.
 * ret_message: as in struct giver.
 * Returns 0; -EINVAL where the variables are not as they should be; -EBADF where one of the
 * descriptors is not open; what inherited_take() returns.
 */
int listen_fds_take(const char *giver, struct inherited_list *list, char **ret_message);

/* Unsets these variables, those that say whom they are meant for included. */
void listen_fds_unset(void);

#endif
