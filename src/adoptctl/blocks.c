#include "blocks.h"

#include "body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A unit's name has to have room for what is put around it. */
#define NAME_MAX_BYTES 100

#define UNIT_OF_HANDLERS "adoptd-imported"
#define UNIT_OF_PROGRAMS "adoptd-imported-programs"

void blocks_free(struct blocks **blocks)
{
	if (!*blocks)
		return;
	for (size_t i = 0; i < (*blocks)->count; i++) {
		struct block *block = &(*blocks)->items[i];

		free(block->name);
		free(block->body);
		words_done(&block->sources);
		words_done(&block->streams);
		words_done(&block->datagrams);
	}
	for (size_t i = 0; i < (*blocks)->unit_count; i++)
		free((*blocks)->units[i].name);
	free(*blocks);
	*blocks = NULL;
}

/* Makes of any text a name that a port, a descriptor and a unit can have. */
static char *make_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	char *name = strndup(text + strspn(text, "/.-"), NAME_MAX_BYTES);

	for (char *at = name; name && *at; at++)
		if (!strchr(letters, *at) && *at != '.')
			*at = '-';
	if (name && *name)
		return name;
	free(name);
	return strdup("port");
}

static bool is_taken(const struct blocks *blocks, const char *name)
{
	for (size_t i = 0; i < blocks->count; i++)
		if (strcmp(blocks->items[i].name, name) == 0)
			return true;
	return false;
}

/* Returns a name that no block has, made of one that is taken; NULL without memory. */
static char *number_name(const struct blocks *blocks, const char *name)
{
	for (unsigned i = 2;; i++) {
		char *numbered = NULL;

		if (asprintf(&numbered, "%s-%u", name, i) < 0)
			return NULL;
		if (!is_taken(blocks, numbered))
			return numbered;
		free(numbered);
	}
}

static int name_block(const struct blocks *blocks, const struct service *service, char **ret)
{
	char *name = make_name(service->name), *other = NULL;

	if (name && is_taken(blocks, name) && service->id) {
		other = make_name(service->id);
		free(name);
		name = other;
	}
	if (name && is_taken(blocks, name)) {
		other = number_name(blocks, name);
		free(name);
		name = other;
	}
	if (!name)
		return -ENOMEM;
	*ret = name;
	return 0;
}

/* Tells whether a kind's name is for the unit that a service needs: for who needs nothing
 * special, and where nobody does, for the first. */
static bool has_shared_unit(const struct blocks *blocks, const struct services *services,
			    const struct service *service)
{
	bool runs_programs = service->handler == SERVICE_EXEC;

	if (service->unit.count == 0)
		return true;
	for (size_t i = 0; i < services->count; i++)
		if ((services->items[i]->handler == SERVICE_EXEC) == runs_programs &&
		    services->items[i]->unit.count == 0)
			return false;
	for (size_t i = 0; i < blocks->unit_count; i++)
		if (blocks->units[i].runs_programs == runs_programs)
			return false;
	return true;
}

/* Finds the unit that a service needs, or makes it, named for its kind or for its block. */
static int find_unit(struct blocks *blocks, const struct services *services,
		     const struct service *service, const char *block, size_t *ret)
{
	struct blocks_unit *unit = &blocks->units[blocks->unit_count];
	bool runs_programs = service->handler == SERVICE_EXEC;
	bool shared = has_shared_unit(blocks, services, service);
	const char *kind = runs_programs ? UNIT_OF_PROGRAMS : UNIT_OF_HANDLERS;

	for (size_t i = 0; i < blocks->unit_count; i++)
		if (blocks->units[i].runs_programs == runs_programs &&
		    words_equal(blocks->units[i].lines, &service->unit)) {
			*ret = i;
			return 0;
		}
	if (asprintf(&unit->name, "%s%s", shared ? "" : BLOCKS_UNIT_PREFIX, shared ? kind : block) <
	    0)
		return -ENOMEM;
	unit->runs_programs = runs_programs;
	unit->lines = &service->unit;
	*ret = blocks->unit_count++;
	return 0;
}

