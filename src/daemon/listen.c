#include "listen.h"

#include "adopt/adopt.h"
#include "support/endpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The longest host name, a port and a prefix; any UNIX path is shorter. */
#define TEXT_BYTES 1088

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Splits a text into an endpoint's and the socket's type. */
static int split(const char *text, char *endpoint, size_t size, int *ret_type)
{
	static const struct {
		const char *prefix, *instead;
		int type;
	} forms[] = {
		{"udp:", "", SOCK_DGRAM},
		{"unix-dgram:", "unix:", SOCK_DGRAM},
		{"unix-seqpacket:", "unix:", SOCK_SEQPACKET},
		{"", "", SOCK_STREAM},
	};
	size_t i = 0;
	int length;

	while (!has_prefix(text, forms[i].prefix))
		i++;
	text += strlen(forms[i].prefix);
	if (i == 0 && (has_prefix(text, "unix:") || has_prefix(text, "vsock:")))
		return -EINVAL;
	length = snprintf(endpoint, size, "%s%s", forms[i].instead, text);
	if (length < 0 || (size_t)length >= size)
		return -ENAMETOOLONG;
	*ret_type = forms[i].type;
	return 0;
}

int listen_check(const char *text)
{
	char endpoint[TEXT_BYTES];
	int type, r = split(text, endpoint, sizeof endpoint, &type);

	return r < 0 ? r : endpoint_check(endpoint);
}

bool listen_is_datagram(const char *text)
{
	char endpoint[TEXT_BYTES];
	int type;

	return split(text, endpoint, sizeof endpoint, &type) == 0 && type == SOCK_DGRAM;
}

bool listen_is_unix_stream(const char *text)
{
	return has_prefix(text, "unix:") || has_prefix(text, "unix-seqpacket:");
}

/* The file name of a UNIX address, NULL for all others. */
static const char *unix_path(const struct adopt_address *address)
{
	const char *path = address->name.un.sun_path;

	return adopt_address_family(address) == AF_UNIX && path[0] ? path : NULL;
}

/*
 * Removes a UNIX socket that an earlier run left behind. Only a refusal proves
 * that nobody has it: a full backlog, another type or missing rights do not.
 */
static int remove_stale(const struct adopt_address *address, int type)
{
	struct stat st;
	int fd, r;

	if (lstat(unix_path(address), &st) < 0 || !S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	r = adopt_socket_create(AF_UNIX, type, &fd);
	if (r < 0)
		return r;
	r = -EADDRINUSE;
	if (connect(fd, &address->name.any, address->length) < 0 && errno == ECONNREFUSED)
		r = unlink(unix_path(address)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int bind_socket(int fd, const struct adopt_address *address, int type)
{
	int r = bind(fd, &address->name.any, address->length) < 0 ? -errno : 0;

	if (r != -EADDRINUSE || !unix_path(address))
		return r;
	r = remove_stale(address, type);
	if (r == 0 && bind(fd, &address->name.any, address->length) < 0)
		r = -errno;
	return r;
}

static int set_options(int fd, int family, int type)
{
	int on = 1;

	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		return -errno;
	/* On a datagram socket Linux would let a second daemon take the port over. */
	if (type == SOCK_STREAM && (family == AF_INET || family == AF_INET6) &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return -errno;
	return 0;
}

/* A UNIX socket that is still the one that was made. */
static void remove_path(const struct listen_socket *item)
{
	struct stat st;

	if (item->path && lstat(item->path, &st) == 0 && st.st_dev == item->device &&
	    st.st_ino == item->inode)
		unlink(item->path);
}

static void socket_unref(struct listen_socket *item)
{
	if (--item->references > 0)
		return;
	remove_path(item);
	free(item->path);
	free(item->text);
	if (item->fd >= 0)
		close(item->fd);
	free(item);
}

static int remember_path(const char *path, struct listen_socket *item)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	item->path = strdup(path);
	if (!item->path)
		return -ENOMEM;
	item->device = st.st_dev;
	item->inode = st.st_ino;
	return 0;
}

static struct listen_socket *socket_new(const char *text)
{
	struct listen_socket *item = calloc(1, sizeof *item);

	if (!item)
		return NULL;
	*item = (struct listen_socket){.references = 1, .fd = -1, .text = strdup(text)};
	if (item->text)
		return item;
	free(item);
	return NULL;
}

static int open_one(const char *text, const struct adopt_address *address, int type,
		    struct listen_socket **ret)
{
	struct listen_socket *item = socket_new(text);
	const char *path = unix_path(address);
	int r;

	if (!item)
		return -ENOMEM;
	r = adopt_socket_create(adopt_address_family(address), type, &item->fd);
	if (r == 0)
		r = set_options(item->fd, adopt_address_family(address), type);
	if (r == 0)
		r = bind_socket(item->fd, address, type);
	if (r < 0)
		goto out;
	if (path)
		r = remember_path(path, item);
	if (r < 0)
		unlink(path);
	if (r == 0 && type != SOCK_DGRAM && listen(item->fd, SOMAXCONN) < 0)
		r = -errno;
out:
	if (r < 0)
		socket_unref(item);
	else
		*ret = item;
	return r;
}

/* /etc/hosts may list an address of a name twice. */
static bool seen_before(const struct adopt_address *addresses, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (adopt_address_equal(&addresses[j], &addresses[i]))
			return true;
	return false;
}

static int open_all(struct listen_set *set, const char *text, const struct adopt_address *addresses,
		    size_t count, int type)
{
	int r = 0, skipped = 0;
	size_t before = set->count;

	for (size_t i = 0; i < count && r == 0; i++) {
		if (seen_before(addresses, i))
			continue;
		r = open_one(text, &addresses[i], type, &set->items[set->count]);
		if (r == 0)
			set->count++;
		/* A name may have an IPv6 address where the machine has no IPv6. */
		if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL) {
			skipped = r;
			r = 0;
		}
	}
	return r == 0 && set->count == before ? skipped : r;
}

/* Makes room for so many more. */
static int reserve(struct listen_set *set, size_t count)
{
	struct listen_socket **items =
		realloc(set->items, (set->count + count) * sizeof(struct listen_socket *));

	if (!items)
		return -ENOMEM;
	set->items = items;
	return 0;
}

int listen_open(struct listen_set *set, const char *text)
{
	struct adopt_address *addresses;
	size_t count, before = set->count;
	char endpoint[TEXT_BYTES];
	int type, r = split(text, endpoint, sizeof endpoint, &type);

	if (r == 0)
		r = endpoint_resolve(endpoint, type, &addresses, &count);
	if (r < 0)
		return r;
	r = reserve(set, count);
	if (r == 0)
		r = open_all(set, text, addresses, count, type);
	while (r < 0 && set->count > before)
		socket_unref(set->items[--set->count]);
	free(addresses);
	return r;
}

int listen_reuse(struct listen_set *set, const struct listen_set *other, const char *text)
{
	int found = 0;

	if (other->count == 0)
		return 0;
	if (reserve(set, other->count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < other->count; i++) {
		if (strcmp(other->items[i]->text, text) != 0)
			continue;
		other->items[i]->references++;
		set->items[set->count++] = other->items[i];
		found++;
	}
	return found;
}

void listen_close(struct listen_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		socket_unref(set->items[i]);
	free(set->items);
	*set = (struct listen_set){0};
}
