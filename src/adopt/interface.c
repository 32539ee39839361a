#include "private.h"

#include <errno.h>
#include <string.h>

const char *adopt_error_text(int error)
{
	switch (error) {
	case -EAFNOSUPPORT:
		return "the address family is not supported, or is not the descriptor's";
	case -ESOCKTNOSUPPORT:
		return "the socket's type does not fit";
	case -EBADF:
		return "the descriptor is not open";
	case -ENOTSOCK:
		return "the descriptor is not a socket";
	case -EINVAL:
		return "the socket is listening where it must not, or is not where it must";
	case -EWOULDBLOCK:
		return "the descriptor is blocking, and must be non-blocking";
	case -ENOTCONN:
		return "the peer is already gone";
	default:
		return strerror(error < 0 ? -error : error);
	}
}

void adopt_reactor_free(struct adopt_reactor **reactor)
{
	struct adopt_reactor *gone = *reactor;

	*reactor = NULL;
	if (gone)
		gone->ops->free(gone);
}

int adopt_reactor_run(struct adopt_reactor *reactor)
{
	return reactor->ops->run(reactor);
}

void adopt_reactor_stop(struct adopt_reactor *reactor)
{
	reactor->ops->stop(reactor);
}

uint64_t adopt_reactor_now_ms(const struct adopt_reactor *reactor)
{
	return reactor->ops->now_ms(reactor);
}

size_t adopt_reactor_port_count(const struct adopt_reactor *reactor)
{
	return reactor->port_count;
}

size_t adopt_reactor_connection_count(const struct adopt_reactor *reactor)
{
	return reactor->connection_count;
}

void adopt_reactor_observe(struct adopt_reactor *reactor, struct adopt_observer *observer)
{
	reactor->observer = observer;
}

int adopt_timer_new(struct adopt_reactor *reactor, void (*elapsed)(void *context), void *context,
		    struct adopt_timer **ret)
{
	struct adopt_timer *timer;
	int error = reactor->ops->timer_new(reactor, &timer);

	if (error < 0)
		return error;
	timer->reactor = reactor;
	timer->elapsed = elapsed;
	timer->context = context;
	*ret = timer;
	return 0;
}

void adopt_timer_start(struct adopt_timer *timer, uint64_t delay_ms)
{
	timer->reactor->ops->timer_start(timer, delay_ms);
}

void adopt_timer_stop(struct adopt_timer *timer)
{
	timer->reactor->ops->timer_stop(timer);
}

void adopt_timer_free(struct adopt_timer **timer)
{
	struct adopt_timer *gone = *timer;

	*timer = NULL;
	if (gone)
		gone->reactor->ops->timer_free(gone);
}

int adopt_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return reactor->ops->reader_add(reactor, watcher);
}

void adopt_reader_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	reactor->ops->reader_remove(reactor, watcher);
}

int adopt_writer_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return reactor->ops->writer_add(reactor, watcher);
}

void adopt_writer_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	reactor->ops->writer_remove(reactor, watcher);
}

int adopt_signal_new(struct adopt_reactor *reactor, int number, void (*received)(void *context),
		     void *context, struct adopt_signal **ret)
{
	struct adopt_signal *signal;
	int error = reactor->ops->signal_new(reactor, number, &signal);

	if (error < 0)
		return error;
	signal->reactor = reactor;
	signal->received = received;
	signal->context = context;
	*ret = signal;
	return 0;
}

void adopt_signal_free(struct adopt_signal **signal)
{
	struct adopt_signal *gone = *signal;

	*signal = NULL;
	if (gone)
		gone->reactor->ops->signal_free(gone);
}

int adopt_stream_port(struct adopt_reactor *reactor, int fd, int family,
		      struct adopt_factory *factory, struct adopt_port **ret)
{
	if (family != AF_UNSPEC && !adopt_family_supported(family))
		return -EAFNOSUPPORT;
	return reactor->ops->stream_port(reactor, fd, family, factory, ret);
}

int adopt_stream_connection(struct adopt_reactor *reactor, int fd, int family,
			    struct adopt_factory *factory)
{
	if (family != AF_UNSPEC && !adopt_family_supported(family))
		return -EAFNOSUPPORT;
	return reactor->ops->stream_connection(reactor, fd, family, factory);
}

int adopt_datagram_port(struct adopt_reactor *reactor, int fd, int family,
			struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			struct adopt_port **ret)
{
	if (family != AF_UNSPEC && !adopt_family_supported(family))
		return -EAFNOSUPPORT;
	return reactor->ops->datagram_port(
		reactor, fd, family, protocol,
		max_packet_size ? max_packet_size : ADOPT_MAX_PACKET_SIZE, ret);
}

int adopt_watched_port(struct adopt_reactor *reactor, int fd, int family,
		       struct adopt_lookout *lookout, struct adopt_port **ret)
{
	if (family != AF_UNSPEC && !adopt_family_supported(family))
		return -EAFNOSUPPORT;
	return reactor->ops->watched_port(reactor, fd, family, lookout, ret);
}

int adopt_connect_stream(struct adopt_reactor *reactor, const struct adopt_address *address,
			 int type, uint64_t timeout_ms, struct adopt_factory *factory,
			 struct adopt_connector **ret)
{
	if (!adopt_family_supported(adopt_address_family(address)))
		return -EAFNOSUPPORT;
	if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return reactor->ops->connect_stream(reactor, address, type, timeout_ms, factory, ret);
}

void adopt_connector_cancel(struct adopt_connector **connector)
{
	struct adopt_connector *gone = *connector;

	*connector = NULL;
	if (gone)
		gone->cancel(gone);
}

int adopt_transport_write(struct adopt_transport *transport, const void *data, size_t length)
{
	return transport->ops->write(transport, data, length);
}

