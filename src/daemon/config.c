#include "daemon/config.h"

#include "config_read.h"
#include "config_routing.h"
#include "config_table.h"
#include "support/identity.h"
#include "support/listen.h"
#include "support/option.h"
#include "support/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sd_listen_fds(3): what FileDescriptorName= may be long. */
#define PORT_NAME_BYTES 255

/* NAME#N takes the one descriptor; more of a name than this are not handed over. */
#define PORT_INDEX_MAX 65535

#define MAX_PACKET_SIZE_MAX 65535

#define WORKERS_MAX 256
#define CONNECTIONS_MAX 1000000000

/* As many as there are processors, where it says auto. */
static void read_workers(struct config *config, struct faults *faults)
{
	const char *text = cfg_getstr(config->tree, "workers");
	uint64_t count = 1;

	if (strcmp(text, "auto") == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);

		count = processors > 0 ? (uint64_t)processors : 1;
	} else if (value_number(text, 1, WORKERS_MAX, &count) < 0) {
		option_fault(config->tree, "workers", faults,
			     "\"%s\" is neither a number from 1 to %d nor \"auto\"", text,
			     WORKERS_MAX);
	}
	config->workers = (unsigned)(count < WORKERS_MAX ? count : WORKERS_MAX);
}

/* A socket in the abstract namespace would have no mode. */
static void read_control(struct config *config, struct faults *faults)
{
	const char *path = cfg_getstr(config->tree, "control");
	const char *group = cfg_getstr(config->tree, "control-group");

	config->control = path;
	config->control_group = (gid_t)-1;
	if (path &&
	    (path[0] != '/' || strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path))
		option_fault(config->tree, "control", faults, "\"%s\" is no absolute path%s", path,
			     path[0] == '/' ? " that a UNIX socket can have: it is too long" : "");
	if (!group)
		return;
	if (!path)
		option_warn(config->tree, "control-group", faults, "has no effect without control");
	if (identity_find_group(group, &config->control_group) < 0)
		option_fault(config->tree, "control-group", faults, "there is no group \"%s\"",
			     group);
}

static void read_globals(struct config *config, struct faults *faults)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
	/* In the order of enum config_sandbox. */
	static const char *const sandboxes[] = {"no", "yes", "strict", NULL};
	static const char *const formats[] = {"auto", "journal", "text", "json", NULL};
	cfg_t *tree = config->tree;
	size_t sandbox;

	read_workers(config, faults);
	option_duration(tree, "idle-exit", faults, &config->idle_exit_ms);
	option_duration(tree, "drain-timeout", faults, &config->drain_timeout_ms);
	option_number(tree, "max-connections", 0, CONNECTIONS_MAX, faults,
		      &config->max_connections);
	if (log_level_parse(cfg_getstr(tree, "log-level"), &config->log_level) < 0)
		option_refuse_word(tree, "log-level", levels, faults);
	if (log_format_parse(cfg_getstr(tree, "log-format"), &config->log_format) < 0)
		option_refuse_word(tree, "log-format", formats, faults);
	read_control(config, faults);
	if (option_word(tree, "sandbox", sandboxes, faults, &sandbox) == 0)
		config->sandbox = (enum config_sandbox)sandbox;
	config->access_log = cfg_getbool(tree, "access-log");
	if (config->access_log && config->log_level < LOG_LEVEL_INFO)
		option_warn(tree, "access-log", faults,
			    "has no effect with a log-level below info");
}

static bool is_index(const char *text)
{
	uint64_t index;

	return value_number(text, 0, PORT_INDEX_MAX, &index) == 0 &&
	       (text[0] != '0' || text[1] == '\0');
}

/* Returns what is wrong with a port's name, or NULL. */
static const char *judge_name(const char *name)
{
	const char *hash = strchr(name, '#');

	if (name[0] == '\0')
		return "a port's name cannot be empty";
	if (strlen(name) > PORT_NAME_BYTES)
		return "a port's name has at most 255 bytes";
	if (strchr(name, ':'))
		return "a port's name cannot hold a colon: supervisors separate names with it";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "a port's name cannot hold control characters";
	if (!hash)
		return NULL;
	if (hash == name)
		return "before the # stands the name of the descriptors";
	if (strncmp(name, "*#", 2) == 0)
		return "a port * takes the rest, without a number";
	if (!is_index(hash + 1))
		return "after the # stands a number, counted from 0, as in \"web#0\"";
	return NULL;
}

/* Warns of addresses that this port, or one before it, lists already. */
static void warn_of_repeated(const struct config *config, const struct config_port *port,
			     cfg_t *section, struct faults *faults)
{
	for (const struct config_port *other = config->ports; other <= port; other++)
		for (char **mine = port->listen; *mine; mine++)
			for (char **address = other->listen; *address && address != mine; address++)
				if (strcmp(*address, *mine) == 0)
					fault_add(faults, FAULT_WARNING,
						  option_file(section, "listen"),
						  option_line(section, "listen"),
						  "listen: \"%s\" is listed in port \"%s\" already",
						  *mine, other->name);
}

