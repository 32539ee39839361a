#include "lookup.h"

#include "dns_ttl.h"
#include "libcares.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/time.h>

/* RFC 1035, 3.2.4 and RFC 2782: not every system has <arpa/nameser.h>. */
#define CLASS_IN 1
#define TYPE_SRV 33

/* A name server that is silent for so long is asked again, each time for twice as long,
 * the next one first. */
#define SERVER_TIMEOUT_MS 1000
#define SERVER_TRIES 3

/* A socket of c-ares' in our loop. */
struct lookup_socket {
	struct adopt_watcher watcher;
	LIST_ENTRY(lookup_socket) link;
	struct lookup *lookup;
};

struct lookup {
	struct adopt_reactor *reactor;
	const struct libcares *cares;
	ares_channel channel;
	struct adopt_timer *timer;
	struct adopt_call finish;
	LIST_HEAD(, lookup_socket) sockets;
	int type;
	unsigned pending; /* questions that have not been answered */
	bool ending;      /* c-ares ends them all */
	bool unsure;      /* a question found nobody to answer it */
	bool no_memory;
	struct lookup_answer answer;
	void (*done)(void *context, int error, const struct lookup_answer *answer);
	void *context;
};

/* One host of a lookup. */
struct target {
	struct lookup *lookup;
	unsigned priority;
	unsigned weight;
};