void adopt_transport_set_write_bound(struct adopt_transport *transport, size_t bytes)
{
	transport->write_bound = bytes == 0 ? 1 : bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
	adopt_transport_full(transport);
}

bool adopt_transport_full(struct adopt_transport *transport)
{
	if (adopt_transport_queued(transport) < transport->write_bound)
		return false;
	transport->drained_owed = true;
	return true;
}

size_t adopt_transport_queued(const struct adopt_transport *transport)
{
	return transport->ops->queued(transport);
}

void adopt_transport_pause(struct adopt_transport *transport)
{
	transport->ops->pause(transport);
}

void adopt_transport_resume(struct adopt_transport *transport)
{
	transport->ops->resume(transport);
}

void adopt_transport_shutdown_write(struct adopt_transport *transport)
{
	transport->ops->shutdown_write(transport);
}

void adopt_transport_close(struct adopt_transport *transport)
{
	transport->ops->close(transport);
}

void adopt_transport_abort(struct adopt_transport *transport)
{
	transport->ops->abort(transport);
}

int adopt_transport_detach(struct adopt_transport **transport, int *ret)
{
	int error = (*transport)->ops->detach(*transport, ret);

	if (error == 0)
		*transport = NULL;
	return error;
}

int adopt_transport_take_descriptor(struct adopt_transport *transport, int *ret)
{
	return transport->ops->take_descriptor ? transport->ops->take_descriptor(transport, ret)
					       : -EOPNOTSUPP;
}

void adopt_transport_set_protocol(struct adopt_transport *transport,
				  struct adopt_protocol *protocol)
{
	transport->protocol = protocol;
	protocol->transport = transport;
	if (protocol->ops->connection_made)
		protocol->ops->connection_made(protocol);
}

void adopt_transport_hand_to(struct adopt_transport *transport, struct adopt_protocol *protocol)
{
	transport->protocol->transport = NULL;
	transport->ops->hand_to(transport, protocol);
}

int adopt_transport_peek(struct adopt_transport *transport, void *buffer, size_t size,
			 size_t *ret_length, bool *ret_ended)
{
	return transport->ops->peek(transport, buffer, size, ret_length, ret_ended);
}

int adopt_transport_skip(struct adopt_transport *transport, size_t length)
{
	return transport->ops->skip(transport, length);
}

int adopt_transport_set_peer(struct adopt_transport *transport, const struct adopt_address *peer)
{
	return address_keep(&transport->peer, peer);
}

int adopt_transport_set_idle_timeout(struct adopt_transport *transport, uint64_t timeout_ms)
{
	return transport->ops->set_idle_timeout(transport, timeout_ms);
}

uint64_t adopt_transport_idle_timeout(const struct adopt_transport *transport)
{
	return transport->ops->idle_timeout(transport);
}

void adopt_transport_bytes(const struct adopt_transport *transport, uint64_t *ret_received,
			   uint64_t *ret_sent)
{
	*ret_received = transport->received;
	*ret_sent = transport->sent;
}

void adopt_transport_set_note(struct adopt_transport *transport, const char *note)
{
	transport->note = note;
}

const char *adopt_transport_note(const struct adopt_transport *transport)
{
	return transport->note;
}

void adopt_transport_attach(struct adopt_transport *transport, struct adopt_attachment *attachment)
{
	attachment->next = transport->attachments;
	transport->attachments = attachment;
}

int adopt_transport_local(struct adopt_transport *transport, struct adopt_address *ret)
{
	return transport->ops->local(transport, ret);
}

int adopt_transport_peer(struct adopt_transport *transport, struct adopt_address *ret)
{
	address_kept(&transport->peer, ret);
	return 0;
}

int adopt_transport_type(const struct adopt_transport *transport)
{
	return transport->records ? SOCK_SEQPACKET : SOCK_STREAM;
}

int adopt_transport_descriptor(const struct adopt_transport *transport)
{
	return transport->ops->descriptor ? transport->ops->descriptor(transport) : -1;
}

struct adopt_reactor *adopt_transport_reactor(const struct adopt_transport *transport)
{
	return transport->reactor;
}

void adopt_port_stop(struct adopt_port **port)
{
	struct adopt_port *gone = *port;

	*port = NULL;
	if (gone)
		gone->ops->stop(gone);
}

void adopt_port_pause(struct adopt_port *port)
{
	port->ops->pause(port);
}

void adopt_port_resume(struct adopt_port *port)
{
	port->ops->resume(port);
}

int adopt_port_local(struct adopt_port *port, struct adopt_address *ret)
{
	return port->ops->local(port, ret);
}

struct adopt_reactor *adopt_port_reactor(const struct adopt_port *port)
{
	return port->reactor;
}

int adopt_port_descriptor(const struct adopt_port *port)
{
	return port->ops->descriptor ? port->ops->descriptor(port) : -1;
}

int adopt_port_send_several(struct adopt_port *port, const struct adopt_address *from,
			    const struct adopt_address *to, const struct adopt_datagram *datagrams,
			    size_t count)
{
	if (!port->ops->send)
		return -EOPNOTSUPP;
	if (count == 0)
		return 0;
	return port->ops->send(port, from && from->length > 0 ? from : NULL, to, datagrams, count);
}

int adopt_port_send_from(struct adopt_port *port, const struct adopt_address *from,
			 const struct adopt_address *to, const void *data, size_t length)
{
	const struct adopt_datagram datagram = {.data = data, .length = length};
	int sent = adopt_port_send_several(port, from, to, &datagram, 1);

	return sent < 0 ? sent : 0;
}

int adopt_port_send(struct adopt_port *port, const struct adopt_address *to, const void *data,
		    size_t length)
{
	return adopt_port_send_from(port, NULL, to, data, length);
}
