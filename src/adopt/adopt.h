/*
 * adopt.h - a reactor for sockets that somebody else created
 *
 * libadopt takes over listening and connected descriptors (from systemd,
 * launchd, a parent process, a UNIX socket), watches them in an event loop and
 * tells protocols what happens. Its three adopt calls are the C form of
 * Twisted's IReactorSocket (the "seed" in the comments below).
 *
 * Rules that hold everywhere:
 *
 * - A function returns 0 or a negative errno value. Outputs come back through
 *   a `ret` parameter, which stays untouched on failure.
 * - An adopted descriptor is duplicated: the caller keeps its own and may close
 *   it as soon as the call returns.
 * - The library never logs, never exits, and never shuts down, unlinks, chmods
 *   or re-listens a socket that it adopted.
 * - A reactor and everything that belongs to it is used from one thread only,
 *   with one exception: adopt_call_from_thread().
 * - Callbacks run in the loop's thread and must not block.
 */
#ifndef ADOPT_H
#define ADOPT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

struct adopt_address;
struct adopt_attachment;
struct adopt_call;
struct adopt_connector;
struct adopt_datagram;
struct adopt_datagram_protocol;
struct adopt_end;
struct adopt_factory;
struct adopt_guest;
struct adopt_lookout;
struct adopt_observer;
struct adopt_port;
struct adopt_protocol;
struct adopt_reactor;
struct adopt_signal;
struct adopt_timer;
struct adopt_transport;
struct adopt_watcher;

/* ------------------------------------------------------------------------
 * Errors
 *
 * The contract's named errors are errno values here:
 *
 *   -EAFNOSUPPORT     UnsupportedAddressFamily: the family is not supported,
 *                     or is not the descriptor's
 *   -ESOCKTNOSUPPORT  UnsupportedSocketType: the socket's type does not fit
 *                     the call
 *   -EBADF            the descriptor is not open
 *   -ENOTSOCK         the descriptor is not a socket
 *   -EINVAL           a stream port's socket is not listening, or a stream
 *                     connection's socket is
 *   -EWOULDBLOCK      the descriptor is blocking: the seed requires it to be
 *                     non-blocking
 *   -ENOTCONN         the peer of a stream connection is already gone
 * ------------------------------------------------------------------------ */

/*
 * Says in words what an error of this library means.
 * error: a negative errno value as returned by a call of this library.
 * Returns a static or thread-local string, never NULL.
 */
const char *adopt_error_text(int error);

/* ------------------------------------------------------------------------
 * Addresses
 * ------------------------------------------------------------------------ */

/* A socket address of any family; `length` 0 means that it is not known. */
struct adopt_address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} name;
};

/* Room for the text of any address, its closing NUL included. */
#define ADOPT_ADDRESS_TEXT_SIZE 448

/*
 * Reads a numeric address: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`,
 * `unix:/path`, `unix:@abstract`, `vsock:CID:PORT`. Names are not resolved. In a
 * UNIX name, `\xNN` is a byte, and a backslash stands for nothing else.
 * text: the address, NUL-terminated.
 * ret: the address.
 * Returns 0; -EINVAL if the text is none of these forms; -ENAMETOOLONG if a
 * UNIX path does not fit; -EAFNOSUPPORT if this system has no such family;
 * -ENODEV if the scope names no interface.
 */
int adopt_address_parse(const char *text, struct adopt_address *ret);

/*
 * Writes an address in the form that adopt_address_parse() reads. An unnamed
 * UNIX address becomes `unix:`, an unknown one `unknown`; bytes of a UNIX name
 * that are not printable ASCII, or would be misread, become `\xNN`.
 * address: the address.
 * buffer, size: where the text goes; it is always NUL-terminated, and cut if
 * size is below ADOPT_ADDRESS_TEXT_SIZE.
 * Returns buffer.
 */
char *adopt_address_format(const struct adopt_address *address, char *buffer, size_t size);

/*
 * Tells whether two addresses name the same endpoint: family, host, port,
 * IPv6 scope, or the bytes of the UNIX name. Unnamed addresses differ from
 * everything.
 */
bool adopt_address_equal(const struct adopt_address *a, const struct adopt_address *b);

/* Returns the address family, AF_UNSPEC where the address is not known. */
int adopt_address_family(const struct adopt_address *address);

/* Returns the port of an IPv4, IPv6 or VSOCK address in host order, else 0. */
unsigned adopt_address_port(const struct adopt_address *address);

/* ------------------------------------------------------------------------
 * Descriptors
 * ------------------------------------------------------------------------ */

/* What a socket is, as the kernel tells it. */
struct adopt_socket_kind {
	int family;     /* AF_INET, ... (SO_DOMAIN) */
	int type;       /* SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM, ... (SO_TYPE) */
	bool listening; /* SO_ACCEPTCONN */
	bool connected; /* getpeername() succeeds */
};

/*
 * Finds out what a descriptor is.
 * fd: any descriptor.
 * ret: its kind.
 * Returns 0; -EBADF; -ENOTSOCK; another negative errno from getsockopt().
 */
int adopt_socket_inspect(int fd, struct adopt_socket_kind *ret);

/*
 * Makes a descriptor fit for adoption: non-blocking and close-on-exec. The
 * former belongs to the open file, so every holder of the socket sees it.
 * Returns 0 or a negative errno from fcntl().
 */
