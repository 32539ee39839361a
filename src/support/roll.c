#include "roll.h"

void roll_init(struct roll *roll, unsigned worker, unsigned workers)
{
	*roll = (struct roll){.next_id = worker + 1, .step = workers};
	TAILQ_INIT(&roll->entries);
}

void roll_enter(struct roll *roll, struct roll_entry *entry, uint64_t now_ms)
{
	entry->id = roll->next_id;
	entry->begun_ms = now_ms;
	roll->next_id += roll->step;
	roll->count++;
	pace_count(&roll->pace, now_ms);
	TAILQ_INSERT_TAIL(&roll->entries, entry, link);
}

void roll_leave(struct roll *roll, struct roll_entry *entry)
{
	TAILQ_REMOVE(&roll->entries, entry, link);
	roll->count--;
}

struct roll_entry *roll_find(const struct roll *roll, uint64_t id)
{
	struct roll_entry *entry;

	TAILQ_FOREACH (entry, &roll->entries, link)
		if (entry->id >= id)
			break;
	return entry;
}

struct roll_entry *roll_next(const struct roll_entry *entry)
{
	return TAILQ_NEXT(entry, link);
}
