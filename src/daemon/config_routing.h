/* config_routing.h - a block's handler, and who is routed to which */
#ifndef DAEMON_CONFIG_ROUTING_H
#define DAEMON_CONFIG_ROUTING_H

#include "config.h"

/*
 * Reads the one handler block of a port or route block. Adds an error for none or two,
 * and what the handler finds wrong with its own.
 * ret, ret_settings: NULL as they were where there are faults.
 * Returns 0, also after faults; -ENOMEM.
 */
int config_read_handler(cfg_t *section, struct faults *faults, const struct handler **ret,
			struct handler_settings **ret_settings);

/*
 * Reads the routes and the other options of routing into a port whose `listen` has been
 * read. Returns 0, also after faults; -ENOMEM.
 */
int config_read_routing(struct config_port *port, cfg_t *section, struct faults *faults);

/* Frees what config_read_routing() made. */
void config_free_routing(struct config_port *port);

#endif