int adopt_descriptor_prepare(int fd);

/*
 * Creates a socket that is fit for adoption, close-on-exec from birth where the
 * system can.
 * family, type: as for socket(2).
 * ret: the descriptor, the caller's.
 * Returns 0 or a negative errno from socket().
 */
int adopt_socket_create(int family, int type, int *ret);

/* Tells whether the reactor can serve sockets of an address family. */
bool adopt_family_supported(int family);

/* ------------------------------------------------------------------------
 * The reactor
 * ------------------------------------------------------------------------ */

/*
 * Creates a reactor that does real I/O, on libevent, whose own messages are
 * silenced: every error comes back as a value.
 * ret: the reactor; free it with adopt_reactor_free().
 * Returns 0; -ENOMEM; -EMFILE or -ENFILE if no descriptors are left.
 */
int adopt_reactor_new(struct adopt_reactor **ret);

/*
 * Frees a reactor. Ports are stopped and their factories and datagram
 * protocols told so, connections are aborted and their protocols told so with
 * -ECANCELED, connectors fail with -ECANCELED, calls that wait are dropped.
 * Must not be called from inside a callback of this reactor.
 * reactor: set to NULL; NULL inside is harmless.
 */
void adopt_reactor_free(struct adopt_reactor **reactor);

/*
 * Runs the loop until adopt_reactor_stop(). It waits even if nothing is left
 * to watch (a call from another thread may come). A stop that came before the
 * run ends it at once. The memory reactor runs the calls that wait and returns.
 * Returns 0; -EBUSY if the loop runs already; a negative errno if the backend
 * fails.
 */
int adopt_reactor_run(struct adopt_reactor *reactor);

/* Makes adopt_reactor_run() return after the present turn of the loop. */
void adopt_reactor_stop(struct adopt_reactor *reactor);

/* Returns a monotonic time in milliseconds; its zero is arbitrary. */
uint64_t adopt_reactor_now_ms(const struct adopt_reactor *reactor);

/* Returns how many ports the reactor has; stopping ones count until they end. */
size_t adopt_reactor_port_count(const struct adopt_reactor *reactor);

/* Returns how many stream connections, inbound and outbound, it has. */
size_t adopt_reactor_connection_count(const struct adopt_reactor *reactor);

/* What happens in a reactor, for whoever counts or logs. All may be NULL. */
struct adopt_observer_ops {
	/*
	 * A port cannot accept (error: -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM), told
	 * once an episode; with error 0: it accepts again.
	 */
	void (*accept_trouble)(struct adopt_observer *observer, struct adopt_port *port, int error);
	/* A connection begins, before its protocol's connection_made. */
	void (*connection_begins)(struct adopt_observer *observer,
				  struct adopt_transport *transport);
	/* A connection has ended, after its protocol's connection_lost. */
	void (*connection_ended)(struct adopt_observer *observer, int error);
	/* A port has stopped, and is not counted any more. */
	void (*port_stopped)(struct adopt_observer *observer);
};

struct adopt_observer {
	const struct adopt_observer_ops *ops;
};

/* Sets the reactor's one observer, or with NULL none. The caller owns it. */
void adopt_reactor_observe(struct adopt_reactor *reactor, struct adopt_observer *observer);

/* ------------------------------------------------------------------------
 * Later: calls and timers
 * ------------------------------------------------------------------------ */

/*
 * A call that is made on a later turn of the loop. It lies in the caller's own
 * struct, so making it cannot fail; it must stay until it has run or has been
 * cancelled. Initialize with `.run`, the rest zero.
 */
struct adopt_call {
	void (*run)(struct adopt_call *call);
	struct adopt_call *next; /* the library's */
	bool waiting;            /* the library's */
};

/*
 * Makes a call on the next turn of the loop, in the order of asking. Asking
 * again while it waits changes nothing.
 */
void adopt_call_soon(struct adopt_reactor *reactor, struct adopt_call *call);

/* Takes back a call that waits; harmless for one that does not. */
void adopt_call_cancel(struct adopt_reactor *reactor, struct adopt_call *call);

/*
 * As adopt_call_soon(), from any thread. The call is in the loop's hands until it runs.
 */
void adopt_call_from_thread(struct adopt_reactor *reactor, struct adopt_call *call);

/*
 * Takes back a call that adopt_call_from_thread() was asked for and that waits. Only in
 * the loop's own thread, and while no other one asks for the call. Harmless for one
 * that does not wait.
 */
void adopt_call_from_thread_cancel(struct adopt_reactor *reactor, struct adopt_call *call);

/*
 * Creates a one-shot timer; it does not run yet.
 * elapsed: called with `context` when the time is over.
 * ret: the timer; free it with adopt_timer_free() before the reactor.
 * Returns 0 or -ENOMEM.
 */
int adopt_timer_new(struct adopt_reactor *reactor, void (*elapsed)(void *context), void *context,
		    struct adopt_timer **ret);

/* Starts a timer, or starts it anew: it elapses once, delay_ms from now. */
void adopt_timer_start(struct adopt_timer *timer, uint64_t delay_ms);

/* Stops a timer; harmless where it does not run. */
void adopt_timer_stop(struct adopt_timer *timer);

