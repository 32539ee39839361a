/* adoptctl connections and kill: what the workers have in hand, a page at a time, so that
 * no worker is kept for long, and no answer is too big. */
#include "control_commands.h"
#include "support/json_text.h"

#include <errno.h>
#include <stdlib.h>

/* One worker's part of a page. */
struct part {
	json_t *array;
	size_t next;   /* of the array, that has not been taken */
	bool more;     /* it has more than are in the array */
	uint64_t last; /* id in the array */
};

struct page {
	uint64_t after;
	size_t each; /* at most from each worker */
	struct part *parts;
};

/* --- in a worker --- */

static json_t *connection_object(struct roll_entry *entry, const struct serving *serving)
{
	uint64_t now_ms = adopt_reactor_now_ms(serving->reactor);
	char peer[ADOPT_ADDRESS_TEXT_SIZE];
	struct roll_sight sight;

	entry->ops->look(entry, &sight);
	adopt_address_format(&sight.peer, peer, sizeof peer);
	return json_pack("{s:I, s:s, s:o, s:o, s:I, s:s?, s:o, s:I, s:I, s:I, s:i}", "id",
			 (json_int_t)entry->id, "kind", sight.kind, "peer", json_text(peer), "port",
			 json_text(sight.port), "route", (json_int_t)sight.route, "handler",
			 sight.handler, "upstream",
			 sight.note ? json_text(sight.note) : json_null(), "received",
			 (json_int_t)sight.received, "sent", (json_int_t)sight.sent, "age_ms",
			 (json_int_t)(now_ms - entry->begun_ms), "worker", (int)serving->worker);
}

static int list(struct serving *serving, void *context)
{
	const struct page *page = context;
	struct part *part = &page->parts[serving->worker];
	struct roll_entry *entry = roll_find(&serving->roll, page->after + 1);

	part->array = json_array();
	for (size_t i = 0; entry && i < page->each; i++, entry = roll_next(entry)) {
		if (json_array_append_new(part->array, connection_object(entry, serving)) < 0)
			return -ENOMEM;
		part->last = entry->id;
	}
	part->more = entry != NULL;
	return part->array ? 0 : -ENOMEM;
}

/* --- all together --- */

static uint64_t id_of(const json_t *connection)
{
	return (uint64_t)json_integer_value(json_object_get(connection, "id"));
}

/* Returns the part whose next has the lowest id of all, NULL where none is left. */
static struct part *lowest(struct part *parts, unsigned count)
{
	struct part *best = NULL;
	uint64_t best_id = 0;

	for (unsigned i = 0; i < count; i++) {
		const json_t *next = json_array_get(parts[i].array, parts[i].next);

		if (next && (!best || id_of(next) < best_id)) {
			best = &parts[i];
			best_id = id_of(next);
		}
	}
	return best;
}

/*
 * Merges the parts, by id. Behind the last of a part that has more, others would be
 * missing, so there the page ends.
 */
static json_t *merge(struct part *parts, unsigned count)
{
	json_t *array = json_array();
	uint64_t end = UINT64_MAX;
	bool more = false;
	struct part *part;

	for (unsigned i = 0; i < count; i++)
		if (parts[i].more && parts[i].last < end)
			end = parts[i].last;
	while ((part = lowest(parts, count))) {
		json_t *connection = json_array_get(part->array, part->next++);

		if (id_of(connection) > end)
			break;
		json_append(&array, json_incref(connection));
	}
	more = end != UINT64_MAX;
	return json_pack("{s:o, s:b}", "connections", array, "more", more);
}

void control_connections(struct server *server, const struct control_request *request,
			 struct control_answer *answer)
{
	struct page page = {
		.after = request->after,
		.each = (request->limit + server->worker_count - 1) / server->worker_count,
		.parts = calloc(server->worker_count, sizeof *page.parts),
	};
	int error = page.parts ? server_each(server, list, &page) : -ENOMEM;

	if (error == 0)
		answer->data = merge(page.parts, server->worker_count);
	for (unsigned i = 0; page.parts && i < server->worker_count; i++)
		json_decref(page.parts[i].array);
	free(page.parts);
	control_check(answer, error);
}

/* --- kill --- */

struct hunt {
	uint64_t id;
	atomic_bool found;
};

static int kill_one(struct serving *serving, void *context)
{
	struct hunt *hunt = context;
	struct roll_entry *entry = roll_find(&serving->roll, hunt->id);

	if (!entry || entry->id != hunt->id)
		return 0;
	atomic_store(&hunt->found, true);
	entry->ops->abort(entry);
	return 0;
}

void control_kill(struct server *server, const struct control_request *request,
		  struct control_answer *answer)
{
	struct hunt hunt = {.id = request->id};
	int error = server_each(server, kill_one, &hunt);

	if (error < 0)
		control_check(answer, error);
	else if (!atomic_load(&hunt.found))
		control_fail(answer, "not-found", "there is no connection %llu",
			     (unsigned long long)request->id);
	else
		log_notice("control: connection %llu is ended", (unsigned long long)request->id);
}
