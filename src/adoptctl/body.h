/* body.h - what stands between the braces of a port block */
#ifndef ADOPTCTL_BODY_H
#define ADOPTCTL_BODY_H

#include "service.h"

/*
 * Writes the options and the handler of a service, as adoptd.conf(5) has them.
 * ret: malloc'ed, the caller's.
 * Returns 0 or -ENOMEM.
 */
int body_write(const struct service *service, char **ret);

#endif