/* Stops and frees a timer, from inside its own callback too, and sets it NULL. */
void adopt_timer_free(struct adopt_timer **timer);

/* ------------------------------------------------------------------------
 * Foreign descriptors and signals
 * ------------------------------------------------------------------------ */

struct adopt_watcher_ops {
	void (*readable)(struct adopt_watcher *watcher);
	void (*writable)(struct adopt_watcher *watcher);
};

/*
 * A descriptor of somebody else (a resolver's, a bus's) in the loop. It lies in
 * the caller's own struct; the descriptor is neither duplicated nor closed.
 * Initialize with `.ops` and `.fd`, the rest zero; remove reader and writer
 * before the struct goes away.
 */
struct adopt_watcher {
	const struct adopt_watcher_ops *ops;
	int fd;
	void *reader; /* the library's */
	void *writer; /* the library's */
};

/*
 * Calls ops->readable, or ops->writable, again and again while the descriptor
 * is so. Adding one that is there changes nothing, nor does removing one that
 * is not.
 * The add calls return 0; -ENOMEM; -EBADF if the descriptor is not open; -EMFILE if
 * select() is all there is, and cannot watch it; a negative errno from the backend.
 */
int adopt_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
void adopt_reader_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
int adopt_writer_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
void adopt_writer_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher);

/*
 * Turns a signal into a callback of the loop. One reactor of a process at a
 * time may watch signals.
 * received: called with `context` each time (signals may merge).
 * ret: frees with adopt_signal_free(), which restores the old disposition.
 * Returns 0; -ENOMEM; -EINVAL.
 */
int adopt_signal_new(struct adopt_reactor *reactor, int number, void (*received)(void *context),
		     void *context, struct adopt_signal **ret);
void adopt_signal_free(struct adopt_signal **signal);

/*
 * Somebody with timers, watchers or calls in a reactor that no connection and no port
 * of it will end. It lies in the caller's own struct; initialize with `.leave`, the rest
 * zero.
 */
struct adopt_guest {
	/*
	 * The reactor is being freed, and has neither ports nor connections any more: let
	 * go of everything in it now. The guest is removed already.
	 */
	void (*leave)(struct adopt_guest *guest);
	struct adopt_guest *next;   /* the library's */
	struct adopt_guest **place; /* the library's */
};

/* Add a guest, who is asked to leave when the reactor is freed, and remove it. */
void adopt_guest_add(struct adopt_reactor *reactor, struct adopt_guest *guest);
void adopt_guest_remove(struct adopt_guest *guest);

/* ------------------------------------------------------------------------
 * Streams: factories, protocols, transports
 * ------------------------------------------------------------------------ */

struct adopt_factory_ops {
	/*
	 * The factory's first port starts. May be NULL.
	 * Returns 0, or a negative errno, with which adopting fails.
	 */
	int (*start)(struct adopt_factory *factory);

	/* The factory's last port has stopped. May be NULL. */
	void (*stop)(struct adopt_factory *factory);

	/*
	 * Builds the protocol for one connection.
	 * peer: who connected; `length` 0 or unnamed where nobody knows.
	 * Returns the protocol, which belongs to itself until its connection_lost,
	 * or NULL to have this connection closed.
	 */
	struct adopt_protocol *(*build_protocol)(struct adopt_factory *factory,
						 const struct adopt_address *peer);

	/*
	 * An outbound connection came to nothing. Required for
	 * adopt_connect_stream() only.
	 * error: -ETIMEDOUT, -ECONNREFUSED, ..., -ECONNABORTED where
	 * build_protocol built nothing, -ECANCELED where the reactor is freed.
	 */
	void (*connect_failed)(struct adopt_factory *factory, int error);
};

/* Builds protocols. Put it first in a struct of your own. */
struct adopt_factory {
	const struct adopt_factory_ops *ops;
	unsigned ports; /* the library's: how many ports it serves */
};

struct adopt_protocol_ops {
	/* The connection is there; protocol->transport is set. May be NULL. */
	void (*connection_made)(struct adopt_protocol *protocol);

	/*
	 * Bytes came. On a seqpacket socket: one whole record, perhaps empty.
	 * data: the library's, gone when the callback returns.
	 */
	void (*data_received)(struct adopt_protocol *protocol, const void *data, size_t length);

	/*
	 * Bytes, or the peer's end of file, wait and have not been read. A protocol
	 * that has this looks at them with adopt_transport_peek(), and gets neither
	 * data_received nor read_closed. Comes anew when more has come, not again and
	 * again for what is there. NULL in protocols that read.
	 */
	void (*waiting)(struct adopt_protocol *protocol);

	/*
	 * The peer will send no more; writing goes on working. NULL means: close
	 * the connection, after what is still to be written.
	 */
	void (*read_closed)(struct adopt_protocol *protocol);

	/*
	 * There is room again after a write that returned 1. May be NULL for a
	 * protocol that never writes much.
	 */
	void (*drained)(struct adopt_protocol *protocol);

	/*
	 * The connection is over. Comes exactly once and last, never from inside
	 * another callback of this protocol; transport is no longer valid.
	 * error: 0 after a close, -ECONNABORTED after an abort, -ECANCELED where
	 * the reactor is freed, else what the system said (-ECONNRESET, ...).
	 */
	void (*connection_lost)(struct adopt_protocol *protocol, int error);
};

