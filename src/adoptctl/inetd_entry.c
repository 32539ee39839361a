#include "inetd_entry.h"

#include "program.h"
#include "support/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum field {
	FIELD_SERVICE,
	FIELD_TYPE,
	FIELD_PROTOCOL,
	FIELD_WAIT,
	FIELD_USER,
	FIELD_PROGRAM,
	FIELD_ARGUMENTS,
};

/* Of max-processes, which has the lowest bound. */
#define MAX_COUNT 100000

struct protocol {
	const char *name;
	const char *base; /* as services(5) has it */
	bool v4, v6;
	bool v4_mapped; /* IPv4 clients come by the IPv6 socket */
};

/* OpenBSD's meanings, which are Debian's; `6only` is GNU's. */
static const struct protocol protocols[] = {
	{"tcp", "tcp", true, true, false},       {"tcp4", "tcp", true, false, false},
	{"tcp6", "tcp", false, true, false},     {"tcp46", "tcp", false, true, true},
	{"tcp6only", "tcp", false, true, false}, {"udp", "udp", true, true, false},
	{"udp4", "udp", true, false, false},     {"udp6", "udp", false, true, false},
	{"udp46", "udp", false, true, true},     {"udp6only", "udp", false, true, false},
};

static int tell(const struct inetd_entry *entry, enum fault_severity severity, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* Adds a fault of an entry. Returns -EINVAL. */
static int tell(const struct inetd_entry *entry, enum fault_severity severity, const char *format,
		...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	fault_add(entry->faults, severity, entry->file, entry->line, "%s", message);
	return -EINVAL;
}

/* What is right there, and has no counterpart here, leaves the entry out. */
static int leave_out(const struct inetd_entry *entry, const char *what, const char *why)
{
	return tell(entry, FAULT_WARNING, "%s: %s; the service is left out", what, why);
}

static int refuse(const struct inetd_entry *entry, const char *what, const char *why)
{
	return tell(entry, FAULT_ERROR, "\"%s\" %s; the service is left out", what, why);
}

static int read_type(const struct inetd_entry *entry, struct service *service)
{
	const char *type = entry->words.items[FIELD_TYPE];

	service->datagram = strcmp(type, "dgram") == 0;
	if (service->datagram || strcmp(type, "stream") == 0)
		return 0;
	if (strcmp(type, "raw") == 0 || strcmp(type, "rdm") == 0 || strcmp(type, "seqpacket") == 0)
		return leave_out(entry, type, "such sockets are not served");
	return refuse(entry, type, "is no type of socket");
}

/* Reads `sndbuf=64k`. */
static int read_buffer(const struct inetd_entry *entry, char *option, struct service *service)
{
	char *size = strchr(option, '=');
	const char *name = NULL;
	size_t bytes;

	if (size)
		*size++ = '\0';
	if (size && strcmp(option, "sndbuf") == 0)
		name = "SendBuffer";
	else if (size && strcmp(option, "rcvbuf") == 0)
		name = "ReceiveBuffer";
	if (!name)
		return refuse(entry, option, "is no option of a protocol");
	for (char *at = size; *at; at++)
		if (*at == 'k' || *at == 'm')
			*at = *at == 'k' ? 'K' : 'M';
	if (value_size(size, &bytes) < 0 || bytes == 0)
		return refuse(entry, size, "is no size of a buffer");
	return words_print(&service->socket, "%s=%zu", name, bytes);
}

static int read_buffers(const struct inetd_entry *entry, const char *options,
			struct service *service)
{
	char *copy = strdup(options), *rest = copy;
	int error = copy ? 0 : -ENOMEM;

	while (error == 0 && rest)
		error = read_buffer(entry, strsep(&rest, ","), service);
	free(copy);
	return error;
}

static int find_protocol(const struct inetd_entry *entry, const char *text, size_t length,
			 const struct service *service, const struct protocol **ret)
{
	const char *fits = service->datagram ? "udp" : "tcp";

	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
		if (strlen(protocols[i].name) != length ||
		    strncmp(protocols[i].name, text, length) != 0)
			continue;
		if (strcmp(protocols[i].base, fits) != 0)
			return refuse(entry, text, "is not for this type of socket");
		*ret = &protocols[i];
		return 0;
	}
	if (strncmp(text, "rpc/", 4) == 0)
		return leave_out(entry, text, "nothing is registered with rpcbind");
	return refuse(entry, text, "is no protocol that is known here");
}

