/* Who may come to a service of xinetd, and how many. */
#include "networks.h"
#include "support/value.h"
#include "xinetd_translate.h"

#include <errno.h>
#include <string.h>

/* Of max-processes, which has the lowest bound. */
#define MAX_COUNT 100000

/* Reads a number, or UNLIMITED.
 * unlimited: what that is. */
static int read_limit(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		      uint64_t unlimited, uint64_t *ret)
{
	const char *text = xinetd_value(translation, attribute);

	if (!text)
		return 0;
	if (strcmp(text, "UNLIMITED") == 0) {
		*ret = unlimited;
		return 0;
	}
	if (strcmp(text, "0") == 0)
		return xinetd_refuse(translation, attribute, "0 lets nobody in");
	if (value_number(text, 1, MAX_COUNT, ret) < 0)
		return xinetd_refuse(translation, attribute,
				     "is a number up to 100000, or UNLIMITED");
	return 0;
}

/* xinetd counts no datagrams, and nobody whom a program accepts, either. */
static int translate_limits(struct xinetd_translation *translation)
{
	struct service *service = translation->service;
	uint64_t all = service->handler == SERVICE_EXEC ? MAX_COUNT : 0;
	int error;

	if (service->datagram || service->wait)
		return 0;
	error = read_limit(translation, XINETD_INSTANCES, all, &service->instances);
	if (error < 0)
		return error;
	return read_limit(translation, XINETD_PER_SOURCE, 0, &service->per_source);
}

/* Appends the networks of an attribute; names among them are told. */
static int read_networks(const struct xinetd_translation *translation,
			 enum xinetd_attribute attribute, const char *consequence,
			 struct words *ret)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);
	int error = 0;

	for (size_t i = 0; error == 0 && values && i < values->words.count; i++) {
		error = networks_add(ret, values->words.items[i]);
		if (error == -EINVAL) {
			xinetd_warn(translation, attribute, values->words.items[i], consequence);
			error = 0;
		}
	}
	return error;
}

static int add_filters(struct words *socket, const char *name, const struct words *networks)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < networks->count; i++)
		error = words_print(socket, "%s=%s", name, networks->items[i]);
	return error;
}

/* A program that takes the socket itself is not behind adoptd's gate: the kernel filters
 * for it. Of its filters, what allows wins. */
static int filter_socket(struct xinetd_translation *translation)
{
	struct service *service = translation->service;
	int error = 0;

	if (service->restricted) {
		error = words_add(&service->socket, "IPAddressDeny=any");
		if (error == 0)
			error = add_filters(&service->socket, "IPAddressAllow", &service->allow);
	}
	if (service->restricted && service->deny.count > 0)
		xinetd_warn(translation, XINETD_NO_ACCESS, NULL,
			    "cannot be kept beside only_from where wait = yes");
	else if (error == 0)
		error = add_filters(&service->socket, "IPAddressDeny", &service->deny);
	service->restricted = false;
	words_done(&service->allow);
	words_done(&service->deny);
	return error;
}

int xinetd_translate_access(struct xinetd_translation *translation)
{
	struct service *service = translation->service;
	int error = translate_limits(translation);

	service->restricted = xinetd_values(translation, XINETD_ONLY_FROM) != NULL;
	if (error == 0)
		error = read_networks(translation, XINETD_ONLY_FROM,
				      "is no address; nobody is let in by name", &service->allow);
	if (error == 0)
		error = read_networks(translation, XINETD_NO_ACCESS,
				      "is no address; nobody is kept out by name", &service->deny);
	if (error == 0 && service->wait)
		error = filter_socket(translation);
	return error;
}
