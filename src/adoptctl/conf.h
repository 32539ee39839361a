/* conf.h - the adoptd.conf that an import makes */
#ifndef ADOPTCTL_CONF_H
#define ADOPTCTL_CONF_H

#include "blocks.h"
#include "output.h"

#define CONF_NAME "adoptd.conf"

/* Writes the configuration. Returns 0 or -ENOMEM. */
int conf_write(const struct services *services, const struct blocks *blocks, struct output *output);

#endif