/* Appends the addresses of one host of a list; no name has to have both families. */
static int add_host(const struct inetd_entry *entry, const char *host, uint16_t port,
		    const struct protocol *protocol, struct service *service)
{
	const char *name = strcmp(host, "*") == 0 ? NULL : host;
	size_t before = service->listens.count;
	int error = 0;

	if (protocol->v4)
		error = names_listen(entry->names, name, AF_INET, port, &service->listens);
	if ((error == 0 || error == -ENOENT) && protocol->v6)
		error = names_listen(entry->names, name, AF_INET6, port, &service->listens);
	if (error == -ENOENT)
		error = 0;
	if (error == 0 && service->listens.count == before)
		tell(entry, FAULT_ERROR, "\"%s\" has no address for %s; it is left out", host,
		     protocol->name);
	return error;
}

static int add_hosts(const struct inetd_entry *entry, const char *hosts, uint16_t port,
		     const struct protocol *protocol, struct service *service)
{
	char *copy = strdup(hosts), *rest = copy;
	int error = copy ? 0 : -ENOMEM;

	while (error == 0 && rest) {
		char *host = strsep(&rest, ",");
		size_t length = strlen(host);

		if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
			host[length - 1] = '\0';
			host++;
		}
		if (*host)
			error = add_host(entry, host, port, protocol, service);
	}
	free(copy);
	return error;
}

/* An absolute path that fits, and that a unit can be given as it is. */
static bool is_unix_path(const char *path)
{
	const struct sockaddr_un *un = NULL;
	size_t length = 0;

	while (path[length] > ' ' && path[length] < 0x7f && !strchr("\\\"'", path[length]))
		length++;
	return path[0] == '/' && path[length] == '\0' && length < sizeof un->sun_path;
}

static int read_addresses(const struct inetd_entry *entry, const char *hosts,
			  struct service *service)
{
	const char *text = entry->words.items[FIELD_PROTOCOL];
	size_t length = strcspn(text, ",");
	const struct protocol *protocol = NULL;
	uint16_t port = 0;
	int error = 0;

	if (text[length] == ',')
		error = read_buffers(entry, text + length + 1, service);
	if (error < 0)
		return error;
	if (length == 4 && strncmp(text, "unix", 4) == 0) {
		if (!is_unix_path(service->name))
			return refuse(entry, service->name, "is no path of a UNIX socket");
		return words_add(&service->listens, service->name);
	}
	error = find_protocol(entry, text, length, service, &protocol);
	if (error < 0)
		return error;
	if (strncmp(service->name, "tcpmux/", 7) == 0)
		return leave_out(entry, service->name, "there is no TCPMUX (RFC 1078)");
	if (names_port(entry->names, service->name, protocol->base, &port) < 0)
		return refuse(entry, service->name, "has no port in services(5)");
	service->v4_mapped = protocol->v4_mapped;
	error = add_hosts(entry, hosts ? hosts : "*", port, protocol, service);
	if (error == 0 && service->listens.count == 0)
		return refuse(entry, service->name, "has no address to listen on");
	return error;
}

/* FreeBSD's `nowait/MAX/PER-SOURCE-A-MINUTE/MAX-PER-SOURCE`. */
static int read_limits(const struct inetd_entry *entry, const char *text, struct service *service)
{
	uint64_t *const limits[] = {&service->instances, &service->per_minute,
				    &service->per_source};
	char *copy = strdup(text), *rest = copy;
	int error = copy ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && rest; i++) {
		const char *number = strsep(&rest, "/");

		if (i == sizeof limits / sizeof limits[0] ||
		    value_number(number, 0, MAX_COUNT, limits[i]) < 0)
			error = refuse(entry, entry->words.items[FIELD_WAIT],
				       "is not wait or nowait with up to three limits");
	}
	free(copy);
	return error;
}

