/*
 * condition_kind.h - the conditions that a route can have
 *
 * Each is one entry of a table: how a value of it is read, how a client is judged by
 * it, and which other values take all that it could.
 */
#ifndef ROUTING_CONDITION_KIND_H
#define ROUTING_CONDITION_KIND_H

#include "network.h"
#include "prefix.h"
#include "recognise.h"
#include "sight.h"

/* Room for what is wrong with a value. */
#define CONDITION_PROBLEM_SIZE 192

/* One value of one condition. */
struct condition_value {
	const char *text; /* as written; the configuration's */
	union {
		struct network network;
		struct adopt_address address;
		const struct recogniser *recogniser;
		struct prefix prefix;
		uid_t uid;
		gid_t gid;
	} as;
	bool whole_address; /* `local` with a port: `as.address`, else `as.network` */
};

struct condition_kind {
	const char *name;
	bool bytes;     /* needs bytes from the client */
	bool stream;    /* a stream may fulfil it, ... */
	bool only_unix; /* ... though only one on a UNIX socket */
	bool datagram;  /* a datagram may fulfil it */

	bool recognises; /* its values are recognisers */
	/* Who fulfils it has the first bytes of this; NULL: of anything. */
	const struct recogniser *implies;

	/* Reads value->text. Returns 0, or -EINVAL and what is wrong, for a person. */
	int (*read)(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE]);

	/* Judges a client as verdict.h says. */
	enum verdict (*judge)(const struct condition_value *value, struct sight *sight,
			      size_t *ret_needed);

	/* Tells whether all who fulfil `narrow` fulfil `wide` as well, as far as the values
	 * show. */
	bool (*covers)(const struct condition_value *wide, const struct condition_value *narrow);
};

#define CONDITION_KINDS 9

/* Those that need no bytes come first: what they rule out needs no look. */
extern const struct condition_kind condition_kinds[CONDITION_KINDS];

#endif
