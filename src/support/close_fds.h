/* close_fds.h - closing whatever is open, known or not */
#ifndef SUPPORT_CLOSE_FDS_H
#define SUPPORT_CLOSE_FDS_H

#include <sys/resource.h>

/*
 * Closes all descriptors from one number to another. Async-signal-safe.
 * limit: of descriptors, that this process was started with, where it has another now: what
 * it has opened since is close-on-exec; NULL: it has no other.
 */
void close_fds(unsigned first, unsigned last, const struct rlimit *limit);

#endif
