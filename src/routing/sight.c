#include "sight.h"

#include "http.h"
#include "support/unix_socket.h"

static void see(struct sight *sight, const uint8_t *data, size_t length)
{
	sight->data = data;
	sight->length = length;
	sight->hello_read = false;
	sight->host_read = false;
}

void sight_client(struct sight *sight, struct adopt_transport *transport, const uint8_t *data,
		  size_t length)
{
	sight->transport = transport;
	sight->bytes_only = false;
	sight->local_known = false;
	sight->user_known = false;
	adopt_transport_peer(transport, &sight->peer);
	see(sight, data, length);
}

void sight_datagram(struct sight *sight, const struct adopt_datagram *datagram)
{
	sight->transport = NULL;
	sight->bytes_only = false;
	sight->peer = *datagram->peer;
	sight->local = *datagram->local;
	sight->local_known = true;
	sight->identified = false;
	sight->user_known = true;
	see(sight, datagram->data, datagram->length);
}

const struct adopt_address *sight_local(struct sight *sight)
{
	if (!sight->local_known) {
		sight->local = (struct adopt_address){0};
		adopt_transport_local(sight->transport, &sight->local);
	}
	sight->local_known = true;
	return &sight->local;
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

bool sight_identified(struct sight *sight)
{
	if (!sight->user_known)
		sight->identified = adopt_address_family(sight_local(sight)) == AF_UNIX &&
				    unix_socket_peer(adopt_transport_descriptor(sight->transport),
						     &sight->uid, &sight->gid) == 0;
	sight->user_known = true;
	return sight->identified;
}