/* One connection's protocol. Put it first in a struct of your own. */
struct adopt_protocol {
	const struct adopt_protocol_ops *ops;
	struct adopt_transport *transport; /* the library's */
};

/* How many bytes a transport queues before a write returns 1, unless told. */
#define ADOPT_WRITE_BOUND_BYTES 65536

/*
 * Writes without blocking: what the kernel does not take at once is queued and
 * sent later, in order. On a seqpacket socket each call is one record.
 * data, length: copied where they must be kept.
 * Returns 0: taken, and there is room for more; 1: taken, but the bound is
 * reached, so write no more until drained() is called; -ENOBUFS: not taken,
 * since the writer went on past the bound; -EPIPE: not taken, since writing has
 * been shut down or the connection is closing or lost; -ENOMEM: not taken;
 * -EMSGSIZE: a record that the socket cannot carry, not taken.
 */
int adopt_transport_write(struct adopt_transport *transport, const void *data, size_t length);

/* Sets how many bytes may be queued before a write returns 1. At least 1, less than 4 GiB. */
void adopt_transport_set_write_bound(struct adopt_transport *transport, size_t bytes);

/*
 * Tells whether the bound is reached: a write would fail with -ENOBUFS, and
 * drained() will be called. For who takes a connection over (see
 * adopt_transport_hand_to()) and has not seen the writes of before.
 */
bool adopt_transport_full(struct adopt_transport *transport);

/* Returns how many bytes are queued; a record counts a few more than it has. */
size_t adopt_transport_queued(const struct adopt_transport *transport);

/*
 * Stops and restarts reading. A paused transport does not notice its peer's end
 * of file either. Both are harmless twice.
 */
void adopt_transport_pause(struct adopt_transport *transport);
void adopt_transport_resume(struct adopt_transport *transport);

/*
 * Sends an end of file after all that is queued; reading goes on. Once both
 * sides are shut the connection closes by itself. Harmless twice.
 */
void adopt_transport_shutdown_write(struct adopt_transport *transport);

/*
 * Closes the connection after all that is queued has been sent: ends the
 * sending side, waits a bounded time for the peer's end of file while throwing
 * away what still comes (closing with unread bytes would reset the connection
 * and could cost the peer what was sent), closes. A peer that takes nothing for
 * ADOPT_CLOSE_STALL_MS is cut off. No data is received any more; connection_lost
 * comes at the end. Harmless twice.
 */
void adopt_transport_close(struct adopt_transport *transport);

/* How long a closing transport waits: for the peer to take queued bytes, and
 * then for the peer's end of file. */
#define ADOPT_CLOSE_STALL_MS 30000
#define ADOPT_CLOSE_LINGER_MS 2000

/*
 * Ends the connection at once: queued bytes are dropped, and a TCP peer sees a
 * reset. connection_lost(-ECONNABORTED) comes later, never from inside this
 * call. Harmless twice, or after a close.
 */
void adopt_transport_abort(struct adopt_transport *transport);

/*
 * Takes the bare descriptor out of the reactor. The transport is gone, and the
 * protocol, which gets no further callback, is the caller's again.
 * transport: set to NULL on success.
 * ret: the descriptor, the caller's.
 * Returns 0; -EBUSY while bytes are queued; -EPIPE once closing or lost;
 * -EOPNOTSUPP on a transport without a descriptor of its own.
 */
int adopt_transport_detach(struct adopt_transport **transport, int *ret);

/*
 * Takes the bare descriptor out of the reactor, as adopt_transport_detach() does, but
 * leaves the transport there: for a connection that lives on in another process and is
 * counted, and those attached to it wait, until adopt_transport_close() or
 * adopt_transport_abort() ends the transport. Nothing is received any more, nothing can
 * be written, and there is no idle timeout.
 * ret: the descriptor, the caller's.
 * Returns what adopt_transport_detach() returns.
 */
int adopt_transport_take_descriptor(struct adopt_transport *transport, int *ret);

/*
 * Looks at the bytes that wait, and leaves them where they are.
 * buffer, size: where the first of them are copied.
 * ret_length: how many; 0 where none wait.
 * ret_ended: whether the peer will send no more than what waits.
 * Returns 0; -EPIPE once closing or lost; another negative errno from recv(), with
 * which the connection is lost.
 */
int adopt_transport_peek(struct adopt_transport *transport, void *buffer, size_t size,
			 size_t *ret_length, bool *ret_ended);

/*
 * Takes bytes that adopt_transport_peek() has shown, and throws them away.
 * Returns 0; -EINVAL if so many do not wait, in which case some may be gone, or if they
 * are not a whole record where records are kept; -EPIPE once closing or lost; another
 * negative errno from recv().
 */
int adopt_transport_skip(struct adopt_transport *transport, size_t length);

/*
 * Gives the connection to another protocol, which gets all further callbacks;
 * its connection_made is called at once. The old one is the caller's again.
 */
void adopt_transport_hand_to(struct adopt_transport *transport, struct adopt_protocol *protocol);

/*
 * Tell the connection's own and its peer's address. The peer's is the one that
 * it connected with, and stays known after it is gone.
 * Return 0 or a negative errno from getsockname().
 */
