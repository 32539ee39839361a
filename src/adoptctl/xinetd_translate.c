#include "xinetd_translate.h"

#include "program.h"
#include "support/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct xinetd_values *xinetd_values(const struct xinetd_translation *translation,
				    enum xinetd_attribute attribute)
{
	return xinetd_entry_find(translation->entry, translation->defaults, attribute);
}

const char *xinetd_value(const struct xinetd_translation *translation,
			 enum xinetd_attribute attribute)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);

	return values && values->words.count > 0 ? values->words.items[0] : NULL;
}

bool xinetd_is(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
	       const char *word)
{
	const char *value = xinetd_value(translation, attribute);

	return value && strcmp(value, word) == 0;
}

bool xinetd_has(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		const char *word)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);

	return values && words_have(&values->words, word);
}

void xinetd_warn(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		 const char *what, const char *why)
{
	struct xinetd_values *values = xinetd_values(translation, attribute);

	if (values->told_for && values->told_for != translation->entry)
		return;
	values->told_for = translation->entry;
	fault_add(translation->faults, FAULT_WARNING, values->file, values->line, "%s%s%s: %s",
		  xinetd_attribute_name(attribute), what ? " " : "", what ? what : "", why);
}

int xinetd_refuse(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		  const char *why)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);
	const struct xinetd_entry *entry = translation->entry;

	fault_add(translation->faults, FAULT_ERROR, values ? values->file : entry->file,
		  values ? values->line : entry->line, "%s: %s; the service \"%s\" is left out",
		  xinetd_attribute_name(attribute), why, entry->name);
	return -EINVAL;
}

int xinetd_leave_out(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		     const char *what, const char *why)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);

	fault_add(translation->faults, FAULT_WARNING, values->file, values->line,
		  "%s %s: %s; the service \"%s\" is left out", xinetd_attribute_name(attribute),
		  what, why, translation->entry->name);
	return -EINVAL;
}

static int check_type(const struct xinetd_translation *translation)
{
	static const struct {
		const char *type;
		const char *why;
	} none[] = {
		{"RPC", "nothing is registered with rpcbind"},
		{"SPECIAL", "there are no such services"},
		{"TCPMUX", "there is no TCPMUX (RFC 1078)"},
		{"TCPMUXPLUS", "there is no TCPMUX (RFC 1078)"},
	};

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (xinetd_has(translation, XINETD_TYPE, none[i].type))
			return xinetd_leave_out(translation, XINETD_TYPE, none[i].type,
						none[i].why);
	if (xinetd_has(translation, XINETD_FLAGS, "SENSOR"))
		return xinetd_leave_out(translation, XINETD_FLAGS, "SENSOR",
					"there are no sensors");
	return 0;
}

