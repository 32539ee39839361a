/*
 * The hand-over: a new adoptd takes the place of this one.
 *
 * It is started and gets every descriptor that this one accepts on. When it has adopted all
 * it says so, and waits: only when this one has told it to go on does it accept, and this
 * one drains. Until then nothing has changed, so that a new one that fails costs nothing.
 */
#include "control_socket.h"
#include "notify.h"
#include "parcel.h"
#include "server_parts.h"
#include "successor.h"
#include "support/fd_socket.h"
#include "support/pipe.h"
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A path, and what the system says about it. */
#define WHY_BYTES (PATH_MAX + 256)

#define LENT "a program has a socket for itself (exec with `wait`), and is to end first"

/* One that is under way. */
struct handover {
	struct adopt_watcher watcher; /* first */
	int fd;                       /* of the socket to the new adoptd */
	struct server *server;
	struct parcel parcel;
	pid_t pid; /* of the new adoptd */
	struct adopt_timer *timer;
	bool reload_after; /* it was asked for meanwhile */
};

/* --- its end --- */

/* As long as it holds its end of the socket, its number is its own. */
static void kill_if_alive(const struct handover *handover)
{
	char bytes[256];
	ssize_t length;

	if (handover->pid <= 1)
		return;
	do
		length = recv(handover->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	while (length > 0);
	if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		kill(handover->pid, SIGKILL);
}

static void end(struct handover *handover)
{
	struct adopt_reactor *reactor = handover->server->reactor;

	handover->server->handover = NULL;
	adopt_reader_remove(reactor, &handover->watcher);
	adopt_writer_remove(reactor, &handover->watcher);
	adopt_timer_free(&handover->timer);
	parcel_done(&handover->parcel);
	if (handover->fd >= 0)
		close(handover->fd);
	free(handover);
}

static void fail(struct handover *handover, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct handover *handover, const char *format, ...)
{
	struct server *server = handover->server;
	bool reload = handover->reload_after;
	char why[WHY_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	log_error("handing over failed, this adoptd goes on: %s", why);
	kill_if_alive(handover);
	end(handover);
	control_socket_restore(server->setup->config, &server->setup->control);
	notify_status("Handing over failed, this adoptd goes on; see the log");
	server_await_idle(server);
	if (reload)
		server_reload_asked(server);
}

static void overdue(void *handover)
{
	fail(handover, "the new adoptd is not ready within %d seconds", HANDOVER_TIMEOUT_MS / 1000);
}

void server_call_off_hand_over(struct server *server)
{
	if (!server->handover)
		return;
	log_notice("the hand-over is called off");
	kill_if_alive(server->handover);
	end(server->handover);
}

/* Tells whether a program has a socket for itself (exec with `wait`): it has been made
 * blocking for it, which it is for whoever has it. */
static bool is_lent(const struct server *server)
{
	const struct plan *plan = server->setup->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].role != PLAN_STREAM_CONNECTION &&
		    !(fcntl(plan->entries[i].fd, F_GETFL) & O_NONBLOCK))
			return true;
	return false;
}

/* --- what is said --- */

static int say_go(int fd)
{
	struct fd_message *message = malloc(sizeof *message);
	size_t sent = 0;
	int error;

	if (!message)
		return -ENOMEM;
	fd_message_begin(message, FD_MESSAGE_GO);
	error = fd_socket_send(fd, message, &sent);
	free(message);
	return error;
}

/* The supervisor takes word from the service's main process only, and in the order that it
 * was given: so it is told first, by this one, and the new one speaks when it may go on. */
static void succeed(struct handover *handover, int64_t pid)
{
	struct server *server = handover->server;
	int error;

	if (is_lent(server)) {
		fail(handover, "%s", LENT);
		return;
	}
	notify_main_pid(pid, "Handing over");
	error = say_go(handover->fd);
	if (error < 0) {
		notify_main_pid(getpid(), "Handing over failed");
		fail(handover, "%s", strerror(-error));
		return;
	}
	log_notice("process %" PRId64 " has taken over; draining", pid);
	notify_silence(true);
	watchdog_stop(server->watchdog);
	if (handover->reload_after)
		kill((pid_t)pid, SIGHUP);
	server->successor_fd = handover->fd;
	handover->fd = -1;
	end(handover);
	elders_forget(&server->elders); /* that one has them now */
	server->handed_over = true;
	listen_leave_paths(&server->setup->plan->opened, true);
	listen_leave_paths(&server->setup->control, true);
	control_close(server->control);
	server_drain(server, server->setup->config->drain_timeout_ms);
}

static void hear(struct handover *handover, const struct fd_received *received)
{
	struct fd_message_sender sender;

	if (received->header.kind != FD_MESSAGE_READY)
		return; /* a later version's; it may be left */
	if (fd_message_read_sender(received->body, received->header.body_bytes, &sender) < 0 ||
	    sender.pid <= 1 || sender.pid > INT_MAX ||
	    handover->parcel.next < handover->parcel.count)
		fail(handover, "what the new adoptd says makes no sense");
	else
		succeed(handover, sender.pid);
}

