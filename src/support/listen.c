#include "listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* --- one socket --- */

/* Tells whether the path still leads to the socket that was made. */
static bool has_path(const struct listen_socket *socket)
{
	struct stat st;

	return socket->path && lstat(socket->path, &st) == 0 && st.st_dev == socket->device &&
	       st.st_ino == socket->inode;
}

static void socket_unref(struct listen_socket *socket)
{
	if (--socket->references > 0)
		return;
	if (!socket->path_stays && has_path(socket))
		unlink(socket->path);
	free(socket->path);
	if (socket->fd >= 0)
		close(socket->fd);
	free(socket);
}

static struct listen_socket *socket_new(int fd)
{
	struct listen_socket *socket = calloc(1, sizeof *socket);

	if (socket)
		*socket = (struct listen_socket){.references = 1, .fd = fd};
	return socket;
}

static int remember_path(const char *path, struct listen_socket *socket)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	socket->path = strdup(path);
	if (!socket->path)
		return -ENOMEM;
	socket->device = st.st_dev;
	socket->inode = st.st_ino;
	return 0;
}

/* The mode last: until then nobody of the group that it was may come. */
static int set_access(const char *path, const struct listen_access *access)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	if (access->group != (gid_t)-1 && access->group != st.st_gid &&
	    lchown(path, (uid_t)-1, access->group) < 0)
		return -errno;
	return chmod(path, access->mode) < 0 ? -errno : 0;
}

/* access: of a UNIX path; NULL: as the umask says. */
static int open_socket(const struct adopt_address *address, int type,
		       const struct listen_access *access, struct listen_socket **ret)
{
	struct listen_socket *socket = socket_new(-1);
	const char *path = unix_path(address);
	int r;

	if (!socket)
		return -ENOMEM;
	r = adopt_socket_create(adopt_address_family(address), type, &socket->fd);
	if (r == 0)
		r = set_options(socket->fd, adopt_address_family(address), type);
	/* Linux gives this mode to what it binds; elsewhere it fails, and the path is not
	   reachable before it listens anyway. */
	if (r == 0 && access)
		(void)fchmod(socket->fd, S_IRUSR | S_IWUSR);
	if (r == 0)
		r = bind_socket(socket->fd, address, type);
	if (r < 0)
		goto out;
	if (path)
		r = remember_path(path, socket);
	if (r < 0)
		unlink(path);
	if (r == 0 && access)
		r = set_access(path, access);
	if (r == 0 && type != SOCK_DGRAM && listen(socket->fd, SOMAXCONN) < 0)
		r = -errno;
out:
	if (r < 0)
		socket_unref(socket);
	else
		*ret = socket;
	return r;
}

/* --- sets --- */

bool listen_has(const struct listen_set *set, const struct listen_socket *socket)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].socket == socket)
			return true;
	return false;
}

/* Adds a socket to a set that does not have it, with a reference of its own. */
static int add(struct listen_set *set, struct listen_socket *socket, const char *text)
{
	struct listen_item *items;
	char *copy;

	if (listen_has(set, socket))
		return -EADDRINUSE;
	items = realloc(set->items, (set->count + 1) * sizeof *items);
	if (!items)
		return -ENOMEM;
	set->items = items;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	socket->references++;
	items[set->count++] = (struct listen_item){.socket = socket, .text = copy};
	return 0;
}

static void drop_last(struct listen_set *set)
{
	struct listen_item *item = &set->items[--set->count];

	socket_unref(item->socket);
	free(item->text);
}

static bool is_bound_to(int fd, const struct adopt_address *address, int type)
{
	struct adopt_address local = {.length = sizeof local.name};
	struct adopt_socket_kind kind;

	return adopt_socket_inspect(fd, &kind) == 0 && kind.type == type &&
	       getsockname(fd, &local.name.any, &local.length) == 0 &&
	       adopt_address_equal(&local, address);
}

static int open_new(struct listen_set *set, const char *text, const struct adopt_address *address,
		    int type, const struct listen_access *access)
{
	struct listen_socket *socket;
	int r = open_socket(address, type, access, &socket);

	if (r < 0)
		return r;
	r = add(set, socket, text);
	socket_unref(socket);
	return r;
}

static int add_address(struct listen_set *set, const struct listen_set *before, const char *text,
		       const struct adopt_address *address, int type)
{
	for (size_t i = 0; before && i < before->count; i++)
		if (is_bound_to(before->items[i].socket->fd, address, type))
			return add(set, before->items[i].socket, text);
	return open_new(set, text, address, type, NULL);
}

/* /etc/hosts may list an address of a name twice. */
static bool seen_before(const struct adopt_address *addresses, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (adopt_address_equal(&addresses[j], &addresses[i]))
			return true;
	return false;
}

static int add_resolved(struct listen_set *set, const struct listen_set *before, const char *text)
{
	struct adopt_address *addresses;
	size_t count, had = set->count;
	int type, r = listen_resolve(text, &addresses, &count, &type), skipped = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (seen_before(addresses, i))
			continue;
		r = add_address(set, before, text, &addresses[i], type);
		/* A name may have an IPv6 address where the machine has no IPv6. */
		if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL) {
			skipped = r;
			r = 0;
		}
	}
	free(addresses);
	return r == 0 && set->count == had ? skipped : r;
}

/* What another set has for the same text. */
static int add_known(struct listen_set *set, const struct listen_set *before, const char *text)
{
	int r = 0;

	for (size_t i = 0; r == 0 && before && i < before->count; i++)
		if (strcmp(before->items[i].text, text) == 0)
			r = add(set, before->items[i].socket, text);
	return r;
}

int listen_open(struct listen_set *set, const struct listen_set *before, const char *text)
{
	size_t had = set->count;
	int r = add_known(set, before, text);

	if (r == 0 && set->count == had)
		r = add_resolved(set, before, text);
	while (r < 0 && set->count > had)
		drop_last(set);
	return r;
}

int listen_open_path(struct listen_set *set, const struct listen_set *before, const char *path,
		     const struct listen_access *access)
{
	struct adopt_address address = {.name.un.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int r;

	if (length >= sizeof address.name.un.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.name.un.sun_path, path, length + 1);
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	for (size_t i = 0; before && i < before->count; i++) {
		struct listen_socket *socket = before->items[i].socket;

		if (!is_bound_to(socket->fd, &address, SOCK_STREAM) || !has_path(socket))
			continue;
		r = set_access(path, access);
		return r < 0 ? r : add(set, socket, path);
	}
	return open_new(set, path, &address, SOCK_STREAM, access);
}

int listen_take(struct listen_set *set, int fd, const char *text)
{
	struct adopt_address local = {.length = sizeof local.name};
	struct listen_socket *socket;
	int r = 0;

	if (getsockname(fd, &local.name.any, &local.length) < 0)
		return -errno;
	socket = socket_new(fd);
	if (!socket)
		return -ENOMEM;
	socket->path_stays = true;
	if (unix_path(&local))
		r = remember_path(unix_path(&local), socket);
	if (r == 0)
		r = add(set, socket, text);
	if (r < 0)
		socket->fd = -1;
	socket_unref(socket);
	return r;
}

void listen_leave_paths(struct listen_set *set, bool leave)
{
	for (size_t i = 0; i < set->count; i++)
		set->items[i].socket->path_stays = leave;
}

void listen_close(struct listen_set *set)
{
	while (set->count > 0)
		drop_last(set);
	free(set->items);
	*set = (struct listen_set){0};
}
