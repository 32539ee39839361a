#include "plan.h"

#include "daemon/kind.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What is known while a plan is being made. */
struct making {
	const struct config *config;
	struct inherited_list *list;
	const struct listen_set *opened; /* already; NULL for none */
	struct faults *faults;
	struct plan *plan;
	const struct config_port **owners; /* of the list's descriptors, in its order */
	bool misfit;                       /* descriptors and configuration do not fit */
};

/* A descriptor that is to become an entry. */
struct candidate {
	const struct config_port *port;
	int fd;
	int number; /* as the user knows it, -1 for what was opened */
	const char *name;
	const char *source;
};

static bool has_name(const struct inherited *item, const char *name, size_t length)
{
	return strlen(item->name) == length && memcmp(item->name, name, length) == 0;
}

static void claim_numbered(struct making *making, const struct config_port *port, size_t length,
			   size_t index)
{
	for (size_t i = 0; i < making->list->count; i++)
		if (has_name(&making->list->items[i], port->name, length) && index-- == 0) {
			making->owners[i] = port;
			return;
		}
}

static void claim_free(struct making *making, const struct config_port *port)
{
	bool all = strcmp(port->name, "*") == 0;

	for (size_t i = 0; i < making->list->count; i++)
		if (!making->owners[i] &&
		    (all || strcmp(making->list->items[i].name, port->name) == 0))
			making->owners[i] = port;
}

/* The more exactly a block names a descriptor, the sooner it is asked. */
static void claim_all(struct making *making)
{
	enum { NUMBERED, NAMED, REST };

	for (int turn = NUMBERED; turn <= REST; turn++)
		for (size_t i = 0; i < making->config->port_count; i++) {
			const struct config_port *port = &making->config->ports[i];
			size_t length, index;

			if (inherited_split_name(port->name, &length, &index)) {
				if (turn == NUMBERED)
					claim_numbered(making, port, length, index);
			} else if (turn == (strcmp(port->name, "*") == 0 ? REST : NAMED)) {
				claim_free(making, port);
			}
		}
}

static void report_unclaimed(struct making *making)
{
	for (size_t i = 0; i < making->list->count; i++) {
		const struct inherited *item = &making->list->items[i];

		if (making->owners[i])
			continue;
		making->misfit = true;
		fault_add(making->faults, FAULT_ERROR, NULL, 0,
			  "descriptor %d (\"%s\", from %s) is taken by no port block: one named "
			  "\"%s\" or \"*\" would%s",
			  item->number, item->name, item->source, item->name,
			  strcmp(item->source, "inetd") == 0
				  ? "; if adoptd was not started by inetd, start it with its "
				    "standard input from /dev/null"
				  : "");
	}
}

static void misfit(struct making *making, const struct candidate *candidate, const char *who,
		   const char *why)
{
	const struct config_port *port = candidate->port;
	char kind[KIND_TEXT_SIZE];

	making->misfit = true;
	kind_describe(candidate->fd, kind, sizeof kind);
	if (candidate->number < 0)
		fault_add(making->faults, FAULT_ERROR, port->file, port->line,
			  "port \"%s\": `listen` address \"%s\" is %s, %s %s", port->name,
			  candidate->name, kind, who, why);
	else
		fault_add(making->faults, FAULT_ERROR, port->file, port->line,
			  "port \"%s\": descriptor %d (\"%s\", from %s) is %s, %s %s", port->name,
			  candidate->number, candidate->name, candidate->source, kind, who, why);
}

/*
 * A connection that its peer has reset can be read from, if only for the end;
 * a socket that never was connected cannot.
 */
static bool has_lost_peer(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLIN;
}

/* Returns whether the socket can be adopted at all, and how. */
static bool find_role(const struct adopt_socket_kind *kind, enum plan_role *ret)
{
	if (!adopt_family_supported(kind->family))
		return false;
	if (kind->type == SOCK_DGRAM)
		*ret = PLAN_DATAGRAM_PORT;
	else if (kind->type != SOCK_STREAM && kind->type != SOCK_SEQPACKET)
		return false;
	else if (kind->listening)
		*ret = PLAN_STREAM_PORT;
	else if (kind->connected)
		*ret = PLAN_STREAM_CONNECTION;
	else
		return false;
	return true;
}

static bool is_dead_connection(const struct candidate *candidate,
			       const struct adopt_socket_kind *kind)
{
	return kind->type == SOCK_STREAM && !kind->listening && !kind->connected &&
	       adopt_family_supported(kind->family) && has_lost_peer(candidate->fd);
}

/* Returns why a handler cannot have a socket of a role, or NULL. */
static const char *role_misfit(const struct handler *handler,
			       const struct handler_settings *settings, enum plan_role role)
{
	if (role == PLAN_STREAM_CONNECTION && handler_takes_port(handler, settings))
		return "has `wait`, and takes the listening socket";
	return handler_refuses(handler, settings, role == PLAN_DATAGRAM_PORT);
}

static const char *handler_misfit(const struct handler *handler,
				  const struct handler_settings *settings,
				  const struct plan_entry *entry)
{
	const char *why = role_misfit(handler, settings, entry->role);

	return why || !handler->misfit ? why : handler->misfit(settings, entry->kind.type);
}

/* Returns the first fault that a block's handlers have with a socket, or NULL. */
static const char *block_misfit(const struct plan_entry *entry, const char **ret_who)
{
	const struct config_port *port = entry->port;
	const char *why = handler_misfit(port->handler, port->settings, entry);

	*ret_who = "but its handler";
	for (size_t i = 0; !why && i < port->route_count; i++) {
		why = handler_misfit(port->routes[i].handler, port->routes[i].settings, entry);
		*ret_who = "but the handler of a route";
	}
	return why;
}