static void readable(struct adopt_watcher *watcher)
{
	struct handover *handover = (struct handover *)watcher;
	struct fd_received received;
	int error = fd_socket_receive(handover->fd, 0, &received);

	if (error < 0) {
		fail(handover, "%s",
		     error == -ECONNRESET ? "the new adoptd has ended" : strerror(-error));
		return;
	}
	hear(handover, &received);
	fd_received_done(&received);
}

static void writable(struct adopt_watcher *watcher)
{
	struct handover *handover = (struct handover *)watcher;
	int error = parcel_send(&handover->parcel, handover->fd);

	if (error == -EAGAIN)
		return;
	adopt_writer_remove(handover->server->reactor, watcher);
	/* That it is gone is read as well, and told there. */
	if (error < 0 && error != -EPIPE)
		fail(handover, "%s", strerror(-error));
}

static const struct adopt_watcher_ops watcher_ops = {.readable = readable, .writable = writable};

/* --- its beginning --- */

/* These end, or start anew, what they have started when the process ends that they know. */
static bool is_from(const struct server *server, const char *giver)
{
	for (size_t i = 0; i < server->list->count; i++)
		if (strcmp(server->list->items[i].source, giver) == 0)
			return true;
	return false;
}

const char *server_why_never_hands_over(const struct server *server)
{
	if (!server_has_ports(server))
		return "this adoptd has no ports, only connections, which end with it";
	if (!server->program->path)
		return "the program's path is not known";
	if (server->list->under_einhorn)
		return "Einhorn starts the next adoptd itself";
	if (is_from(server, "inetd") || is_from(server, "launchd") ||
	    is_from(server, "server-starter") || is_from(server, "upstart"))
		return "what has started this process knows no other, and starts one when it ends";
	if (getpid() == 1)
		return "this adoptd is process 1, and all others end with it";
	return NULL;
}

static const char *why_not(const struct server *server)
{
	const char *started_by_systemd = getenv("SYSTEMD_EXEC_PID");
	const char *why = server_why_never_hands_over(server);

	if (server->state != SERVER_SERVING)
		return "this adoptd is draining";
	if (server->handover)
		return "a hand-over is under way";
	if (why)
		return why;
	if (is_lent(server))
		return LENT;
	if (started_by_systemd && atol(started_by_systemd) == getpid() && !notify_wanted())
		return "systemd would end the new adoptd with this one; the unit needs Type=notify";
	return sandbox_why_alone(&server->sandbox);
}

/* The new process, and the socket to it. */
static int start(struct handover *handover)
{
	const struct program *program = handover->server->program;
	struct starter **starter = &handover->server->sandbox.starter;
	int ends[2], error = pipe_open_sockets(SOCK_STREAM, ends);

	if (error < 0)
		return error;
	handover->fd = handover->watcher.fd = ends[0];
	error = *starter ? starter_start(starter, ends[1], &handover->pid)
			 : successor_start(program, ends[1], &handover->pid);
	close(ends[1]);
	return error;
}

static int watch(struct handover *handover)
{
	struct adopt_reactor *reactor = handover->server->reactor;
	int error = adopt_timer_new(reactor, overdue, handover, &handover->timer);

	if (error == 0)
		error = adopt_writer_add(reactor, &handover->watcher);
	if (error == 0)
		error = adopt_reader_add(reactor, &handover->watcher);
	if (error == 0)
		adopt_timer_start(handover->timer, HANDOVER_TIMEOUT_MS);
	return error;
}

static int begin(struct server *server)
{
	const char *path = server->program->path;
	struct handover *handover = calloc(1, sizeof *handover);
	int error;

	if (!handover)
		return -ENOMEM;
	*handover = (struct handover){
		.watcher.ops = &watcher_ops, .fd = -1, .server = server, .pid = -1};
	server->handover = handover;
	error = parcel_pack(server->list, &server->setup->plan->opened, &server->setup->control,
			    &server->elders, &handover->parcel);
	if (error == 0)
		error = start(handover);
	if (error == 0)
		error = watch(handover);
	if (error < 0) {
		fail(handover, "cannot start %s: %s", path, spawn_error_text(error));
		return error;
	}
	log_info("handing over to process %ld, %s", (long)handover->pid, path);
	notify_status("Handing over");
	return 0;
}

int server_hand_over(struct server *server)
{
	const char *why = why_not(server);

	if (why) {
		log_warning("not handing over: %s", why);
		return -EBUSY;
	}
	return begin(server);
}

bool server_reload_after_hand_over(struct server *server)
{
	if (!server->handover)
		return false;
	log_info("reloading after the hand-over");
	server->handover->reload_after = true;
	return true;
}