int adopt_transport_local(struct adopt_transport *transport, struct adopt_address *ret);
int adopt_transport_peer(struct adopt_transport *transport, struct adopt_address *ret);

/* Sets who the peer is from now on, where a PROXY header tells. Returns 0 or -ENOMEM. */
int adopt_transport_set_peer(struct adopt_transport *transport, const struct adopt_address *peer);

/*
 * Ends the connection when no byte has come or gone for so long: the peer sees a
 * reset, connection_lost gets -ETIMEDOUT. 0, as at first: never.
 * Returns 0 or -ENOMEM.
 */
int adopt_transport_set_idle_timeout(struct adopt_transport *transport, uint64_t timeout_ms);

/* Returns the idle timeout that was set, in milliseconds. A memory transport keeps it,
 * and does not heed it. */
uint64_t adopt_transport_idle_timeout(const struct adopt_transport *transport);

/*
 * Tells how many bytes have been read from the peer, but for those that
 * adopt_transport_skip() threw away, and how many the system has taken to send.
 */
void adopt_transport_bytes(const struct adopt_transport *transport, uint64_t *ret_received,
			   uint64_t *ret_sent);

/*
 * Notes a word about a connection, for whoever lists connections: whom it has been passed
 * on to, for instance.
 * note: outlives the connection, or the next note; NULL, as at first: nothing.
 */
void adopt_transport_set_note(struct adopt_transport *transport, const char *note);

/* Returns what has been noted, or NULL. */
const char *adopt_transport_note(const struct adopt_transport *transport);

/* How a connection has ended. */
struct adopt_end {
	int error;         /* connection_lost's; 0 where detached */
	bool detached;     /* it lives on, in other hands */
	uint64_t received; /* adopt_transport_bytes() */
	uint64_t sent;
};

/*
 * Somebody who wants to know when a connection ends, whichever protocol it then has
 * (who counts, who limits). It lies in the caller's own struct. `ended` is called once,
 * after connection_lost, or when the connection is detached.
 */
struct adopt_attachment {
	void (*ended)(struct adopt_attachment *attachment, const struct adopt_end *end);
	struct adopt_attachment *next; /* the library's */
};
void adopt_transport_attach(struct adopt_transport *transport, struct adopt_attachment *attachment);

/* Returns SOCK_STREAM, or SOCK_SEQPACKET where records are kept. */
int adopt_transport_type(const struct adopt_transport *transport);

/* Returns the descriptor, to ask or set options on; it stays the transport's. -1 for a
 * transport in memory, and for one whose descriptor has been taken. */
int adopt_transport_descriptor(const struct adopt_transport *transport);

/* Returns the reactor that a transport belongs to. */
struct adopt_reactor *adopt_transport_reactor(const struct adopt_transport *transport);

/*
 * Adopts a listening SOCK_STREAM or SOCK_SEQPACKET socket: accepts its clients,
 * in batches, and builds a protocol for each. (seed: adoptStreamPort)
 * fd: bound, listening, non-blocking; duplicated, the caller closes its own.
 * family: its address family, or AF_UNSPEC to find it from the descriptor.
 * factory: the caller's; must outlive the port and the connections it built.
 * ret: the port, the reactor's; may be NULL where nobody wants to stop it.
 * Returns 0; the errors named on top of this file, of which -EAFNOSUPPORT is
 * judged first; -EMFILE; -ENOMEM; what factory->start returned.
 */
int adopt_stream_port(struct adopt_reactor *reactor, int fd, int family,
		      struct adopt_factory *factory, struct adopt_port **ret);

/*
 * Adopts a connected SOCK_STREAM or SOCK_SEQPACKET socket. The factory's start
 * and stop are not called; connection_made runs before this returns. (seed:
 * adoptStreamConnection)
 * fd: connected, non-blocking; duplicated, the caller closes its own.
 * family: its address family, or AF_UNSPEC.
 * factory: the caller's; needed during the call only, as far as the library goes.
 * Returns 0; the errors named on top of this file, of which -EAFNOSUPPORT is
 * judged first; -ECONNABORTED if the factory built nothing; -EMFILE; -ENOMEM.
 */
int adopt_stream_connection(struct adopt_reactor *reactor, int fd, int family,
			    struct adopt_factory *factory);

/*
 * Connects to a stream address without blocking. On success the factory builds
 * the protocol, with the address connected to as its peer; else its
 * connect_failed is called. Neither happens before this returns. start and stop
 * are not called.
 * address: IPv4, IPv6, UNIX or VSOCK.
 * type: SOCK_STREAM or SOCK_SEQPACKET.
 * timeout_ms: how long it may take; 0 leaves it to the system.
 * factory: the caller's, until one of the two callbacks.
 * ret: to cancel it with, valid until one of the two callbacks; may be NULL.
 * Returns 0; -EAFNOSUPPORT; -ESOCKTNOSUPPORT; -EMFILE; -ENOMEM. What connect()
 * itself says at once arrives by connect_failed.
 */
int adopt_connect_stream(struct adopt_reactor *reactor, const struct adopt_address *address,
			 int type, uint64_t timeout_ms, struct adopt_factory *factory,
			 struct adopt_connector **ret);

