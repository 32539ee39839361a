#include "exec_environment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What adoptd sets by itself. */
#define OWN_VARIABLES 7
static const char *const own[OWN_VARIABLES] = {
	"PROTO",         "REMOTE_ADDR", "REMOTE_PORT",  "TCPREMOTEIP",
	"TCPREMOTEPORT", "TCPLOCALIP",  "TCPLOCALPORT",
};

/* Room for each: a name, and an address as text. */
#define VARIABLE_BYTES (16 + ADOPT_ADDRESS_TEXT_SIZE)

/* An environment that is being made. */
struct making {
	char **next;
	char *text; /* room for the next one's */
};

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

bool exec_environment_same(const char *entry, const char *other)
{
	size_t length = name_length(entry);

	return length == name_length(other) && memcmp(entry, other, length) == 0;
}

const char *exec_environment_judge(const char *entry)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "0123456789";
	size_t length = name_length(entry);

	if (entry[length] != '=' || length == 0 || strspn(entry, letters) != length ||
	    strchr("0123456789", entry[0]))
		return "write it as NAME=value, with a name of letters, digits and _";
	for (size_t i = 0; i < OWN_VARIABLES; i++)
		if (exec_environment_same(entry, own[i]))
			return "adoptd sets this variable itself";
	return NULL;
}

__attribute__((format(printf, 2, 3))) static void add(struct making *making, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(making->text, VARIABLE_BYTES, format, args);
	va_end(args);
	*making->next++ = making->text;
	making->text += VARIABLE_BYTES;
}

/* The text of an IPv4 or IPv6 address without its port, a mapped IPv4 one as such. Returns
 * NULL for others. */
static const char *host_text(const struct adopt_address *address, char text[INET6_ADDRSTRLEN])
{
	const struct in6_addr *in6 = &address->name.in6.sin6_addr;

	switch (adopt_address_family(address)) {
	case AF_INET:
		return inet_ntop(AF_INET, &address->name.in.sin_addr, text, INET6_ADDRSTRLEN);
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(in6))
			return inet_ntop(AF_INET, &in6->s6_addr[12], text, INET6_ADDRSTRLEN);
		return inet_ntop(AF_INET6, in6, text, INET6_ADDRSTRLEN);
	default:
		return NULL;
	}
}

static bool is_ip(const struct adopt_address *address)
{
	int family = adopt_address_family(address);

	return family == AF_INET || family == AF_INET6;
}

static void add_protocol(struct making *making, const struct adopt_address *address)
{
	int family = adopt_address_family(address);

	if (is_ip(address))
		add(making, "PROTO=TCP");
	else if (family == AF_UNIX)
		add(making, "PROTO=UNIX");
	else if (family != AF_UNSPEC)
		add(making, "PROTO=VSOCK");
}

static void add_ip_peer(struct making *making, const char *ip, unsigned port)
{
	add(making, "REMOTE_ADDR=%s", ip);
	add(making, "REMOTE_PORT=%u", port);
	add(making, "TCPREMOTEIP=%s", ip);
	add(making, "TCPREMOTEPORT=%u", port);
}

/* What a client has named its socket begins with `unix:` here, and has nothing in it that is
 * not printable. */
static void add_other_peer(struct making *making, const struct adopt_address *peer)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	char *port;

	adopt_address_format(peer, text, sizeof text);
	if (adopt_address_family(peer) == AF_UNIX) {
		if (strcmp(text, "unix:") != 0)
			add(making, "REMOTE_ADDR=%s", text);
		return;
	}
	port = strrchr(text, ':');
	if (!port)
		return;
	*port++ = '\0';
	add(making, "REMOTE_ADDR=%s", text);
	add(making, "REMOTE_PORT=%s", port);
}

static void add_peer(struct making *making, const struct adopt_address *peer)
{
	char host[INET6_ADDRSTRLEN];
	const char *ip = host_text(peer, host);

	if (ip)
		add_ip_peer(making, ip, adopt_address_port(peer));
	else
		add_other_peer(making, peer);
}

static void add_local(struct making *making, const struct adopt_address *local)
{
	char host[INET6_ADDRSTRLEN];
	const char *ip = host_text(local, host);

	if (!ip)
		return;
	add(making, "TCPLOCALIP=%s", ip);
	add(making, "TCPLOCALPORT=%u", adopt_address_port(local));
}

static size_t count_entries(char *const *entries)
{
	size_t count = 0;

	while (entries[count])
		count++;
	return count;
}

int exec_environment_new(char *const *block, size_t count, const struct adopt_address *local,
			 const struct adopt_address *peer, char *const *announced, char ***ret)
{
	size_t pointers = (count + count_entries(announced) + OWN_VARIABLES + 1) * sizeof(char *);
	char **environment = malloc(pointers + (size_t)OWN_VARIABLES * VARIABLE_BYTES);
	struct making making = {.next = environment};

	if (!environment)
		return -ENOMEM;
	making.text = (char *)environment + pointers;
	for (size_t i = 0; i < count; i++)
		*making.next++ = block[i];
	for (; *announced; announced++)
		*making.next++ = *announced;
	if (peer) {
		add_protocol(&making, is_ip(peer) || !local ? peer : local);
		add_peer(&making, peer);
	}
	if (local)
		add_local(&making, local);
	*making.next = NULL;
	*ret = environment;
	return 0;
}