/* Finds the block that serves just what a service asks for, its addresses aside. */
static struct block *find_block(struct blocks *blocks, const struct service *service,
				const char *body)
{
	char *name = make_name(service->name);
	struct block *found = NULL;

	for (size_t i = 0; name && !found && i < blocks->count; i++) {
		struct block *block = &blocks->items[i];

		if (strcmp(block->name, name) == 0 && strcmp(block->body, body) == 0 &&
		    block->v4_mapped == service->v4_mapped &&
		    words_equal(block->socket, &service->socket) &&
		    words_equal(blocks->units[block->unit].lines, &service->unit))
			found = block;
	}
	free(name);
	return found;
}

static int new_block(struct blocks *blocks, const struct services *services,
		     const struct service *service, const char *body, struct block **ret)
{
	struct block *block = &blocks->items[blocks->count];
	int error = name_block(blocks, service, &block->name);

	if (error == 0)
		error = service_set(&block->body, body);
	if (error == 0)
		error = find_unit(blocks, services, service, block->name, &block->unit);
	/* Half of one is freed with the others. */
	blocks->count++;
	block->v4_mapped = service->v4_mapped;
	block->socket = &service->socket;
	*ret = block;
	return error;
}

static bool is_any(const char *address, bool v6)
{
	const char *any = v6 ? "[::]:" : "0.0.0.0:";

	return strncmp(address, any, strlen(any)) == 0;
}

/* Tells whether two addresses cannot both be listened on; mapped: as v4_mapped. */
static bool collide(const char *a, bool a_mapped, const char *b, bool b_mapped)
{
	if (strcmp(a, b) == 0)
		return true;
	if (!(a_mapped && is_any(a, true) && is_any(b, false)) &&
	    !(b_mapped && is_any(b, true) && is_any(a, false)))
		return false;
	return strcmp(strrchr(a, ':'), strrchr(b, ':')) == 0;
}

/* Finds the block that has an address of a service. */
static const struct block *find_claim(const struct blocks *blocks, const struct service *service,
				      const char *address)
{
	for (size_t i = 0; i < blocks->count; i++) {
		const struct block *block = &blocks->items[i];
		const struct words *claimed =
			service->datagram ? &block->datagrams : &block->streams;

		for (size_t k = 0; k < claimed->count; k++)
			if (collide(address, service->v4_mapped, claimed->items[k],
				    block->v4_mapped))
				return block;
	}
	return NULL;
}

/* Appends those addresses of a service that nobody has. */
static int claim(const struct blocks *blocks, const struct service *service, struct faults *faults,
		 struct words *ret)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < service->listens.count; i++) {
		const char *address = service->listens.items[i];
		const struct block *other = find_claim(blocks, service, address);

		if (!other && !words_have(ret, address))
			error = words_add(ret, address);
		else if (other)
			fault_add(faults, FAULT_WARNING, service->file, service->line,
				  "%s: %s %s is served already, for %s; this is left out",
				  service->name, service->datagram ? "datagram" : "stream", address,
				  other->sources.items[0]);
	}
	return error;
}

static int add(struct blocks *blocks, const struct services *services,
	       const struct service *service, struct faults *faults)
{
	struct words addresses = {0};
	struct block *block = NULL;
	char *body = NULL;
	int error = claim(blocks, service, faults, &addresses);

	if (error < 0 || addresses.count == 0)
		goto out;
	error = body_write(service, &body);
	if (error < 0)
		goto out;
	block = find_block(blocks, service, body);
	if (!block)
		error = new_block(blocks, services, service, body, &block);
	if (error == 0)
		error = words_print(&block->sources, "%s:%d", service->file, service->line);
	if (error == 0)
		error = words_append(service->datagram ? &block->datagrams : &block->streams,
				     &addresses);
out:
	words_done(&addresses);
	free(body);
	return error;
}

int blocks_new(const struct services *services, struct faults *faults, struct blocks **ret)
{
	struct blocks *blocks = calloc(1, sizeof *blocks);
	int error = blocks ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && i < services->count; i++)
		error = add(blocks, services, services->items[i], faults);
	if (error < 0) {
		blocks_free(&blocks);
		return error;
	}
	*ret = blocks;
	return 0;
}