/* Gives up connecting; neither callback will come. Sets it NULL; NULL inside is
 * harmless. */
void adopt_connector_cancel(struct adopt_connector **connector);

/* ------------------------------------------------------------------------
 * Joining
 * ------------------------------------------------------------------------ */

/* What a join has done, told at its end. */
struct adopt_join_result {
	uint64_t bytes_from[2]; /* delivered from a to b, and from b to a */
	int error;              /* 0, or why the first of the two was lost */
};

/*
 * Makes two transports one pipe, both ways, until both ends are done: bytes
 * (records, on seqpacket sockets) go across in order, a slow side pauses the
 * other, half-closes are passed on, and so is a reset. Little is copied; between
 * sockets of bytes, much is moved by the kernel where it can. Memory is bounded by
 * the two write bounds, or by what a pipe holds, and there only while bytes wait.
 * Both transports' protocols are replaced: the old ones are the caller's again. Both
 * transports start reading, and nobody else writes to them.
 * half_close_timeout_ms: once one end has sent its end of file, both connections
 * are lost when the other has neither sent nor taken a byte for so long; 0: never.
 * finished: called once with `context` when both connections are lost, on a
 * later turn of the loop.
 * Returns 0 or -ENOMEM, in which case nothing has changed.
 */
int adopt_join(struct adopt_transport *a, struct adopt_transport *b, uint64_t half_close_timeout_ms,
	       void (*finished)(void *context, const struct adopt_join_result *result),
	       void *context);

/* ------------------------------------------------------------------------
 * Ports
 * ------------------------------------------------------------------------ */

/*
 * Stops a port: it accepts or receives no more. It ends on a later turn of the
 * loop, when its duplicate is closed and the factory's or the datagram
 * protocol's stop is called. The socket itself is not shut down: another holder
 * still accepts or receives. Connections live on.
 * port: set to NULL; NULL inside is harmless.
 */
void adopt_port_stop(struct adopt_port **port);

/* Stop and restart accepting or receiving; the kernel's queue holds the rest. */
void adopt_port_pause(struct adopt_port *port);
void adopt_port_resume(struct adopt_port *port);

/* Tells the port's own address. Returns 0 or a negative errno. */
int adopt_port_local(struct adopt_port *port, struct adopt_address *ret);

/* Returns the reactor that a port belongs to. */
struct adopt_reactor *adopt_port_reactor(const struct adopt_port *port);

struct adopt_lookout_ops {
	/*
	 * A client to be accepted, or a datagram, waits. Comes again and again while
	 * that is so: whoever has another process take it pauses the port.
	 */
	void (*waiting)(struct adopt_lookout *lookout);

	/* The port has stopped; it is no longer valid. May be NULL. */
	void (*stop)(struct adopt_lookout *lookout);
};

/* Looks out for who waits at a port. Put it first in a struct of your own. */
struct adopt_lookout {
	const struct adopt_lookout_ops *ops;
	struct adopt_port *port; /* the library's */
};

/*
 * Adopts a listening socket, or one for datagrams, without ever taking anything from
 * it: for who gives the socket itself to another process.
 * fd: blocking or not; duplicated, the caller closes its own.
 * family: its address family, or AF_UNSPEC.
 * lookout: the caller's; must outlive the port.
 * ret: the port, the reactor's; may be NULL.
 * Returns 0; the errors named on top of this file but for -EWOULDBLOCK, of which
 * -EAFNOSUPPORT is judged first; -EMFILE; -ENOMEM.
 */
int adopt_watched_port(struct adopt_reactor *reactor, int fd, int family,
		       struct adopt_lookout *lookout, struct adopt_port **ret);

/* Returns a watched port's descriptor, which stays the port's. -1 for other ports, and
 * for those of a reactor for tests. */
int adopt_port_descriptor(const struct adopt_port *port);

/* ------------------------------------------------------------------------
 * Datagrams
 * ------------------------------------------------------------------------ */

/* How many datagrams come, or go, at a time. */
#define ADOPT_DATAGRAMS_MAX 64

/* A datagram that came. */
struct adopt_datagram {
	const void *data; /* the library's, gone when the callback returns */
	size_t length;
	const struct adopt_address *peer;  /* who sent it, its scope id included */
	const struct adopt_address *local; /* whom it was sent to; `length` 0: not known */
	bool truncated;                    /* it was longer, and has been cut */
};

struct adopt_datagram_protocol_ops {
	/* The port starts; protocol->port is set. May be NULL. */
	void (*start)(struct adopt_datagram_protocol *protocol);

	/* A datagram came. May be NULL where the next one is not. */
	void (*datagram_received)(struct adopt_datagram_protocol *protocol,
				  const struct adopt_datagram *datagram);

	/*
	 * Datagrams came, the first of them first, and none waits in the library: a port that
	 * is paused or stopped meanwhile has told all that it received. May be NULL: then
	 * each is received, and told, when the one before it has been.
	 * count: 1 to ADOPT_DATAGRAMS_MAX.
	 */
	void (*datagrams_received)(struct adopt_datagram_protocol *protocol,
				   const struct adopt_datagram *datagrams, size_t count);

	/* On a connected socket: the peer refused an earlier datagram. May be NULL. */
	void (*connection_refused)(struct adopt_datagram_protocol *protocol);

