/* balance.h - which of several upstreams a client gets */
#ifndef HANDLERS_BALANCE_H
#define HANDLERS_BALANCE_H

#include "upstream.h"

#include <stddef.h>

enum balance {
	BALANCE_ROUND_ROBIN,       /* each in turn, by weight */
	BALANCE_LEAST_CONNECTIONS, /* who has the fewest for its weight; in turn among equals */
	BALANCE_SOURCE_HASH,       /* a client's host always the same one */
};

/* Whom to choose for. */
struct balance_client {
	const struct adopt_address *address;
	struct upstream *const *tried; /* not these again */
	size_t tried_count;
	const struct upstream *beside; /* only one of the same name, if not NULL: rather of
					* the other family (RFC 8305, section 4) */
	uint64_t now_ms;
};

/*
 * Chooses one: rather one that is usable, then by priority, then as `balance` says. The
 * hash is consistent: when an upstream goes, only its own clients get others.
 * Returns it, without a reference; NULL when all have been tried.
 */
struct upstream *balance_choose(enum balance balance, struct upstream *const *upstreams,
				size_t count, const struct balance_client *client);

#endif
