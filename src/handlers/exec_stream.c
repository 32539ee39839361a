/* A process a connection. Who comes while max-processes run waits for one to end, and
 * meanwhile no more are accepted. */
#include "exec_process.h"
#include "support/pipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct exec_factory {
	struct adopt_factory base;
	const struct exec_settings *settings;
	struct host *host;
	struct exec_trouble trouble;
	size_t waiting; /* connections without a slot; while there are any the host is held */
};

/*
 * A connection. Its transport stays until the process has ended, mostly without the
 * descriptor, which the process has. Where that cannot be had, a pair of sockets stands
 * between: the process has the far end, and the near one is joined to the transport.
 */
struct served {
	struct adopt_protocol client;
	struct adopt_protocol near;
	struct adopt_factory near_factory;
	struct adopt_attachment watch; /* on the client's transport, once it is joined */
	struct slots_waiter turn;
	struct exec_factory *factory;
	struct exec_process *process;   /* NULL before it starts and after it has ended */
	struct adopt_transport *joined; /* the client's transport; NULL: is not, or is lost */
	struct adopt_address local;
	char note[16];    /* the process's number, for who lists connections */
	int far_fd;       /* -1: none, or the process has it */
	bool waits;       /* for a slot */
	bool has_slot;    /* which is not the process's yet */
	unsigned holders; /* who still tells it something: its connections, or once they are
			   * joined the join and the watch */
};

static struct served *from_client(struct adopt_protocol *protocol)
{
	return (struct served *)protocol;
}

static struct served *from_near(struct adopt_protocol *protocol)
{
	return (struct served *)((char *)protocol - offsetof(struct served, near));
}

static void stop_waiting(struct served *served)
{
	if (!served->waits)
		return;
	served->waits = false;
	if (--served->factory->waiting == 0)
		host_release(served->factory->host);
}

static void release(struct served *served)
{
	struct exec_factory *factory = served->factory;

	if (--served->holders > 0)
		return;
	if (served->has_slot)
		slots_give(factory->settings->processes);
	if (served->far_fd >= 0)
		close(served->far_fd);
	free(served);
	host_work_end(factory->host);
}

/* What a joined process has said may still be on its way, for as long as it moves. */
static void process_ended(void *context, bool failed)
{
	struct served *served = context;
	uint64_t idle_ms;

	(void)failed;
	served->process = NULL;
	if (served->client.transport)
		adopt_transport_close(served->client.transport);
	if (!served->joined)
		return;
	idle_ms = adopt_transport_idle_timeout(served->joined);
	if (idle_ms == 0 || idle_ms > ADOPT_CLOSE_STALL_MS)
		adopt_transport_set_idle_timeout(served->joined, ADOPT_CLOSE_STALL_MS);
}

static int start(struct served *served, int fd)
{
	struct exec_factory *factory = served->factory;
	struct adopt_address peer = {0};
	const struct exec_process_order order = {
		.settings = factory->settings,
		.host = factory->host,
		.trouble = &factory->trouble,
		.fd = fd,
		.local = &served->local,
		.peer = &peer,
		.ended = process_ended,
		.context = served,
	};
	int error;

	adopt_transport_peer(served->client.transport, &peer);
	error = exec_process_start(&order, &served->process);
	if (error < 0)
		return error;
	served->has_slot = false;
	snprintf(served->note, sizeof served->note, "pid %d",
		 (int)exec_process_pid(served->process));
	adopt_transport_set_note(served->client.transport, served->note);
	return 0;
}

/* The two are joined, and both lost. Of a client that has left the process hears by itself;
 * where adoptd has ended the connection, the process is to end as well. */
static void finished(void *context, const struct adopt_join_result *result)
{
	struct served *served = context;

	if (served->process && (result->error == -ECONNABORTED || result->error == -ETIMEDOUT))
		exec_process_stop(served->process);
	exec_process_leave(&served->process);
	release(served);
}

static void joined_ended(struct adopt_attachment *watch, const struct adopt_end *end)
{
	struct served *served = (struct served *)((char *)watch - offsetof(struct served, watch));

	(void)end;
	served->joined = NULL;
	release(served);
}

