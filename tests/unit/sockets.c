/* Sockets for tests: made, connected, talked to. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Far above what a way takes. */
#define WAY_MS 10000

const struct place places[] = {
	{"IPv4", AF_INET, SOCK_STREAM, false},
	{"IPv6", AF_INET6, SOCK_STREAM, false},
	{"UNIX path", AF_UNIX, SOCK_STREAM, false},
	{"UNIX abstract", AF_UNIX, SOCK_STREAM, true},
	{"UNIX path, records", AF_UNIX, SOCK_SEQPACKET, false},
	{"UNIX abstract, records", AF_UNIX, SOCK_SEQPACKET, true},
};

static char directory[64];
static unsigned names;

void directory_set_up(void)
{
	strcpy(directory, "/tmp/adopt-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	names = 0;
}

void directory_tear_down(void)
{
	char path[sizeof directory + 16];

	for (unsigned i = 0; i < names; i++) {
		snprintf(path, sizeof path, "%s/%u", directory, i);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(directory), 0);
}

struct adopt_address fresh_address(int family, bool abstract)
{
	struct adopt_address address;
	char text[sizeof directory + 32];

	if (family == AF_INET)
		strcpy(text, "127.0.0.1:0");
	else if (family == AF_INET6)
		strcpy(text, "[::1]:0");
	else
		snprintf(text, sizeof text, "unix:%s%s/%u", abstract ? "@" : "", directory,
			 names++);
	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	return address;
}

static void assert_works(int result)
{
	if (result < 0)
		ck_abort_msg("%s", strerror(errno));
}

int bound_socket(int type, const struct adopt_address *address)
{
	int fd = socket(address->name.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_works(fd);
	assert_works(bind(fd, &address->name.any, address->length));
	if (type != SOCK_DGRAM)
		assert_works(listen(fd, SOMAXCONN));
	return fd;
}

int place_listener(const struct place *place)
{
	struct adopt_address address = fresh_address(place->family, place->abstract);

	return bound_socket(place->type, &address);
}

int client_of(int listener)
{
	struct adopt_address address = own_address(listener);
	struct adopt_socket_kind kind;
	int fd;

	ck_assert_int_eq(adopt_socket_inspect(listener, &kind), 0);
	fd = socket(kind.family, kind.type | SOCK_CLOEXEC, 0);
	assert_works(fd);
	assert_works(connect(fd, &address.name.any, address.length));
	ck_assert_int_eq(adopt_descriptor_prepare(fd), 0);
	return fd;
}

/* Loopback buffers grow to many megabytes: fixed ones fill soon. */
static void limit_buffers(int fd)
{
	int bytes = 128 * 1024;

	assert_works(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
	assert_works(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes));
}

/* What has been sent over the loopback may still be on its way, on a busy machine. */
static void await_readable(int fd)
{
	struct pollfd state = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&state, 1, WAY_MS), 1);
}

void place_pair(const struct place *place, int pair[2])
{
	int listener = place_listener(place);

	limit_buffers(listener);
	pair[0] = client_of(listener);
	await_readable(listener);
	pair[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_works(pair[1]);
	close(listener);
	limit_buffers(pair[0]);
	limit_buffers(pair[1]);
}

void tcp_pair(int pair[2])
{
	place_pair(&places[0], pair);
}

void unix_pair(int type, int pair[2])
{
	assert_works(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
}

struct adopt_address own_address(int fd)
{
	struct adopt_address address = {.length = sizeof address.name};

	assert_works(getsockname(fd, &address.name.any, &address.length));
	return address;
}

struct adopt_address peer_address(int fd)
{
	struct adopt_address address = {.length = sizeof address.name};

	assert_works(getpeername(fd, &address.name.any, &address.length));
	return address;
}

void assert_same_address(const struct adopt_address *a, const struct adopt_address *b)
{
	ck_assert_uint_eq(a->length, b->length);
	ck_assert_mem_eq(&a->name, &b->name, a->length);
}

void send_text(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

void reset_on_close(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	assert_works(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

void close_with_reset(int fd)
{
	reset_on_close(fd);
	close(fd);
}

bool readable(int fd)
{
	struct pollfd state = {.fd = fd, .events = POLLIN};

	return poll(&state, 1, 0) > 0;
}

void assert_reads(int fd, const char *text)
{
	char buffer[256] = "";

	ck_assert_uint_lt(strlen(text), sizeof buffer);
	await_readable(fd);
	ck_assert_int_eq(recv(fd, buffer, strlen(text), 0), (ssize_t)strlen(text));
	ck_assert_str_eq(buffer, text);
}

int end_of(int fd)
{
	char byte;
	ssize_t length = recv(fd, &byte, 1, 0);

	ck_assert_int_le(length, 0);
	return length < 0 ? -errno : 0;
}

/* A multiplicative hash of the offset: no two places in a stream look alike. */
static unsigned char pattern_at(uint64_t offset)
{
	return (unsigned char)((offset + 1) * 0x9e3779b97f4a7c15u >> 56);
}

void pattern_fill(uint64_t offset, void *buffer, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((unsigned char *)buffer)[i] = pattern_at(offset + i);
}

bool pattern_holds(uint64_t offset, const void *buffer, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((const unsigned char *)buffer)[i] != pattern_at(offset + i))
			return false;
	return true;
}
