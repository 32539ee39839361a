/*
 * conf.h - the configuration that an import makes
 *
 * It is one adoptd.conf. Where there are several service units, each is to know its own
 * ports only: a sandbox would not let it start the programs of others. Those of the unit
 * U are in U.ports then, and the variable CONF_VARIABLE tells adoptd.conf which to
 * include; without it, all are.
 */
#ifndef ADOPTCTL_CONF_H
#define ADOPTCTL_CONF_H

#include "blocks.h"
#include "output.h"

#define CONF_NAME "adoptd.conf"
#define CONF_VARIABLE "ADOPTD_PORTS"

/* Writes the files of the configuration. Returns 0 or -ENOMEM. */
int conf_write(const struct services *services, const struct blocks *blocks, struct output *output);

#endif
