/*
 * config.h - what adoptd.conf says, read and valid
 *
 * adoptd.conf(5) is the grammar. Every fault is collected with its file and
 * line, so that one run tells all of them.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "config_files.h"
#include "handlers/handler.h"
#include "routing/router.h"
#include "support/fault.h"
#include "support/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* How much adoptd gives up once it has all that it was started for. */
enum config_sandbox {
	CONFIG_SANDBOX_NO,
	CONFIG_SANDBOX_YES,    /* what hinders nothing that the configuration asks for */
	CONFIG_SANDBOX_STRICT, /* also what hand-overs and programs may need */
};

/* One route block. All of it is the configuration's. */
struct config_route {
	const char *file;
	int line;
	struct conditions *conditions;
	const struct handler *handler;
	struct handler_settings *settings;
};

/* One port block. All of it is the configuration's. */
struct config_port {
	char *name;             /* as written: `web`, `web#0`, `*` */
	const char *file;       /* where the block stands, for later faults */
	int line;               /* of its `port` */
	char **listen;          /* valid texts for listen.h, NULL-terminated; never NULL */
	bool optional;          /* may stay without any descriptor */
	size_t max_packet_size; /* bytes, 1 to 65535 */
	const struct handler *handler;
	struct handler_settings *settings; /* the handler's own, freed with the configuration */
	struct router_settings router;
	struct config_route *routes; /* tried in this order */
	size_t route_count;
};

struct config {
	unsigned workers;          /* at least 1 */
	uint64_t idle_exit_ms;     /* 0: never */
	uint64_t drain_timeout_ms; /* 0: never */
	uint64_t max_connections;  /* of all ports; 0: what the descriptor limit carries */
	enum log_level log_level;
	enum log_format log_format;
	bool access_log;
	enum config_sandbox sandbox;
	const char *control;       /* the control socket's path; NULL: none */
	gid_t control_group;       /* who besides adoptd's user may connect; (gid_t)-1: nobody */
	struct config_port *ports; /* in the order they are written */
	size_t port_count;
	struct config_sources sources;
	cfg_t *tree; /* config.c's: all options as written, or their defaults */
};

/*
 * Reads a configuration and what it includes.
 * path: of the file; faults name it so; includes are relative to its directory.
 * text: NULL, or what is read instead of a file, as adoptd -e does: faults name the file
 * `-e`, includes are relative to the working directory.
 * faults: what is wrong is added to it, warnings too.
 * ret: free it with config_free().
 * Returns 0, perhaps with warnings; -EINVAL if there is any error among the
 * faults, in which case ret is untouched; -ENOMEM.
 */
int config_read(const char *path, const char *text, struct faults *faults, struct config **ret);

/* Finds the block of a port by its name; NULL: there is none. */
const struct config_port *config_find_port(const struct config *config, const char *name);

/*
 * Prints the effective configuration in its own syntax, defaults filled in and
 * includes expanded; reading that gives the same again.
 */
void config_dump(const struct config *config, FILE *stream);

/* Prints what is said of one port block, in the same way. port: its index. */
void config_dump_port(const struct config *config, size_t port, FILE *stream);

/* Frees a configuration, the settings included, and sets it NULL; NULL inside
 * is harmless. */
void config_free(struct config **config);

#endif