static void judge_address(cfg_t *section, const char *text, struct faults *faults)
{
	int error = listen_check(text);

	if (error == -EINVAL)
		option_fault(
			section, "listen", faults,
			"\"%s\" is no address; write one as HOST:PORT, [::1]:PORT, unix:/PATH, "
			"unix:@NAME or vsock:CID:PORT, after udp: for datagrams",
			text);
	else if (error < 0)
		option_fault(section, "listen", faults, "\"%s\": %s", text, strerror(-error));
}

static int read_listen(struct config *config, struct config_port *port, cfg_t *section,
		       struct faults *faults)
{
	unsigned count = cfg_size(section, "listen");

	port->listen = calloc(count + 1, sizeof *port->listen);
	if (!port->listen)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		port->listen[i] = cfg_getnstr(section, "listen", i);
		judge_address(section, port->listen[i], faults);
	}
	warn_of_repeated(config, port, section, faults);
	if (count > 0 && port->optional)
		option_warn(section, "optional", faults,
			    "has no effect on a port that has addresses to listen on");
	return 0;
}

/* Tells the handlers' settings where they stand. */
static void place_settings(struct config_port *port)
{
	if (port->settings)
		port->settings->port_name = port->name;
	for (size_t i = 0; i < port->route_count; i++)
		if (port->routes[i].settings) {
			port->routes[i].settings->port_name = port->name;
			port->routes[i].settings->route = i + 1;
		}
}

static int read_port(struct config *config, cfg_t *section, struct faults *faults)
{
	struct config_port *port = &config->ports[config->port_count];
	const char *wrong = judge_name(section->title);
	int error;

	*port = (struct config_port){
		.name = section->title,
		.file = section->filename,
		.line = section->line,
		.optional = cfg_getbool(section, "optional"),
	};
	/* From here on config_free() sees to it. */
	config->port_count++;
	if (wrong)
		fault_add(faults, FAULT_ERROR, section->filename, section->line, "%s, not \"%s\"",
			  wrong, section->title);
	option_size(section, "max-packet-size", 1, MAX_PACKET_SIZE_MAX, faults,
		    &port->max_packet_size);
	error = read_listen(config, port, section, faults);
	if (!error)
		error = config_read_handler(section, faults, &port->handler, &port->settings);
	if (!error)
		error = config_read_routing(port, section, faults);
	port->router.access_log = config->access_log;
	place_settings(port);
	return error;
}

static int read_ports(struct config *config, struct faults *faults)
{
	unsigned count = cfg_size(config->tree, "port");
	int error = 0;

	if (count == 0 && faults_count(faults, FAULT_ERROR) == 0)
		fault_add(faults, FAULT_ERROR, config->tree->filename, 0,
			  "there is no port block, so nothing would be served");
	config->ports = calloc(count + 1, sizeof *config->ports);
	if (!config->ports)
		return -ENOMEM;
	for (unsigned i = 0; !error && i < count; i++)
		error = read_port(config, cfg_getnsec(config->tree, "port", i), faults);
	return error;
}

int config_read(const char *path, const char *text, struct faults *faults, struct config **ret)
{
	struct config *config = calloc(1, sizeof *config);
	size_t errors_before = faults_count(faults, FAULT_ERROR);
	int error;

	if (!config)
		return -ENOMEM;
	error = config_tree_new(&config->tree);
	if (error)
		goto out;
	error = text ? config_tree_read_text(config->tree, text, faults, &config->sources)
		     : config_tree_read_file(config->tree, path, faults, &config->sources);
	if (error)
		goto out;
	read_globals(config, faults);
	error = read_ports(config, faults);
	if (!error && faults_count(faults, FAULT_ERROR) > errors_before)
		error = -EINVAL;
out:
	/* Where memory was short, libconfuse 3.3 leaves pointers to what it has freed. */
	if (error == -ENOMEM)
		config->tree = NULL;
	if (error)
		config_free(&config);
	else
		*ret = config;
	return error;
}

const struct config_port *config_find_port(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->port_count; i++)
		if (strcmp(config->ports[i].name, name) == 0)
			return &config->ports[i];
	return NULL;
}

void config_free(struct config **config)
{
	if (!*config)
		return;
	for (size_t i = 0; i < (*config)->port_count; i++) {
		struct config_port *port = &(*config)->ports[i];

		if (port->settings)
			port->handler->settings_free(port->settings);
		config_free_routing(port);
		free(port->listen);
	}
	free((*config)->ports);
	config_sources_done(&(*config)->sources);
	if ((*config)->tree)
		cfg_free((*config)->tree);
	free(*config);
	*config = NULL;
}
