#include "ledgers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ledgers_item {
	struct ledgers_item *next;
	struct ledger *ledger;
	char name[];
};

int ledgers_find(struct ledgers *ledgers, const char *name, struct ledger **ret)
{
	struct ledgers_item *item;
	int error;

	for (item = ledgers->first; item; item = item->next)
		if (strcmp(item->name, name) == 0) {
			*ret = item->ledger;
			return 0;
		}
	item = calloc(1, sizeof *item + strlen(name) + 1);
	if (!item)
		return -ENOMEM;
	error = ledger_new(&item->ledger);
	if (error < 0) {
		free(item);
		return error;
	}
	strcpy(item->name, name);
	item->next = ledgers->first;
	ledgers->first = item;
	*ret = item->ledger;
	return 0;
}

void ledgers_done(struct ledgers *ledgers)
{
	while (ledgers->first) {
		struct ledgers_item *item = ledgers->first;

		ledgers->first = item->next;
		ledger_free(&item->ledger);
		free(item);
	}
}