	/* Receiving failed in another way; the port lives on. May be NULL. */
	void (*failed)(struct adopt_datagram_protocol *protocol, int error);

	/* The port has stopped; it is no longer valid. May be NULL. */
	void (*stop)(struct adopt_datagram_protocol *protocol);
};

/* One datagram port's protocol. Put it first in a struct of your own. */
struct adopt_datagram_protocol {
	const struct adopt_datagram_protocol_ops *ops;
	struct adopt_port *port; /* the library's */
};

/* The largest datagram taken where nothing else is asked for. */
#define ADOPT_MAX_PACKET_SIZE 8192

/*
 * Adopts a bound, or connected, SOCK_DGRAM socket. (seed: adoptDatagramPort)
 * fd: non-blocking; duplicated, the caller closes its own.
 * family: its address family, or AF_UNSPEC.
 * protocol: the caller's; must outlive the port.
 * max_packet_size: in bytes; longer datagrams are cut to it; 0 means
 * ADOPT_MAX_PACKET_SIZE.
 * ret: the port, the reactor's; may be NULL.
 * Returns 0; the errors named on top of this file, of which -EAFNOSUPPORT is
 * judged first; -EMFILE; -ENOMEM.
 */
int adopt_datagram_port(struct adopt_reactor *reactor, int fd, int family,
			struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			struct adopt_port **ret);

/*
 * Send one datagram at once; nothing is queued.
 * from: which of the host's addresses it comes from, on a port that is bound to all
 * of them: an answer comes from the address that was asked, as the datagram told it.
 * NULL or `length` 0: the system chooses. Not looked at on other ports.
 * to: where to; NULL on a connected socket.
 * Return 0; -EAFNOSUPPORT if the address is of another family than the port;
 * -EDESTADDRREQ without an address on an unconnected socket; -EAGAIN if the
 * kernel's buffer is full; -EMSGSIZE; -EPIPE once stopped; -EOPNOTSUPP on a port that is
 * not for datagrams; another negative errno from sendmsg().
 */
int adopt_port_send(struct adopt_port *port, const struct adopt_address *to, const void *data,
		    size_t length);
int adopt_port_send_from(struct adopt_port *port, const struct adopt_address *from,
			 const struct adopt_address *to, const void *data, size_t length);

/*
 * Sends several datagrams to one peer, in order and at once, with as few calls to the system
 * as it takes.
 * from, to: as above.
 * datagrams: `data` and `length` of each; so what came goes on as it is.
 * Returns how many of the first were sent: if not all, call again with the rest. Else a
 * negative errno, as above, which is the first one's alone: the rest may go without it.
 * Where a connected socket's peer refuses an earlier one between two of these, that may be
 * told only with what it refuses next.
 */
int adopt_port_send_several(struct adopt_port *port, const struct adopt_address *from,
			    const struct adopt_address *to, const struct adopt_datagram *datagrams,
			    size_t count);

/*
 * Tells a protocol of datagrams by that of its callbacks which it has: for who passes on what
 * its own port received.
 */
void adopt_datagrams_tell(struct adopt_datagram_protocol *protocol,
			  const struct adopt_datagram *datagrams, size_t count);

/* ------------------------------------------------------------------------
 * Reactors for tests (seed: MemoryReactor, RaisingMemoryReactor)
 *
 * They do no I/O: descriptors are recorded and not looked at. They record what
 * they are asked (but not what a raising reactor refused), keep a clock that only
 * a test moves, and hand out ports and transports in memory.
 *
 * What adopt.h promises for a later turn of the loop (the end of a port, every
 * connection_lost) happens in adopt_reactor_run() or adopt_memory_advance(),
 * which both go on until no call waits; all other callbacks happen inside the
 * call that causes them. A readiness is told by calling watcher->ops.
 * ------------------------------------------------------------------------ */

/* An adopted port, as it was asked for. */
struct adopt_memory_port {
	int fd;
	int family;
	struct adopt_factory *factory;            /* a stream port's, else NULL */
	struct adopt_datagram_protocol *protocol; /* a datagram port's, else NULL */
	struct adopt_lookout *lookout;            /* a watched port's, else NULL */
	size_t max_packet_size;                   /* 0 but for a datagram port */
	bool paused;
	struct adopt_port *port; /* what was handed out, NULL once it has ended */
};

/* An adopted connection, as it was asked for. */
struct adopt_memory_connection {
	int fd;
	int family;
	struct adopt_factory *factory;
};

/* An outbound connect, as it was asked for. */
struct adopt_memory_connect {
	struct adopt_address address;
	int type;
	uint64_t timeout_ms;
	struct adopt_factory *factory;
	bool done; /* succeeded, failed, or cancelled */
};

/*
 * Creates a memory reactor. Its ports have fixed addresses: 192.0.2.1:80,
 * [2001:db8::1]:80, unix:/run/memory.sock, vsock:2:80. Returns 0 or -ENOMEM.
 */
int adopt_memory_reactor_new(struct adopt_reactor **ret);

/*
 * Creates a memory reactor in which adopting a stream port or a watched port fails with
 * listen_error, and adopting a connection or a datagram port, and connecting,
 * with connect_error (both negative errno values). Returns 0 or -ENOMEM.
 */
