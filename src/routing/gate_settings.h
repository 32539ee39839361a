/* gate_settings.h - what a port block says of who may come, and how many */
#ifndef ROUTING_GATE_SETTINGS_H
#define ROUTING_GATE_SETTINGS_H

#include "network.h"
#include "support/fault.h"

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Immutable once read, so that threads may share it. 0 is no limit. */
struct gate_settings {
	struct network *allow;
	size_t allow_count;
	struct network *deny;
	size_t deny_count;
	uint64_t max_connections;
	uint64_t max_per_source;
	uint64_t rate_count; /* new connections of a source in ... */
	uint64_t rate_ms;    /* ... so many milliseconds */
};

/* Options of a port block: allow, deny, max-connections, max-connections-per-source,
 * rate-per-source; ended by CFG_END(). */
extern const cfg_opt_t gate_options[];

/*
 * Reads the options of gate_options. Adds an error for everything that is wrong with
 * them, at the option's line.
 * section: a port block, with all of gate_options among its options.
 * ret: free what is in it with gate_settings_done().
 * Returns 0; -EINVAL where faults were added; -ENOMEM.
 */
int gate_settings_read(cfg_t *section, struct faults *faults, struct gate_settings *ret);

/* Frees what settings hold and zeroes them; harmless for zeroed ones. */
void gate_settings_done(struct gate_settings *settings);

/* Tells whether anything is asked for at all. */
bool gate_settings_any(const struct gate_settings *settings);

#endif
