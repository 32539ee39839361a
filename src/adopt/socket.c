#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

void socket_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

int socket_duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

static int get_option(int fd, int option, int *ret)
{
	socklen_t length = sizeof *ret;

	return getsockopt(fd, SOL_SOCKET, option, ret, &length) < 0 ? -errno : 0;
}

static int get_family(int fd, int *ret)
{
#ifdef SO_DOMAIN
	return get_option(fd, SO_DOMAIN, ret);
#else
	struct adopt_address own;
	int error = socket_local(fd, &own);

	if (error == 0)
		*ret = own.name.any.sa_family;
	return error;
#endif
}

int adopt_socket_inspect(int fd, struct adopt_socket_kind *ret)
{
	struct adopt_socket_kind kind = {0};
	struct adopt_address peer;
	int listening = 0, error;

	error = get_option(fd, SO_TYPE, &kind.type);
	if (error < 0)
		return error;
	error = get_family(fd, &kind.family);
	if (error < 0)
		return error;
	/* A family without listening sockets may not know the option. */
	error = get_option(fd, SO_ACCEPTCONN, &listening);
	if (error < 0 && error != -ENOPROTOOPT && error != -EINVAL && error != -EOPNOTSUPP)
		return error;
	kind.listening = listening != 0;
	kind.connected = socket_peer(fd, &peer) == 0;
	*ret = kind;
	return 0;
}

int adopt_descriptor_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		return -errno;
	return 0;
}

int socket_judge(int fd, int family, bool datagram, struct adopt_socket_kind *ret)
{
	struct adopt_socket_kind kind;
	int error = adopt_socket_inspect(fd, &kind);
	int flags;

	if (error < 0)
		return error;
	if (datagram ? kind.type != SOCK_DGRAM
		     : kind.type != SOCK_STREAM && kind.type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if ((family != AF_UNSPEC && family != kind.family) || !adopt_family_supported(kind.family))
		return -EAFNOSUPPORT;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK))
		return -EWOULDBLOCK;
	*ret = kind;
	return 0;
}

#ifndef HAVE_ACCEPT4
static int prepared(int fd)
{
	int error = fd < 0 ? -errno : adopt_descriptor_prepare(fd);

	if (error < 0) {
		socket_close(fd);
		return error;
	}
	return fd;
}
#endif

int adopt_socket_create(int family, int type, int *ret)
{
#if defined SOCK_CLOEXEC && defined SOCK_NONBLOCK
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
#else
	int fd = prepared(socket(family, type, 0));

	if (fd < 0)
		return fd;
#endif
	*ret = fd;
	return 0;
}

int socket_accept(int fd, struct adopt_address *ret_peer)
{
	struct adopt_address peer = {.length = sizeof peer.name};
	int client;

#ifdef HAVE_ACCEPT4
	client = accept4(fd, &peer.name.any, &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return -errno;
#else
	client = prepared(accept(fd, &peer.name.any, &peer.length));
	if (client < 0)
		return client;
#endif
	if (peer.length > sizeof peer.name)
		peer.length = sizeof peer.name;
	*ret_peer = peer;
	return client;
}

void socket_no_sigpipe(int fd)
{
#ifdef SO_NOSIGPIPE
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
	(void)fd;
#endif
}

void socket_no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void socket_reset_on_close(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int socket_send_flags(void)
{
#ifdef MSG_NOSIGNAL
	return MSG_NOSIGNAL;
#else
	return 0;
#endif
}

static int get_name(int fd, bool peer, struct adopt_address *ret)
{
	struct adopt_address address = {.length = sizeof address.name};
	int error = peer ? getpeername(fd, &address.name.any, &address.length)
			 : getsockname(fd, &address.name.any, &address.length);

	if (error < 0)
		return -errno;
	if (address.length > sizeof address.name)
		address.length = sizeof address.name;
	*ret = address;
	return 0;
}

int socket_local(int fd, struct adopt_address *ret)
{
	return get_name(fd, false, ret);
}

int socket_peer(int fd, struct adopt_address *ret)
{
	return get_name(fd, true, ret);
}