/* Makes a candidate an entry, or a fault, or drops it. */
static void place(struct making *making, const struct candidate *candidate)
{
	struct plan *plan = making->plan;
	struct plan_entry entry = {.port = candidate->port,
				   .fd = candidate->fd,
				   .name = candidate->name,
				   .source = candidate->source};
	const char *who, *why;
	int error = adopt_socket_inspect(candidate->fd, &entry.kind);

	if (error == -EBADF || error == -ENOTSOCK) {
		misfit(making, candidate, "which", "cannot be served");
	} else if (error < 0) {
		misfit(making, candidate, "which cannot be served:", adopt_error_text(error));
	} else if (is_dead_connection(candidate, &entry.kind)) {
		inherited_note(making->list,
			       "descriptor %d (\"%s\", from %s) is dropped: its peer is gone "
			       "already",
			       candidate->number, candidate->name, candidate->source);
		/* Last: it ends the name. */
		inherited_drop(making->list, candidate->fd);
	} else if (!find_role(&entry.kind, &entry.role)) {
		misfit(making, candidate, "which", "cannot be served");
	} else if ((why = block_misfit(&entry, &who))) {
		misfit(making, candidate, who, why);
	} else {
		if (handler_takes_port(entry.port->handler, entry.port->settings))
			entry.role = PLAN_WHOLE_PORT;
		plan->entries[plan->count++] = entry;
	}
}

static int reserve_entry(struct plan *plan)
{
	struct plan_entry *entries = realloc(plan->entries, (plan->count + 1) * sizeof *entries);

	if (!entries)
		return -ENOMEM;
	plan->entries = entries;
	return 0;
}

/* Returns 0 or -ENOMEM; ret_found: whether the block got any descriptor. */
static int place_inherited(struct making *making, const struct config_port *port, bool *ret_found)
{
	struct inherited_list *list = making->list;

	for (size_t i = 0; i < list->count;) {
		struct candidate candidate = {.port = port,
					      .fd = list->items[i].fd,
					      .number = list->items[i].number,
					      .name = list->items[i].name,
					      .source = list->items[i].source};
		size_t before = list->count;

		if (making->owners[i] != port) {
			i++;
			continue;
		}
		*ret_found = true;
		if (reserve_entry(making->plan) < 0)
			return -ENOMEM;
		place(making, &candidate);
		if (list->count == before)
			i++;
		else
			memmove(&making->owners[i], &making->owners[i + 1],
				(list->count - i) * sizeof *making->owners);
	}
	return 0;
}

static const char *why_not_opened(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "somebody has this address already";
	case -EHOSTUNREACH:
		return "the name has no address";
	case -EAGAIN:
		return "the name cannot be resolved now";
	default:
		return strerror(-error);
	}
}

static int place_opened(struct making *making, const struct config_port *port, const char *text)
{
	struct listen_set *opened = &making->plan->opened;
	size_t i = opened->count;
	int r = listen_open(opened, making->opened, text);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		fault_add(making->faults, FAULT_ERROR, port->file, port->line,
			  "port \"%s\": cannot listen on \"%s\": %s", port->name, text,
			  why_not_opened(r));
	for (; i < opened->count; i++) {
		struct candidate candidate = {.port = port,
					      .fd = opened->items[i].socket->fd,
					      .number = -1,
					      .name = text,
					      .source = "listen"};

		if (reserve_entry(making->plan) < 0)
			return -ENOMEM;
		place(making, &candidate);
	}
	return r < 0 ? r : 0;
}

/* Returns 0, -ENOMEM, or why an address could not be opened. */
static int place_port(struct making *making, const struct config_port *port)
{
	bool found = false;
	int r = place_inherited(making, port, &found);

	if (r < 0 || found)
		return r;
	if (!port->listen[0] && !port->optional) {
		making->misfit = true;
		fault_add(making->faults, FAULT_ERROR, port->file, port->line,
			  "port \"%s\" got no descriptor, and has neither `listen` nor "
			  "`optional = true`",
			  port->name);
	}
	for (char **text = port->listen; *text; text++) {
		int error = place_opened(making, port, *text);

		if (error == -ENOMEM)
			return error;
		if (error < 0 && r == 0)
			r = error;
	}
	return r;
}

static int fill(struct making *making)
{
	int r = 0;

	claim_all(making);
	report_unclaimed(making);
	for (size_t i = 0; i < making->config->port_count; i++) {
		int error = place_port(making, &making->config->ports[i]);

		if (error == -ENOMEM)
			return error;
		if (error < 0 && r == 0)
			r = error;
	}
	return making->misfit ? -EINVAL : r;
}

int plan_make(const struct config *config, struct inherited_list *list,
	      const struct listen_set *opened, struct faults *faults, struct plan **ret)
{
	struct making making = {.config = config, .list = list, .opened = opened, .faults = faults};
	int r = -ENOMEM;

	making.plan = calloc(1, sizeof *making.plan);
	making.owners = calloc(list->count + 1, sizeof *making.owners);
	if (making.plan && making.owners)
		r = fill(&making);
	if (r == 0) {
		*ret = making.plan;
		making.plan = NULL;
	}
	plan_free(&making.plan);
	free(making.owners);
	return r;
}

void plan_close_ports(struct plan *plan)
{
	listen_close(&plan->opened);
}

void plan_free(struct plan **plan)
{
	if (!*plan)
		return;
	listen_close(&(*plan)->opened);
	free((*plan)->entries);
	free(*plan);
	*plan = NULL;
}