int adopt_raising_memory_reactor_new(int listen_error, int connect_error,
				     struct adopt_reactor **ret);

/*
 * Tell what a memory reactor has recorded, oldest first.
 * ret: an array of the reactor's, valid until its next record.
 * Return its length.
 */
size_t adopt_memory_ports(struct adopt_reactor *reactor, const struct adopt_memory_port **ret);
size_t adopt_memory_connections(struct adopt_reactor *reactor,
				const struct adopt_memory_connection **ret);
size_t adopt_memory_connects(struct adopt_reactor *reactor,
			     const struct adopt_memory_connect **ret);
size_t adopt_memory_readers(struct adopt_reactor *reactor, struct adopt_watcher *const **ret);
size_t adopt_memory_writers(struct adopt_reactor *reactor, struct adopt_watcher *const **ret);

/*
 * Runs the calls that wait, then moves the clock by `ms`, running each timer in
 * its order as it falls due, and the calls that these ask for. Not to be called
 * from inside a callback of the loop. adopt_reactor_stop() does not end it.
 */
void adopt_memory_advance(struct adopt_reactor *reactor, uint64_t ms);

/* Tells whether adopt_reactor_stop() waits for a run that it ends. */
bool adopt_memory_stopping(const struct adopt_reactor *reactor);

/* Lets a signal come. Returns whether anybody watches it. */
bool adopt_memory_signal(struct adopt_reactor *reactor, int number);

/*
 * Ends a recorded connect: with 0 it succeeds (the factory builds a protocol on
 * a memory transport), with a negative errno it fails. One that is left alone
 * fails with -ETIMEDOUT when the clock passes its timeout.
 * index: its place in adopt_memory_connects().
 * ret: the transport; may be NULL; untouched unless it succeeds.
 * Returns 0; -ENOENT for no such open connect; -ECONNABORTED if the factory
 * built nothing, or -ENOMEM, both of which its connect_failed was told.
 */
int adopt_memory_connect_finish(struct adopt_reactor *reactor, size_t index, int error,
				struct adopt_transport **ret);

/*
 * Makes a connection in memory: the factory builds the protocol as for an
 * accepted client.
 * local, peer: its addresses; NULL for fixed ones (192.0.2.1:80, 192.0.2.2:1024).
 * ret: the transport, valid until connection_lost.
 * Returns 0; -ECONNABORTED if the factory built nothing; -ENOMEM; -ECANCELED
 * while the reactor is freed.
 */
int adopt_memory_transport_new(struct adopt_reactor *reactor, struct adopt_factory *factory,
			       const struct adopt_address *local, const struct adopt_address *peer,
			       struct adopt_transport **ret);

/*
 * Lets the peer of a memory transport send bytes, or an end of file. Where the protocol
 * only looks at them, they wait, and come to the one that it hands over to, on a later
 * turn.
 * data, length: told to the protocol in a copy of just this size, so that memory
 * checkers see a protocol that reads past it or keeps it.
 * Return 0; -EAGAIN while reading is paused; -EPIPE once closing or lost, or
 * after the end of file; -ENOMEM.
 */
int adopt_memory_deliver(struct adopt_transport *transport, const void *data, size_t length);
int adopt_memory_deliver_eof(struct adopt_transport *transport);

/*
 * Tells what the protocol wrote and nobody has taken yet.
 * ret: bytes of the transport's, valid until the next call on it.
 * Returns how many.
 */
size_t adopt_memory_written(struct adopt_transport *transport, const void **ret);

/*
 * Lets the peer take the first `length` bytes of what was written; drained()
 * and a waiting close follow as on a real transport.
 */
void adopt_memory_take(struct adopt_transport *transport, size_t length);

/* Tells whether the protocol has shut down writing, or closed. */
bool adopt_memory_write_shut(const struct adopt_transport *transport);

/* Tells whether the protocol has paused reading. */
bool adopt_memory_paused(const struct adopt_transport *transport);

/*
 * Loses a memory transport with an error, as a reset by the peer would; what was
 * written and not taken is dropped. Harmless once it is lost.
 */
void adopt_memory_lose(struct adopt_transport *transport, int error);

/*
 * Lets a datagram come in on a memory datagram port, sent to the port's own address
 * and cut to its max_packet_size.
 * peer: who sent it.
 * Returns 0; -EAGAIN while the port is paused; -EPIPE once it is stopped;
 * -ENOMEM.
 */
int adopt_memory_datagram(struct adopt_port *port, const struct adopt_address *peer,
			  const void *data, size_t length);

/*
 * Has somebody wait at a memory watched port, once. Returns 0; -EAGAIN while the port is
 * paused; -EPIPE once it is stopped.
 */
int adopt_memory_waiting(struct adopt_port *port);

/* A datagram that was sent on a memory datagram port. */
struct adopt_memory_sent {
	struct adopt_address from; /* length 0 where none was given */
	struct adopt_address to;   /* likewise */
	const void *data;
	size_t length;
};

/*
 * Tells what was sent on a memory datagram port, oldest first.
 * ret: an array of the port's, valid until the next send.
 * Returns its length.
 */
size_t adopt_memory_sent(struct adopt_port *port, const struct adopt_memory_sent **ret);

#ifdef __cplusplus
}
#endif

#endif
