#define __APPLE_USE_RFC_3542 1
#include "packet_info.h"

#include <string.h>

#ifdef HAVE_PACKET_INFO

bool packet_info_enable(int fd, const struct adopt_address *own)
{
	const int on = 1;

	switch (adopt_address_family(own)) {
	case AF_INET:
		return own->name.in.sin_addr.s_addr == htonl(INADDR_ANY) &&
		       setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
	case AF_INET6:
		return IN6_IS_ADDR_UNSPECIFIED(&own->name.in6.sin6_addr) &&
		       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
	default:
		return false;
	}
}

/* What was sent to a broadcast address is answered from the interface's own, which only
 * Linux tells, as ipi_spec_dst. */
static void read_ipv4(const unsigned char *data, struct adopt_address *local)
{
	struct in_pktinfo info;

	memcpy(&info, data, sizeof info);
	local->name.in.sin_addr = info.ipi_spec_dst.s_addr != 0 ? info.ipi_spec_dst : info.ipi_addr;
	if (IN_MULTICAST(ntohl(local->name.in.sin_addr.s_addr)))
		local->length = 0;
}

static void read_ipv6(const unsigned char *data, struct adopt_address *local)
{
	struct in6_pktinfo info;

	memcpy(&info, data, sizeof info);
	local->name.in6.sin6_addr = info.ipi6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		local->name.in6.sin6_scope_id = info.ipi6_ifindex;
	if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
		local->length = 0;
}

void packet_info_read(struct msghdr *message, struct adopt_address *local)
{
	int family = adopt_address_family(local);

	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
		if (family == AF_INET && at->cmsg_level == IPPROTO_IP &&
		    at->cmsg_type == IP_PKTINFO) {
			read_ipv4(CMSG_DATA(at), local);
			return;
		}
		if (family == AF_INET6 && at->cmsg_level == IPPROTO_IPV6 &&
		    at->cmsg_type == IPV6_PKTINFO) {
			read_ipv6(CMSG_DATA(at), local);
			return;
		}
	}
	local->length = 0;
}

static void put(struct msghdr *message, union packet_info *info, int level, int type,
		const void *data, size_t length)
{
	memset(info, 0, sizeof *info);
	message->msg_control = info;
	message->msg_controllen = CMSG_SPACE(length);
	info->header.cmsg_level = level;
	info->header.cmsg_type = type;
	info->header.cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(&info->header), data, length);
}

void packet_info_write(struct msghdr *message, const struct adopt_address *from,
		       union packet_info *info)
{
	struct in_pktinfo ipv4 = {0};
	struct in6_pktinfo ipv6 = {0};

	_Static_assert(CMSG_SPACE(sizeof ipv6) <= sizeof *info, "room for the longer one");
	if (adopt_address_family(from) == AF_INET) {
		ipv4.ipi_spec_dst = from->name.in.sin_addr;
		put(message, info, IPPROTO_IP, IP_PKTINFO, &ipv4, sizeof ipv4);
	} else if (adopt_address_family(from) == AF_INET6) {
		ipv6.ipi6_addr = from->name.in6.sin6_addr;
		ipv6.ipi6_ifindex = from->name.in6.sin6_scope_id;
		put(message, info, IPPROTO_IPV6, IPV6_PKTINFO, &ipv6, sizeof ipv6);
	}
}

#else

bool packet_info_enable(int fd, const struct adopt_address *own)
{
	(void)fd;
	(void)own;
	return false;
}

void packet_info_read(struct msghdr *message, struct adopt_address *local)
{
	(void)message;
	(void)local;
}

void packet_info_write(struct msghdr *message, const struct adopt_address *from,
		       union packet_info *info)
{
	(void)message;
	(void)from;
	(void)info;
}

#endif
