/* ledgers.h - the ledgers of all port blocks, by name: they outlive reloads */
#ifndef DAEMON_LEDGERS_H
#define DAEMON_LEDGERS_H

#include "routing/ledger.h"

struct ledgers_item;

/* Initialize with zeros. */
struct ledgers {
	struct ledgers_item *first;
};

/* Finds a block's ledger, or makes it. ret: stays the ledgers'. Returns 0 or -ENOMEM. */
int ledgers_find(struct ledgers *ledgers, const char *name, struct ledger **ret);

/* Frees all, when no gate is left. */
void ledgers_done(struct ledgers *ledgers);

#endif
