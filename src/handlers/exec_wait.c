/* A process for the whole port: it gets the listening or datagram socket itself, and
 * adoptd looks away until it has ended. */
#include "exec_process.h"

#include "support/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One that ends sooner, and has left what it was started for, would be started again and
 * again: between two starts is a pause, twice as long each time. */
#define SOON_MS 1000
#define PAUSE_MS 100
#define PAUSE_MAX_MS 60000

#define SAMPLE_BYTES 64

/* The datagram that is the first in the queue, or enough of it to know it again. */
struct sample {
	ssize_t length; /* of all of it; negative where there is none */
	struct adopt_address peer;
	unsigned char bytes[SAMPLE_BYTES];
};

struct exec_port {
	struct adopt_lookout base;
	const struct exec_settings *settings;
	struct host *host;
	struct exec_trouble trouble;
	struct exec_process *process; /* NULL: none runs */
	struct slots_waiter turn;
	struct adopt_timer *pause; /* NULL before the first */
	uint64_t pause_ms;         /* the last one's; 0: all is well */
	bool busy;                 /* a process runs, or is to: who waits is not looked at */
	bool told;                 /* that it does not take what waits */
	uint64_t begun_ms;
	struct sample sample; /* what it was started for */
};

static uint64_t now_ms(const struct exec_port *port)
{
	return adopt_reactor_now_ms(port->host->reactor);
}

static int descriptor(const struct exec_port *port)
{
	return adopt_port_descriptor(port->base.port);
}

static void take_sample(int fd, struct sample *sample)
{
	memset(sample, 0, sizeof *sample);
	sample->peer.length = sizeof sample->peer.name;
	sample->length = recvfrom(fd, sample->bytes, sizeof sample->bytes,
				  MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, &sample->peer.name.any,
				  &sample->peer.length);
}

static bool is_same(const struct sample *a, const struct sample *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0 &&
	       a->peer.length == b->peer.length &&
	       memcmp(&a->peer.name, &b->peer.name, sizeof a->peer.name) == 0;
}

static bool somebody_waits(int fd)
{
	struct pollfd state = {.fd = fd, .events = POLLIN};

	return poll(&state, 1, 0) == 1;
}

/* Of clients that wait to be accepted nobody can tell whether they are the same. */
static bool has_left_it(const struct exec_port *port)
{
	struct sample now;

	if (!somebody_waits(descriptor(port)))
		return false;
	if (port->sample.length < 0)
		return true;
	take_sample(descriptor(port), &now);
	return is_same(&now, &port->sample);
}

/* While the host is held, the port is the host's to resume. */
static void look_again(void *context)
{
	struct exec_port *port = context;

	port->busy = false;
	if (port->host->holds == 0)
		adopt_port_resume(port->base.port);
}

static void rest(struct exec_port *port)
{
	port->pause_ms = port->pause_ms == 0 ? PAUSE_MS : 2 * port->pause_ms;
	if (port->pause_ms > PAUSE_MAX_MS)
		port->pause_ms = PAUSE_MAX_MS;
	if (!port->pause &&
	    adopt_timer_new(port->host->reactor, look_again, port, &port->pause) < 0)
		look_again(port);
	else
		adopt_timer_start(port->pause, port->pause_ms);
}

static void all_is_well(struct exec_port *port)
{
	if (port->told)
		log_notice("exec: %s takes what waits again", port->settings->name);
	port->told = false;
	port->pause_ms = 0;
	look_again(port);
}

static void process_ended(void *context, bool failed)
{
	struct exec_port *port = context;
	bool soon = now_ms(port) - port->begun_ms < SOON_MS;

	port->process = NULL;
	/* Whoever adopts the socket next wants it so. */
	adopt_descriptor_prepare(descriptor(port));
	if ((!failed && !soon) || !has_left_it(port)) {
		all_is_well(port);
		return;
	}
	if (!port->told)
		log_warning("exec: %s has ended without taking what waits: it is started again "
			    "after a pause, which grows",
			    port->settings->name);
	port->told = true;
	rest(port);
}

/* It has a slot. */
static void start(struct exec_port *port)
{
	const struct exec_process_order order = {
		.settings = port->settings,
		.host = port->host,
		.trouble = &port->trouble,
		.fd = descriptor(port),
		.ended = process_ended,
		.context = port,
	};

	take_sample(order.fd, &port->sample);
	port->begun_ms = now_ms(port);
	if (exec_process_start(&order, &port->process) == 0)
		return;
	slots_give(port->settings->processes);
	adopt_descriptor_prepare(order.fd);
	rest(port);
}

static void granted(struct slots_waiter *turn)
{
	start((struct exec_port *)((char *)turn - offsetof(struct exec_port, turn)));
}

static void waiting(struct adopt_lookout *lookout)
{
	struct exec_port *port = (struct exec_port *)lookout;

	adopt_port_pause(lookout->port);
	/* The host may have resumed it. */
	if (port->busy)
		return;
	port->busy = true;
	if (slots_take(port->settings->processes))
		start(port);
	else
		slots_wait(port->settings->processes, &port->turn);
}

/* A process that runs goes on. The other ports of the block end as well. */
static void stop(struct adopt_lookout *lookout)
{
	struct exec_port *port = (struct exec_port *)lookout;

	host_remove_ports(port->host);
	slots_leave(&port->turn);
	adopt_timer_free(&port->pause);
	exec_process_leave(&port->process);
}

static const struct adopt_lookout_ops ops = {.waiting = waiting, .stop = stop};

int exec_port_new(const struct handler_settings *settings, struct host *host,
		  struct adopt_lookout **ret)
{
	struct exec_port *port = calloc(1, sizeof *port);

	if (!port)
		return -ENOMEM;
	port->base.ops = &ops;
	port->settings = (const struct exec_settings *)settings;
	port->host = host;
	port->turn = (struct slots_waiter){.reactor = host->reactor, .granted = granted};
	*ret = &port->base;
	return 0;
}

void exec_port_free(struct adopt_lookout *lookout)
{
	free(lookout);
}
