#include "leg.h"

#include "support/datagram_key.h"
#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An upstream's answers are not ours to cut: the largest that IP can carry. */
#define ANSWER_BYTES 65535

/* It outlives its owner's interest until its port has ended. */
struct leg {
	struct adopt_datagram_protocol base;
	struct adopt_reactor *reactor;
	struct leg_owner *owner; /* NULL: has left it */
	struct upstream *upstream;
	bool dead;
};

static uint64_t now_ms(const struct leg *leg)
{
	return adopt_reactor_now_ms(leg->reactor);
}

static void datagrams_received(struct adopt_datagram_protocol *protocol,
			       const struct adopt_datagram *datagrams, size_t count)
{
	struct leg *leg = (struct leg *)protocol;
	size_t run;

	for (; count > 0 && leg->owner; datagrams += run, count -= run) {
		run = datagram_key_run(datagrams, count);
		if (datagrams->truncated)
			continue;
		upstream_answered(leg->upstream);
		leg->owner->answered(leg->owner, datagrams, run);
	}
}

static void connection_refused(struct adopt_datagram_protocol *protocol)
{
	struct leg *leg = (struct leg *)protocol;

	if (!leg->owner)
		return;
	leg->dead = true;
	upstream_failed(leg->upstream, -ECONNREFUSED, now_ms(leg));
	leg->owner->refused(leg->owner);
}

static void destroy(struct leg *leg)
{
	upstream_leave(leg->upstream);
	upstream_unref(&leg->upstream);
	free(leg);
}

/* Where the reactor ends, its owner has not left it before, and will. */
static void stopped(struct adopt_datagram_protocol *protocol)
{
	struct leg *leg = (struct leg *)protocol;

	leg->base.port = NULL;
	leg->dead = true;
	if (!leg->owner)
		destroy(leg);
}

static const struct adopt_datagram_protocol_ops leg_ops = {
	.datagrams_received = datagrams_received,
	.connection_refused = connection_refused,
	.stop = stopped,
};

/* A UNIX upstream can answer only a socket that has a name: Linux picks one. */
static void name_unix_socket(int fd)
{
	struct sockaddr_un unnamed = {.sun_family = AF_UNIX};

	if (bind(fd, (struct sockaddr *)&unnamed, sizeof unnamed.sun_family) < 0)
		log_debug("proxy: no name for answers: %s", strerror(errno));
}

/* Returns a socket connected to the upstream, or a negative errno. */
static int connected_socket(const struct adopt_address *upstream)
{
	int fd, error = adopt_socket_create(adopt_address_family(upstream), SOCK_DGRAM, &fd);

	if (error < 0)
		return error;
	if (adopt_address_family(upstream) == AF_UNIX)
		name_unix_socket(fd);
	if (connect(fd, &upstream->name.any, upstream->length) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int leg_new(struct adopt_reactor *reactor, struct upstream *upstream, struct leg_owner *owner,
	    struct leg **ret)
{
	struct leg *leg = calloc(1, sizeof *leg);
	int fd, error;

	if (!leg)
		return -ENOMEM;
	fd = error = connected_socket(&upstream->address);
	if (fd >= 0) {
		leg->base.ops = &leg_ops;
		error = adopt_datagram_port(reactor, fd, AF_UNSPEC, &leg->base, ANSWER_BYTES, NULL);
		close(fd);
	}
	if (error < 0) {
		free(leg);
		return error;
	}
	leg->reactor = reactor;
	leg->owner = owner;
	leg->upstream = upstream_ref(upstream);
	upstream_enter(upstream);
	*ret = leg;
	return 0;
}

int leg_send(struct leg *leg, const struct adopt_datagram *datagrams, size_t count)
{
	int sent = leg->dead
			   ? -EPIPE
			   : adopt_port_send_several(leg->base.port, NULL, NULL, datagrams, count);

	if (sent < 0 && sent != -EAGAIN && sent != -EMSGSIZE && sent != -EPIPE &&
	    upstream_at_fault(sent)) {
		leg->dead = true;
		upstream_failed(leg->upstream, sent, now_ms(leg));
	}
	return sent;
}

bool leg_dead(const struct leg *leg)
{
	return leg->dead;
}

const struct upstream *leg_upstream(const struct leg *leg)
{
	return leg->upstream;
}

void leg_free(struct leg **ret)
{
	struct leg *leg = *ret;
	struct adopt_port *port;

	*ret = NULL;
	if (!leg)
		return;
	leg->owner = NULL;
	port = leg->base.port;
	if (port)
		adopt_port_stop(&port);
	else
		destroy(leg);
}
