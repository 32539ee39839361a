/* xinetd_entry.h - one entry of xinetd.conf, and the attributes that it can have */
#ifndef ADOPTCTL_XINETD_ENTRY_H
#define ADOPTCTL_XINETD_ENTRY_H

#include "support/fault.h"
#include "words.h"

enum xinetd_attribute {
	XINETD_ACCESS_TIMES,
	XINETD_BANNER,
	XINETD_BANNER_FAIL,
	XINETD_BANNER_SUCCESS,
	XINETD_BIND,
	XINETD_CPS,
	XINETD_DENY_TIME,
	XINETD_DISABLE,
	XINETD_DISABLED,
	XINETD_ENABLED,
	XINETD_ENV,
	XINETD_FLAGS,
	XINETD_GROUP,
	XINETD_GROUPS,
	XINETD_ID,
	XINETD_INSTANCES,
	XINETD_LIBWRAP,
	XINETD_LOG_ON_FAILURE,
	XINETD_LOG_ON_SUCCESS,
	XINETD_LOG_TYPE,
	XINETD_MAX_LOAD,
	XINETD_MDNS,
	XINETD_NICE,
	XINETD_NO_ACCESS,
	XINETD_ONLY_FROM,
	XINETD_PASSENV,
	XINETD_PER_SOURCE,
	XINETD_PORT,
	XINETD_PROTOCOL,
	XINETD_REDIRECT,
	XINETD_RLIMIT_AS,
	XINETD_RLIMIT_CPU,
	XINETD_RLIMIT_DATA,
	XINETD_RLIMIT_FILES,
	XINETD_RLIMIT_RSS,
	XINETD_RLIMIT_STACK,
	XINETD_RPC_NUMBER,
	XINETD_RPC_VERSION,
	XINETD_SERVER,
	XINETD_SERVER_ARGS,
	XINETD_SOCKET_TYPE,
	XINETD_TYPE,
	XINETD_UMASK,
	XINETD_USER,
	XINETD_V6ONLY,
	XINETD_WAIT,
	XINETD_ATTRIBUTES, /* how many there are */
};

enum xinetd_assignment {
	XINETD_SET,    /* = */
	XINETD_ADD,    /* += */
	XINETD_REMOVE, /* -= */
};

struct xinetd_entry;

/* What an attribute was set to. Addresses are networks of adoptd.conf(5) already, as
 * far as they can be written so. */
struct xinetd_values {
	struct words words;
	const char *file; /* where it was set last, the reader's; NULL where it was not */
	int line;
	/* For which service it was told what of it has no counterpart: once is enough. */
	const struct xinetd_entry *told_for;
};

struct xinetd_entry {
	char *name; /* of the service; NULL for the defaults */
	const char *file;
	int line;
	struct xinetd_values values[XINETD_ATTRIBUTES];
};

/* Makes an empty entry. name: NULL for the defaults. ret: free it with
 * xinetd_entry_free(). Returns 0 or -ENOMEM. */
int xinetd_entry_new(const char *name, const char *file, int line, struct xinetd_entry **ret);

/* Frees an entry and sets it NULL; NULL inside is harmless. */
void xinetd_entry_free(struct xinetd_entry **entry);

/* Where an assignment stands. */
struct xinetd_place {
	const char *file;
	int line;
	struct faults *faults;
};

/*
 * Assigns to an attribute, by xinetd's rules: what it ignores is ignored, and told
 * among the faults.
 * defaults: the entry's, whose lists += and -= begin with; NULL for the defaults
 * themselves.
 * Returns 0; -E2BIG; -ENOMEM.
 */
int xinetd_entry_assign(struct xinetd_entry *entry, const struct xinetd_entry *defaults,
			const char *name, enum xinetd_assignment how, const struct words *words,
			const struct xinetd_place *place);

/*
 * Finds what an attribute was set to, in an entry or else in the defaults.
 * defaults: NULL to look into the entry alone.
 * Returns NULL where it was not set.
 */
struct xinetd_values *xinetd_entry_find(struct xinetd_entry *entry, struct xinetd_entry *defaults,
					enum xinetd_attribute attribute);

/* Returns what an attribute is called. */
const char *xinetd_attribute_name(enum xinetd_attribute attribute);

/* Returns what to do instead of an attribute that has no counterpart; NULL for one that
 * has. */
const char *xinetd_attribute_instead(enum xinetd_attribute attribute);

#endif
