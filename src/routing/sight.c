#include "sight.h"

#include "http.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void sight_begin(struct sight *sight, const uint8_t *data, size_t length)
{
	sight->data = data;
	sight->length = length;
	sight->hello_read = false;
	sight->host_read = false;
}

enum verdict sight_hello(struct sight *sight, size_t *ret_needed)
{
	if (!sight->hello_read)
		sight->hello_verdict = client_hello_read(sight->data, sight->length, &sight->hello,
							 &sight->hello_needed);
	sight->hello_read = true;
	if (sight->hello_verdict == VERDICT_MORE)
		*ret_needed = sight->hello_needed;
	return sight->hello_verdict;
}

enum verdict sight_host(struct sight *sight, size_t *ret_needed)
{
	if (!sight->host_read)
		sight->host_verdict = http_host_read(sight->data, sight->length, &sight->host,
						     &sight->host_length, &sight->host_needed);
	sight->host_read = true;
	if (sight->host_verdict == VERDICT_MORE)
		*ret_needed = sight->host_needed;
	return sight->host_verdict;
}

int sight_identify(int fd, uid_t *ret_uid, gid_t *ret_gid)
{
#if defined SO_PEERCRED
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	*ret_uid = peer.uid;
	*ret_gid = peer.gid;
	return 0;
#elif defined HAVE_GETPEEREID
	return getpeereid(fd, ret_uid, ret_gid) < 0 ? -errno : 0;
#else
	(void)fd;
	(void)ret_uid;
	(void)ret_gid;
	return -EOPNOTSUPP;
#endif
}