/* Each of socket_type and protocol implies the other. */
static int translate_kind(struct xinetd_translation *translation)
{
	const char *type = xinetd_value(translation, XINETD_SOCKET_TYPE);
	const char *protocol = xinetd_value(translation, XINETD_PROTOCOL);

	if (!type && !protocol)
		return xinetd_refuse(translation, XINETD_SOCKET_TYPE, "is missing");
	if (type && strcmp(type, "stream") != 0 && strcmp(type, "dgram") != 0) {
		if (strcmp(type, "raw") != 0 && strcmp(type, "seqpacket") != 0)
			return xinetd_refuse(translation, XINETD_SOCKET_TYPE,
					     "is no type of socket");
		return xinetd_leave_out(translation, XINETD_SOCKET_TYPE, type,
					"such sockets are not served");
	}
	if (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return xinetd_leave_out(translation, XINETD_PROTOCOL, protocol,
					"only tcp and udp are served");
	translation->service->datagram =
		type ? strcmp(type, "dgram") == 0 : strcmp(protocol, "udp") == 0;
	if (protocol && translation->service->datagram != (strcmp(protocol, "udp") == 0))
		return xinetd_refuse(translation, XINETD_PROTOCOL,
				     "does not fit the type of the socket");
	return 0;
}

static int find_port(const struct xinetd_translation *translation, uint16_t *ret)
{
	const char *protocol = translation->service->datagram ? "udp" : "tcp";
	const char *text = xinetd_value(translation, XINETD_PORT);

	if (names_port(translation->names, text ? text : translation->entry->name, protocol, ret) ==
	    0)
		return 0;
	return xinetd_refuse(translation, XINETD_PORT,
			     text ? "is no port" : "is neither given nor in services(5)");
}

/* xinetd listens on IPv6, and by that on IPv4, unless it is told otherwise. */
static int translate_addresses(struct xinetd_translation *translation)
{
	const char *host = xinetd_value(translation, XINETD_BIND);
	bool v6 = xinetd_has(translation, XINETD_FLAGS, "IPv6");
	bool v4 = !v6 && xinetd_has(translation, XINETD_FLAGS, "IPv4");
	struct service *service = translation->service;
	uint16_t port = 0;
	int error = find_port(translation, &port);

	if (error < 0)
		return error;
	service->v4_mapped = !host && !v4 && !xinetd_is(translation, XINETD_V6ONLY, "yes");
	error = names_listen(translation->names, host, v4 ? AF_INET : AF_INET6, port,
			     &service->listens);
	if (error == -ENOENT && !v4 && !v6)
		error = names_listen(translation->names, host, AF_INET, port, &service->listens);
	if (error == -ENOENT)
		return xinetd_refuse(translation, XINETD_BIND, "has no address of this family");
	return error;
}

static int translate_redirect(struct xinetd_translation *translation)
{
	const struct xinetd_values *values = xinetd_values(translation, XINETD_REDIRECT);
	struct service *service = translation->service;
	const char *host = values->words.items[0];
	struct words upstream = {0};
	uint16_t port = 0;
	int error;

	service->handler = SERVICE_PROXY;
	if (service->datagram || xinetd_is(translation, XINETD_WAIT, "yes"))
		return xinetd_refuse(translation, XINETD_REDIRECT, "is for streams, without wait");
	if (names_port(translation->names, values->words.items[1], "tcp", &port) < 0)
		return xinetd_refuse(translation, XINETD_REDIRECT, "its port is not known");
	error = words_print(&upstream, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
			    (unsigned)port);
	if (error == 0 && (endpoint_check(upstream.items[0]) < 0 || strcmp(host, "unix") == 0))
		error = xinetd_refuse(translation, XINETD_REDIRECT, "its host is no host");
	if (error == 0)
		error = service_set(&service->upstream, upstream.items[0]);
	words_done(&upstream);
	return error;
}

static int translate_internal(struct xinetd_translation *translation)
{
	struct service *service = translation->service;

	service->handler = SERVICE_INTERNAL;
	service->internal = program_internal(service->name);
	if (service->internal)
		return 0;
	return xinetd_leave_out(translation, XINETD_TYPE, "INTERNAL",
				"adoptd has no internal service of this name");
}

static int translate_handler(struct xinetd_translation *translation)
{
	if (!xinetd_values(translation, XINETD_WAIT))
		return xinetd_refuse(translation, XINETD_WAIT, "is missing");
	if (!xinetd_is(translation, XINETD_WAIT, "yes") &&
	    !xinetd_is(translation, XINETD_WAIT, "no"))
		return xinetd_refuse(translation, XINETD_WAIT, "is yes or no");
	if (xinetd_has(translation, XINETD_TYPE, "INTERNAL"))
		return translate_internal(translation);
	if (xinetd_values(translation, XINETD_REDIRECT))
		return translate_redirect(translation);
	return xinetd_translate_program(translation);
}

/* Tells what has no counterpart at all. */
static void warn_of_the_rest(struct xinetd_translation *translation)
{
	for (size_t i = 0; i < XINETD_ATTRIBUTES; i++) {
		enum xinetd_attribute attribute = (enum xinetd_attribute)i;
		const char *instead = xinetd_attribute_instead(attribute);

		if (instead && xinetd_values(translation, attribute))
			xinetd_warn(translation, attribute, NULL, instead);
	}
}

int xinetd_translate(struct xinetd_entry *entry, struct xinetd_entry *defaults,
		     const struct names *names, struct faults *faults, struct service **ret,
		     bool *ret_access_log)
{
	struct xinetd_translation translation = {
		.entry = entry, .defaults = defaults, .names = names, .faults = faults};
	int (*const steps[])(struct xinetd_translation *) = {
		translate_kind,          translate_addresses,    translate_handler,
		xinetd_translate_access, xinetd_translate_units,
	};
	const char *id = xinetd_value(&translation, XINETD_ID);
	int error = service_new(entry->file, entry->line, entry->name, &translation.service);

	if (error == 0 && id)
		error = service_set(&translation.service->id, id);
	if (error == 0)
		error = check_type(&translation);
	for (size_t i = 0; error == 0 && i < sizeof steps / sizeof steps[0]; i++)
		error = steps[i](&translation);
	if (error < 0) {
		service_free(&translation.service);
		return error;
	}
	warn_of_the_rest(&translation);
	*ret = translation.service;
	*ret_access_log = *ret_access_log || translation.access_log;
	return 0;
}
