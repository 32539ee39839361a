/* networks.h - xinetd's ways to write addresses, as networks of adoptd.conf(5) */
#ifndef ADOPTCTL_NETWORKS_H
#define ADOPTCTL_NETWORKS_H

#include "words.h"

/*
 * Appends the networks that a word of only_from or no_access stands for:
 *
 *	192.0.2.7            192.0.2.7
 *	192.0.2.0            192.0.2.0/24: zeros at the end stand for anything
 *	192.0.2.0/25         192.0.2.0/25, as 2001:db8::/32
 *	192.0.{2,4}          192.0.2.0/24, 192.0.4.0/24
 *	localhost            127.0.0.1, ::1
 *
 * Source: xinetd.conf(5).
 * Returns 0; -EINVAL for all else, such as the names of hosts and networks, for which
 * nothing is appended; -E2BIG; -ENOMEM.
 */
int networks_add(struct words *networks, const char *word);

#endif