static int read_wait(const struct inetd_entry *entry, struct service *service)
{
	const char *text = entry->words.items[FIELD_WAIT];
	size_t length = strcspn(text, ".:/");

	service->wait = length == 4 && strncmp(text, "wait", 4) == 0;
	if (!service->wait && !(length == 6 && strncmp(text, "nowait", 6) == 0))
		return refuse(entry, text, "is neither wait nor nowait");
	if (text[length] == '/')
		return read_limits(entry, text + length + 1, service);
	if (text[length] != '\0')
		tell(entry, FAULT_WARNING,
		     "%s: how often a service may start in a minute is not limited; "
		     "rate-per-source limits each client, max-processes all of them",
		     text);
	return 0;
}

/* Reads `user`, `user:group`, `user.group`, and FreeBSD's `/class` behind that. */
static int read_user(const struct inetd_entry *entry, struct service *service)
{
	char *user = strdup(entry->words.items[FIELD_USER]);
	char *group, *login_class;
	int error;

	if (!user)
		return -ENOMEM;
	login_class = strchr(user, '/');
	if (login_class) {
		*login_class++ = '\0';
		tell(entry, FAULT_WARNING,
		     "%s: there are no login classes; Limit...= in the service unit sets limits",
		     login_class);
	}
	group = strchr(user, ':');
	if (!group)
		group = strchr(user, '.');
	if (group)
		*group++ = '\0';
	error = program_set_user(service, user, group, entry->names, entry->line, entry->faults);
	free(user);
	return error;
}

static int read_program(const struct inetd_entry *entry, struct service *service)
{
	const struct words *words = &entry->words;
	const char *program = words->items[FIELD_PROGRAM];
	struct words argv = {0};
	int error = 0;

	for (size_t i = FIELD_ARGUMENTS; error == 0 && i < words->count; i++)
		error = words_add(&argv, words->items[i]);
	if (error == 0 && argv.count == 0)
		error = words_add(&argv, program_name(program));
	if (error == 0)
		error = program_set(service, program, &argv, entry->line, entry->faults);
	words_done(&argv);
	if (error < 0)
		return error;
	if (service->datagram && !service->wait)
		tell(entry, FAULT_WARNING,
		     "nowait: a program gets a datagram socket as with wait, one program at a time");
	service->wait = service->wait || service->datagram;
	if (service->wait && (service->instances || service->per_minute || service->per_source))
		tell(entry, FAULT_WARNING,
		     "%s: who comes is not counted where the program takes the socket itself",
		     words->items[FIELD_WAIT]);
	return 0;
}

static int read_handler(const struct inetd_entry *entry, struct service *service)
{
	if (strcmp(entry->words.items[FIELD_PROGRAM], "internal") != 0) {
		int error = read_user(entry, service);

		return error < 0 ? error : read_program(entry, service);
	}
	service->handler = SERVICE_INTERNAL;
	service->internal = program_internal(service->name);
	if (!service->internal)
		return leave_out(entry, service->name,
				 "adoptd has no internal service of this name");
	return 0;
}

/* Divides `HOSTS:SERVICE`; both point into the word. Returns the service. */
static char *split_hosts(char *word, const char **ret_hosts)
{
	char *colon = strrchr(word, ':');

	if (!colon)
		return word;
	*colon = '\0';
	*ret_hosts = *word ? word : "*";
	return colon + 1;
}

int inetd_entry_read(struct inetd_entry *entry, struct service **ret)
{
	const char *hosts = entry->default_hosts;
	const char *name = split_hosts(entry->words.items[FIELD_SERVICE], &hosts);
	struct service *service = NULL;
	int error;

	if (*name == '\0' && entry->words.count == 1 && hosts != entry->default_hosts)
		return service_set(&entry->default_hosts, hosts);
	if (entry->words.count < FIELD_ARGUMENTS)
		return tell(entry, FAULT_ERROR,
			    "left out: an entry has a service, a type, a protocol, wait or nowait, "
			    "a user, a program and its arguments");
	error = service_new(entry->file, entry->line, name, &service);
	if (error == 0)
		error = read_type(entry, service);
	if (error == 0)
		error = read_addresses(entry, hosts, service);
	if (error == 0)
		error = read_wait(entry, service);
	if (error == 0)
		error = read_handler(entry, service);
	if (error == 0)
		*ret = service;
	else
		service_free(&service);
	return error;
}
