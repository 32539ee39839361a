#include "sandbox.h"

#include "notify_socket.h"
#include "sandbox_paths.h"
#include "support/option.h"
#include "support/spawn.h"

#include <errno.h>
#include <string.h>

/* What one who is refused is to do. */
static const char *remedy(const struct sandbox *sandbox)
{
	return sandbox->starter ? "hand over (SIGUSR2) or restart" : "restart";
}

/* --- what a configuration needs --- */

static unsigned needs_of_port(const struct config_port *port)
{
	unsigned needs = port->handler->needs | (port->listen[0] ? CONFINE_LISTEN : 0);

	for (size_t i = 0; i < port->route_count; i++)
		needs |= port->routes[i].handler->needs;
	return needs;
}

static unsigned needs_of(const struct config *config)
{
	unsigned needs = config->control ? CONFINE_LISTEN_UNIX : 0;

	for (size_t i = 0; i < config->port_count; i++)
		needs |= needs_of_port(&config->ports[i]);
	/* Where programs are run, nothing is taken that a configuration could ask for. */
	return needs & CONFINE_PROGRAMS ? CONFINE_ALL : needs;
}

static void refuse(const struct sandbox *sandbox, const struct config_port *port, const char *what,
		   struct faults *faults)
{
	fault_add(faults, FAULT_ERROR, port->file, port->line,
		  "port \"%s\" %s, which the sandbox does not allow since the start: %s",
		  port->name, what, remedy(sandbox));
}

static void judge_port(const struct sandbox *sandbox, const struct config_port *port,
		       struct faults *faults)
{
	unsigned more = needs_of_port(port) & ~sandbox->needs;

	if (more & CONFINE_PROGRAMS)
		refuse(sandbox, port, "runs programs", faults);
	if (more & CONFINE_CONNECT)
		refuse(sandbox, port, "connects to others", faults);
	if (more & CONFINE_LISTEN)
		refuse(sandbox, port, "listens on addresses of its own", faults);
}

void sandbox_judge(const struct sandbox *sandbox, const struct config *config,
		   struct faults *faults)
{
	if (config->sandbox != sandbox->level)
		option_warn(config->tree, "sandbox", faults,
			    "changes with the next start or hand-over");
	if (!sandbox->closed)
		return;
	for (size_t i = 0; i < config->port_count; i++)
		judge_port(sandbox, &config->ports[i], faults);
	if (config->control && !(sandbox->needs & (CONFINE_LISTEN | CONFINE_LISTEN_UNIX)))
		option_fault(config->tree, "control", faults,
			     "the sandbox does not allow to listen since the start: %s",
			     remedy(sandbox));
}

/* --- giving up --- */

/* error: of a part of it. */
static void tell(struct sandbox *sandbox, const char *what, int error)
{
	if (error < 0)
		log_info("sandbox: without %s: %s", what, strerror(-error));
	else
		log_debug("sandbox: %s", what);
	sandbox->closed = sandbox->closed || error == 0;
}

static int close_files(struct sandbox *sandbox, const struct sandbox_order *order)
{
	struct sandbox_paths paths = {0};
	int error = sandbox_paths_find(order, &paths);

	if (error == 0)
		tell(sandbox, "Landlock", confine_files(sandbox->needs, paths.items, paths.count));
	sandbox_paths_done(&paths);
	return error;
}

/* The calls come last: the other parts make such as are given up then. */
static int close_all(struct sandbox *sandbox, const struct sandbox_order *order)
{
	bool programs = sandbox->needs & CONFINE_PROGRAMS;
	int error = confine_privileges();

	tell(sandbox, "no new privileges", error);
	/* The rest needs that. */
	if (error < 0)
		return 0;
	if (!programs) {
		tell(sandbox, "no capabilities", confine_capabilities(sandbox->needs));
		error = close_files(sandbox, order);
	}
	if (error == 0)
		tell(sandbox, "seccomp", confine_calls(sandbox->needs));
	return error;
}

static bool hands_over(const struct sandbox_order *order)
{
	return order->hands_over && order->setup->config->sandbox != CONFIG_SANDBOX_STRICT;
}

static unsigned needs_besides(const struct sandbox_order *order)
{
	unsigned needs = order->to_syslog ? CONFINE_LOG : 0;

	if (sandbox_paths_of_sockets(order))
		needs |= CONFINE_UNLINK;
	/* A hand-over ends with a signal to the new adoptd, where it fails or was late. */
	if (hands_over(order))
		needs |= CONFINE_SIGNAL;
	return needs;
}

/* It is wanted later, if ever. */
static void start_starter(struct sandbox *sandbox, const struct program *program)
{
	int error = starter_new(program, &sandbox->starter);

	if (error < 0)
		log_warning("there will be no hand-over: cannot start a process for that: %s",
			    spawn_error_text(error));
}

int sandbox_enter(struct sandbox *sandbox, const struct sandbox_order *order)
{
	const struct config *config = order->setup->config;
	int error;

	sandbox->level = config->sandbox;
	sandbox->needs = needs_of(config) | needs_besides(order);
	if (config->sandbox == CONFIG_SANDBOX_NO)
		return 0;
	if (!confine_known()) {
		log_debug("sandbox: none, as this system has no such thing");
		return 0;
	}
	if (config->sandbox == CONFIG_SANDBOX_YES && sandbox->needs & CONFINE_PROGRAMS) {
		log_debug("sandbox: none, as programs would be in it too");
		return 0;
	}
	if (hands_over(order))
		start_starter(sandbox, order->program);
	error = notify_socket_keep();
	return error < 0 ? error : close_all(sandbox, order);
}

const char *sandbox_why_alone(const struct sandbox *sandbox)
{
	if (!sandbox->closed || sandbox->starter)
		return NULL;
	return sandbox->level == CONFIG_SANDBOX_STRICT
		       ? "the sandbox is strict, and a new adoptd would be in it; restart"
		       : "the process that would start a new adoptd is missing; restart";
}

void sandbox_done(struct sandbox *sandbox)
{
	starter_free(&sandbox->starter);
}
