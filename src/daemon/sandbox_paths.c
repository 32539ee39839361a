#include "sandbox_paths.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What may be read again at any time: names of hosts, users and services, the time zone,
 * modules of the C library that look them up, how many processors there are, and for systemd's
 * library whose unit this process is, seen from the first one. Files in /etc are replaced as
 * they change, so that only the directory stays the same. */
static const char *const read_by_libraries[] = {"/etc",
						"/usr",
						"/lib",
						"/lib64",
						"/run/systemd/resolve",
						"/run/systemd/userdb",
						"/run/userdb",
						"/var/lib/sss/mc",
						"/sys/devices/system/cpu",
						"/proc/self",
						"/proc/1"};

/* A descriptor in reserve, and dice on older kernels. */
static const struct confine_path devices[] = {
	{.path = "/dev/null", .write = true},
	{.path = "/dev/urandom"},
};

static bool has(const struct sandbox_paths *paths, const char *path,
		const struct confine_path *item)
{
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->items[i].path, path) == 0 &&
		    paths->items[i].write == item->write &&
		    paths->items[i].sockets == item->sockets)
			return true;
	return false;
}

static int add(struct sandbox_paths *paths, const char *path, struct confine_path item)
{
	struct confine_path *items;

	if (has(paths, path, &item))
		return 0;
	items = realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
	if (!items)
		return -ENOMEM;
	paths->items = items;
	item.path = strdup(path);
	if (!item.path)
		return -ENOMEM;
	items[paths->count++] = item;
	return 0;
}

static int add_directory(struct sandbox_paths *paths, const char *path, bool sockets)
{
	const char *slash = strrchr(path, '/');
	char *directory =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int error = directory ? add(paths, directory, (struct confine_path){.sockets = sockets})
			      : -ENOMEM;

	free(directory);
	return error;
}

/* An editor replaces a file with another, and a link may lead to another directory. */
static int add_file(struct sandbox_paths *paths, const char *path)
{
	int error = add_directory(paths, path, false);
	char *real = error == 0 ? realpath(path, NULL) : NULL;

	if (real)
		error = add_directory(paths, real, false);
	free(real);
	return error;
}

/* --- the configuration's --- */

static int add_handler(struct sandbox_paths *paths, const struct handler *handler,
		       const struct handler_settings *settings)
{
	const char *file = handler->file ? handler->file(settings) : NULL;

	return file ? add_file(paths, file) : 0;
}

static int add_port(struct sandbox_paths *paths, const struct config_port *port)
{
	int error = add_handler(paths, port->handler, port->settings);

	for (size_t i = 0; error == 0 && i < port->route_count; i++)
		error = add_handler(paths, port->routes[i].handler, port->routes[i].settings);
	return error;
}

/* --- sockets --- */

static int add_set(struct sandbox_paths *paths, const struct listen_set *set)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < set->count; i++)
		if (set->items[i].socket->path)
			error = add_directory(paths, set->items[i].socket->path, true);
	return error;
}

static bool has_paths(const struct listen_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].socket->path)
			return true;
	return false;
}

bool sandbox_paths_of_sockets(const struct sandbox_order *order)
{
	return has_paths(&order->setup->plan->opened) || has_paths(&order->setup->control) ||
	       has_paths(order->given);
}

/* --- */

static int add_fixed(struct sandbox_paths *paths)
{
	int error = add_file(paths, "/etc/resolv.conf");

	for (size_t i = 0; error == 0 && i < sizeof read_by_libraries / sizeof *read_by_libraries;
	     i++)
		error = add(paths, read_by_libraries[i], (struct confine_path){0});
	for (size_t i = 0; error == 0 && i < sizeof devices / sizeof *devices; i++)
		error = add(paths, devices[i].path, devices[i]);
	return error;
}

int sandbox_paths_find(const struct sandbox_order *order, struct sandbox_paths *ret)
{
	const struct config *config = order->setup->config;
	int error = add_fixed(ret);

	for (size_t i = 0; error == 0 && i < config->sources.count; i++)
		error = add_file(ret, config->sources.paths[i]);
	for (size_t i = 0; error == 0 && i < config->port_count; i++)
		error = add_port(ret, &config->ports[i]);
	if (error == 0)
		error = add_set(ret, &order->setup->plan->opened);
	if (error == 0)
		error = add_set(ret, &order->setup->control);
	if (error == 0)
		error = add_set(ret, order->given);
	return error;
}

void sandbox_paths_done(struct sandbox_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free((char *)(uintptr_t)paths->items[i].path);
	free(paths->items);
	*paths = (struct sandbox_paths){0};
}