static void near_made(struct adopt_protocol *protocol)
{
	struct served *served = from_near(protocol);
	struct adopt_transport *client = served->client.transport;
	int error;

	served->holders++;
	error = start(served, served->far_fd);
	if (error == 0)
		error = adopt_join(client, protocol->transport, 0, finished, served);
	if (error < 0) {
		adopt_transport_abort(protocol->transport);
		adopt_transport_abort(client);
		return;
	}
	served->joined = client;
	adopt_transport_attach(client, &served->watch);
	close(served->far_fd);
	served->far_fd = -1;
}

static void no_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

static void near_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	release(from_near(protocol));
}

static const struct adopt_protocol_ops near_ops = {
	.connection_made = near_made,
	.data_received = no_data,
	.connection_lost = near_lost,
};

static struct adopt_protocol *build_near(struct adopt_factory *factory,
					 const struct adopt_address *peer)
{
	struct served *served =
		(struct served *)((char *)factory - offsetof(struct served, near_factory));

	(void)peer;
	return &served->near;
}

static const struct adopt_factory_ops near_factory_ops = {.build_protocol = build_near};

static int stand_between(struct served *served)
{
	int ends[2];
	int error = pipe_open_sockets(adopt_transport_type(served->client.transport), ends);

	if (error < 0)
		return error;
	served->far_fd = ends[1];
	error = adopt_stream_connection(served->factory->host->reactor, ends[0], AF_UNIX,
					&served->near_factory);
	close(ends[0]);
	return error;
}

/* It has a slot. */
static void begin(struct served *served)
{
	int fd, error;

	if (adopt_transport_local(served->client.transport, &served->local) < 0)
		served->local.length = 0;
	error = adopt_transport_take_descriptor(served->client.transport, &fd);
	if (error == 0) {
		error = start(served, fd);
		close(fd);
	} else if (error == -EOPNOTSUPP || error == -EBUSY) {
		error = stand_between(served);
	}
	if (error < 0)
		adopt_transport_abort(served->client.transport);
}

static void granted(struct slots_waiter *turn)
{
	struct served *served = (struct served *)((char *)turn - offsetof(struct served, turn));

	served->has_slot = true;
	stop_waiting(served);
	begin(served);
}

static void client_made(struct adopt_protocol *protocol)
{
	struct served *served = from_client(protocol);
	struct exec_factory *factory = served->factory;

	served->holders++;
	adopt_transport_pause(protocol->transport);
	served->has_slot = slots_take(factory->settings->processes);
	if (served->has_slot) {
		begin(served);
		return;
	}
	served->waits = true;
	if (factory->waiting++ == 0)
		host_hold(factory->host);
	slots_wait(factory->settings->processes, &served->turn);
}

static void client_lost(struct adopt_protocol *protocol, int error)
{
	struct served *served = from_client(protocol);

	(void)error;
	slots_leave(&served->turn);
	stop_waiting(served);
	if (served->process)
		exec_process_stop(served->process);
	exec_process_leave(&served->process);
	release(served);
}

static const struct adopt_protocol_ops client_ops = {
	.connection_made = client_made,
	.data_received = no_data,
	.connection_lost = client_lost,
};

static struct adopt_protocol *build_client(struct adopt_factory *base,
					   const struct adopt_address *peer)
{
	struct exec_factory *factory = (struct exec_factory *)base;
	struct served *served = calloc(1, sizeof *served);

	(void)peer;
	if (!served)
		return NULL;
	*served = (struct served){
		.client = {.ops = &client_ops},
		.near = {.ops = &near_ops},
		.near_factory = {.ops = &near_factory_ops},
		.watch = {.ended = joined_ended},
		.turn = {.reactor = factory->host->reactor, .granted = granted},
		.factory = factory,
		.far_fd = -1,
	};
	host_work_begin(factory->host);
	return &served->client;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build_client};

int exec_stream_new(const struct handler_settings *settings, struct host *host,
		    struct adopt_factory **ret)
{
	struct exec_factory *factory = calloc(1, sizeof *factory);

	if (!factory)
		return -ENOMEM;
	factory->base.ops = &factory_ops;
	factory->settings = (const struct exec_settings *)settings;
	factory->host = host;
	*ret = &factory->base;
	return 0;
}

void exec_stream_free(struct adopt_factory *factory)
{
	free(factory);
}