static void await_timeout(struct lookup *lookup)
{
	struct timeval left;

	if (lookup->cares->ares_timeout(lookup->channel, NULL, &left))
		adopt_timer_start(lookup->timer,
				  (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1);
	else
		adopt_timer_stop(lookup->timer);
}

static void process(struct lookup *lookup, int readable, int writable)
{
	lookup->cares->ares_process_fd(lookup->channel, readable, writable);
	await_timeout(lookup);
}

static void timed_out(void *context)
{
	process(context, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_readable(struct adopt_watcher *watcher)
{
	process(((struct lookup_socket *)watcher)->lookup, watcher->fd, ARES_SOCKET_BAD);
}

static void socket_writable(struct adopt_watcher *watcher)
{
	process(((struct lookup_socket *)watcher)->lookup, ARES_SOCKET_BAD, watcher->fd);
}

static const struct adopt_watcher_ops socket_ops = {
	.readable = socket_readable,
	.writable = socket_writable,
};

static struct lookup_socket *find_socket(struct lookup *lookup, int fd)
{
	struct lookup_socket *at;

	LIST_FOREACH (at, &lookup->sockets, link)
		if (at->watcher.fd == fd)
			return at;
	at = calloc(1, sizeof *at);
	if (!at)
		return NULL;
	at->watcher.ops = &socket_ops;
	at->watcher.fd = fd;
	at->lookup = lookup;
	LIST_INSERT_HEAD(&lookup->sockets, at, link);
	return at;
}

/* c-ares tells what it waits for; with neither, the socket is about to be closed. Where
 * a socket cannot be watched, its questions run into their timeout. */
static void socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
	struct lookup *lookup = context;
	struct lookup_socket *at = find_socket(lookup, fd);

	if (!at)
		return;
	if (readable)
		(void)adopt_reader_add(lookup->reactor, &at->watcher);
	else
		adopt_reader_remove(lookup->reactor, &at->watcher);
	if (writable)
		(void)adopt_writer_add(lookup->reactor, &at->watcher);
	else
		adopt_writer_remove(lookup->reactor, &at->watcher);
	if (!readable && !writable) {
		LIST_REMOVE(at, link);
		free(at);
	}
}

static void lookup_free(struct lookup *lookup)
{
	adopt_call_cancel(lookup->reactor, &lookup->finish);
	lookup->ending = true;
	if (lookup->channel)
		lookup->cares->ares_destroy(lookup->channel);
	adopt_timer_free(&lookup->timer);
	free(lookup->answer.addresses);
	free(lookup);
}

static int judge(const struct lookup *lookup)
{
	if (lookup->answer.count > 0)
		return 0;
	if (lookup->no_memory)
		return -ENOMEM;
	return lookup->unsure ? -EAGAIN : -EHOSTUNREACH;
}

/* Out of c-ares' hands, so that it may be freed. */
static void finish(struct adopt_call *call)
{
	struct lookup *lookup = (struct lookup *)((char *)call - offsetof(struct lookup, finish));
	struct lookup_answer answer = lookup->answer;
	void (*done)(void *, int, const struct lookup_answer *) = lookup->done;
	void *context = lookup->context;
	int error = judge(lookup);

	lookup->answer.addresses = NULL;
	lookup_free(lookup);
	done(context, error, &answer);
	free(answer.addresses);
}

static void answered(struct lookup *lookup)
{
	if (--lookup->pending == 0 && !lookup->ending)
		adopt_call_soon(lookup->reactor, &lookup->finish);
}

static void failed(struct lookup *lookup, int status)
{
	if (status == ARES_ENOMEM)
		lookup->no_memory = true;
	else if (status != ARES_ENOTFOUND && status != ARES_ENODATA)
		lookup->unsure = true;
}

static void limit_ttl(struct lookup *lookup, int ttl_s)
{
	uint64_t ttl_ms = ttl_s > 0 ? (uint64_t)ttl_s * 1000 : 0;

	if (ttl_ms < lookup->answer.ttl_ms)
		lookup->answer.ttl_ms = ttl_ms;
}

static int append(struct lookup *lookup, const struct target *target,
		  const struct ares_addrinfo_node *node)
{
	struct lookup_answer *answer = &lookup->answer;
	struct lookup_address *grown;

	if (answer->count == LOOKUP_MAX || node->ai_addrlen > sizeof grown->address.name)
		return 0;
	grown = realloc(answer->addresses, (answer->count + 1) * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	answer->addresses = grown;
	grown += answer->count++;
	*grown = (struct lookup_address){
		.address.length = node->ai_addrlen,
		.priority = target->priority,
		.weight = target->weight > 0 ? target->weight : 1,
	};
	memcpy(&grown->address.name, node->ai_addr, node->ai_addrlen);
	limit_ttl(lookup, node->ai_ttl);
	return 0;
}

static void host_answered(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
	struct target *target = context;
	struct lookup *lookup = target->lookup;

	(void)timeouts;
	if (status != ARES_SUCCESS)
		failed(lookup, status);
	for (const struct ares_addrinfo_node *at = found ? found->nodes : NULL; at;
	     at = at->ai_next)
		if (append(lookup, target, at) < 0)
			lookup->no_memory = true;
	lookup->cares->ares_freeaddrinfo(found);
	free(target);
	answered(lookup);
}

static void ask_host(struct lookup *lookup, const char *name, unsigned port, unsigned priority,
		     unsigned weight)
{
	const struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = lookup->type,
	};
	struct target *target = malloc(sizeof *target);
	char service[sizeof "65535"];

	if (!target) {
		lookup->no_memory = true;
		return;
	}
	*target = (struct target){lookup, priority, weight};
	snprintf(service, sizeof service, "%u", port % 65536);
	lookup->pending++;
	lookup->cares->ares_getaddrinfo(lookup->channel, name, service, &hints, host_answered,
					target);
}

static void ask_targets(struct lookup *lookup, const struct ares_srv_reply *found)
{
	unsigned count = 0;

	/* RFC 2782: a single target "." says that there is no such service. */
	for (const struct ares_srv_reply *at = found; at && count < LOOKUP_TARGETS_MAX;
	     at = at->next)
		if (at->host[0] != '\0' && strcmp(at->host, ".") != 0) {
			ask_host(lookup, at->host, at->port, at->priority, at->weight);
			count++;
		}
}

static void service_answered(void *context, int status, int timeouts, unsigned char *data,
			     int length)
{
	struct lookup *lookup = context;
	struct ares_srv_reply *found = NULL;
	uint32_t ttl_s;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = lookup->cares->ares_parse_srv_reply(data, length, &found);
	if (status == ARES_SUCCESS) {
		if (dns_ttl(data, (size_t)length, &ttl_s) == 0)
			limit_ttl(lookup, ttl_s < INT32_MAX ? (int)ttl_s : INT32_MAX);
		ask_targets(lookup, found);
		lookup->cares->ares_free_data(found);
	} else {
		failed(lookup, status);
	}
	answered(lookup);
}

static int open_channel(struct lookup *lookup, const char *servers)
{
	struct ares_options options = {
		.timeout = SERVER_TIMEOUT_MS,
		.tries = SERVER_TRIES,
		.sock_state_cb = socket_state,
		.sock_state_cb_data = lookup,
	};
	int status = lookup->cares->ares_init_options(&lookup->channel, &options,
						      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
							      ARES_OPT_SOCK_STATE_CB);

	if (status == ARES_SUCCESS && servers)
		status = lookup->cares->ares_set_servers_ports_csv(lookup->channel, servers);
	if (status == ARES_SUCCESS)
		return 0;
	return status == ARES_ENOMEM ? -ENOMEM : -EAGAIN;
}

int lookup_prepare(void)
{
	const struct libcares *cares;

	return libcares_load(&cares);
}

int lookup_begin(struct adopt_reactor *reactor, const struct endpoint *endpoint, int type,
		 const char *servers,
		 void (*done)(void *context, int error, const struct lookup_answer *answer),
		 void *context, struct lookup **ret)
{
	struct lookup *lookup = calloc(1, sizeof *lookup);
	int error;

	if (!lookup)
		return -ENOMEM;
	*lookup = (struct lookup){
		.reactor = reactor,
		.finish = {.run = finish},
		.type = type,
		.pending = 1, /* ours, until all questions are asked */
		.answer.ttl_ms = UINT64_MAX,
		.done = done,
		.context = context,
	};
	error = libcares_load(&lookup->cares);
	if (error == 0)
		error = open_channel(lookup, servers);
	if (error == 0)
		error = adopt_timer_new(reactor, timed_out, lookup, &lookup->timer);
	if (error < 0) {
		lookup_free(lookup);
		return error;
	}
	if (endpoint->kind == ENDPOINT_HOST) {
		ask_host(lookup, endpoint->name, endpoint->port, 0, 1);
	} else {
		lookup->pending++;
		lookup->cares->ares_search(lookup->channel, endpoint->name, CLASS_IN, TYPE_SRV,
					   service_answered, lookup);
	}
	await_timeout(lookup);
	answered(lookup);
	*ret = lookup;
	return 0;
}

void lookup_cancel(struct lookup **lookup)
{
	if (*lookup)
		lookup_free(*lookup);
	*lookup = NULL;
}
