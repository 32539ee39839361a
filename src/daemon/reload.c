/* The server's setup: the first, and each that takes its place. */
#include "control_socket.h"
#include "keep.h"
#include "notify.h"
#include "server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Beyond what is open now: ports, name servers, the bus, a worker's first of each, and who
 * controls adoptd. */
static uint64_t spare_descriptors(const struct setup *setup)
{
	return 4 + (setup->plan->count + 1) * setup->config->workers +
	       (setup->config->control ? 1 + CONTROL_CLIENTS_MAX : 0);
}

/* The most that any of its handlers needs for a connection. */
static unsigned descriptors_each(const struct config *config)
{
	unsigned most = 1;

	for (size_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->ports[i];

		if (port->handler->descriptors > most)
			most = port->handler->descriptors;
		for (size_t j = 0; j < port->route_count; j++)
			if (port->routes[j].handler->descriptors > most)
				most = port->routes[j].handler->descriptors;
	}
	return most;
}

/* Returns how many connections the descriptor limit carries, so that accepting pauses
 * before it is reached. 0: any number. */
static uint64_t descriptors_carry(const struct server *server, const struct setup *setup)
{
	struct rlimit limit;
	uint64_t taken = server->descriptors_before + spare_descriptors(setup);

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur > taken ? (limit.rlim_cur - taken) / descriptors_each(setup->config)
				      : 1;
}

static int set_limits(struct server *server, struct setup *setup)
{
	const struct config *config = setup->config;
	int error = 0;

	slots_set_max(server->slots, config->max_connections ? config->max_connections
							     : descriptors_carry(server, setup));
	setup_succeed(setup, setup == server->setup ? NULL : server->setup);
	for (size_t i = 0; error == 0 && i < config->port_count; i++)
		error = ledger_set_limits(setup->ledgers[i], &config->ports[i].router.gate);
	return error;
}

static int prepare(struct serving *serving, void *setup)
{
	return serving_prepare(serving, setup);
}

static int commit(struct serving *serving, void *context)
{
	(void)context;
	serving_commit(serving);
	return 0;
}

static int discard(struct serving *serving, void *context)
{
	(void)context;
	serving_discard(serving);
	return 0;
}

int server_prepare(struct server *server, struct setup *setup)
{
	int error = set_limits(server, setup);

	if (error == 0)
		error = control_prepare(server->control, setup);
	if (error == 0)
		error = server_each(server, prepare, setup);
	if (error == 0)
		return 0;
	server_each(server, discard, NULL);
	control_discard(server->control);
	set_limits(server, server->setup);
	return error;
}

int server_commit(struct server *server)
{
	control_commit(server->control);
	return server_each(server, commit, NULL);
}

/* Takes the place of the setup before, whose connections keep it. What only that one
 * listens on is closed now. */
static void replace(struct server *server, struct setup *setup)
{
	if (setup->config->workers != server->worker_count)
		log_warning("workers: changes with the next start; there are %u",
			    server->worker_count);
	keep_forget(&server->setup->plan->opened, &setup->plan->opened);
	plan_close_ports(server->setup->plan);
	listen_close(&server->setup->control);
	setup_unref(&server->setup);
	server->setup = setup_ref(setup);
	drained_keep(&server->drained, setup->config);
	log_set_level(setup->config->log_level);
	log_set_format(setup->config->log_format);
	server_await_idle(server);
}

static int read_setup(struct server *server, struct faults *faults, struct setup **ret)
{
	const struct options *options = server->options;
	struct setup_order order = {
		.inherited = server->list,
		.opened = &server->setup->plan->opened,
		.control = &server->setup->control,
		.ledgers = server->ledgers,
		.before = server->setup,
	};
	struct config *config = NULL;
	int error = config_read(options->config_path, options->config_text, faults, &config);

	order.config = config;
	if (error == 0) {
		sandbox_judge(&server->sandbox, config, faults);
		error = faults_count(faults, FAULT_ERROR) > 0 ? -EINVAL : 0;
	}
	if (error == 0)
		error = setup_new(&order, faults, ret);
	if (error < 0)
		config_free(&config);
	else if (!faults_acceptable(faults, options->strict)) {
		setup_unref(ret);
		error = -EINVAL;
	}
	return error;
}

const char *server_reload_error(int error)
{
	switch (error) {
	case -EINVAL:
		return "the configuration has faults";
	case -EBUSY:
		return "adoptd is draining";
	default:
		return adopt_error_text(error);
	}
}

/* Returns the error. */
static int remember(struct server *server, int error)
{
	server->last_reload.tried = true;
	server->last_reload.error = error;
	clock_gettime(CLOCK_REALTIME, &server->last_reload.time);
	return error;
}

int server_reload(struct server *server, struct faults *faults)
{
	struct setup *setup = NULL;
	int error;

	if (server->state != SERVER_SERVING || server->handover) {
		log_warning("%s: nothing is reloaded",
			    server->handover ? "handing over" : "draining");
		return -EBUSY;
	}
	notify_reloading();
	error = faults ? read_setup(server, faults, &setup) : -ENOMEM;
	if (faults)
		log_faults(faults);
	if (error == 0)
		error = server_prepare(server, setup);
	if (error == 0)
		error = server_commit(server);
	if (error == 0)
		replace(server, setup);
	setup_unref(&setup);
	if (error == 0) {
		log_info("reloaded");
		server_tell_ready(server);
		return remember(server, 0);
	}
	control_socket_restore(server->setup->config, &server->setup->control);
	log_error("reloading failed, nothing has changed: %s", server_reload_error(error));
	notify_ready("Reloading failed, nothing has changed; see the log");
	return remember(server, error);
}

void server_reload_asked(struct server *server)
{
	struct faults *faults = NULL;

	if (server_reload_after_hand_over(server))
		return;
	faults_new(&faults);
	server_reload(server, faults);
	faults_free(&faults);
}
