/* descriptor_limit.h - how many descriptors this process may have, and its children */
#ifndef SUPPORT_DESCRIPTOR_LIMIT_H
#define SUPPORT_DESCRIPTOR_LIMIT_H

#include <sys/resource.h>

/* Raises the soft limit to the hard one, where that can be. Once, before there are
 * threads. */
void descriptor_limit_raise(void);

/* Returns the limit to give to a program that is run: the one from before it was raised, as
 * programs that use select() need it; NULL where it never was. */
const struct rlimit *descriptor_limit_before(void);

#endif
