#include "exec_process.h"

#include "exec_start.h"
#include "exit_descriptor.h"
#include "stderr_log.h"
#include "support/log.h"
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a process group has between being asked to end and being killed. */
#define GRACE_MS 5000

/* How long it is listened to whom a process has left behind with its stderr. */
#define AFTERLIFE_MS 1000

enum stage {
	RUNNING,
	ASKED_TO_END,
	KILLED,
	OVER, /* it has been waited for: its number is no longer its own */
};

struct exec_process {
	struct adopt_guest guest;
	struct roll_entry entry;
	bool listed;
	char note[16];             /* its number as text */
	struct adopt_watcher exit; /* readable once it has ended */
	const struct exec_settings *settings;
	struct host *host;
	struct adopt_timer *timer;                 /* of the present stage */
	struct stderr_log *log;                    /* NULL: nobody is left to say anything */
	void (*ended)(void *context, bool failed); /* NULL: nobody wants to know */
	void *context;
	enum stage stage;
	bool exited; /* waited for or not */
	pid_t pid;
	uint64_t begun_ms;
};

static struct adopt_reactor *reactor_of(const struct exec_process *process)
{
	return process->host->reactor;
}

/* Never after it has been waited for: the number may be another's by then. */
static void signal_group(const struct exec_process *process, int number)
{
	if (process->stage != OVER && kill(-process->pid, number) < 0 && errno != ESRCH)
		log_warning("exec: %s[%d]: cannot be told to end: %s", process->settings->name,
			    (int)process->pid, strerror(errno));
}

static void release(struct exec_process *process)
{
	adopt_reader_remove(reactor_of(process), &process->exit);
	if (process->exit.fd >= 0)
		close(process->exit.fd);
	stderr_log_free(&process->log);
	adopt_timer_free(&process->timer);
	free(process);
}

static void unlist(struct exec_process *process)
{
	if (process->listed)
		host_leave(process->host, &process->entry);
	process->listed = false;
}

static void let_go(struct exec_process *process)
{
	const struct exec_settings *settings = process->settings;
	struct host *host = process->host;

	unlist(process);
	release(process);
	slots_give(settings->processes);
	host_work_end(host);
}

static void finish(struct exec_process *process)
{
	adopt_guest_remove(&process->guest);
	let_go(process);
}

/* The reactor ends: nobody will see to the process any more. */
static void leave(struct adopt_guest *guest)
{
	struct exec_process *process = (struct exec_process *)guest;

	if (process->stage == RUNNING)
		signal_group(process, SIGTERM);
	let_go(process);
}

static void wait_for(struct exec_process *process)
{
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	process->stage = OVER;
	if (process->log)
		adopt_timer_start(process->timer, AFTERLIFE_MS);
	else
		finish(process);
}

static void ask_to_end(struct exec_process *process)
{
	signal_group(process, SIGTERM);
	process->stage = ASKED_TO_END;
	adopt_timer_start(process->timer, GRACE_MS);
}

static void elapsed(void *context)
{
	struct exec_process *process = context;

	switch (process->stage) {
	case RUNNING:
		log_info("exec: %s[%d]: its time is over", process->settings->name,
			 (int)process->pid);
		ask_to_end(process);
		break;
	case ASKED_TO_END:
		signal_group(process, SIGKILL);
		process->stage = KILLED;
		if (process->exited)
			wait_for(process);
		break;
	case KILLED:
		break;
	case OVER:
		finish(process);
		break;
	}
}

/* Returns whether it has failed. */
static bool tell_end(const struct exec_process *process)
{
	uint64_t ran_ms = adopt_reactor_now_ms(reactor_of(process)) - process->begun_ms;
	bool by_signal;
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	by_signal = info.si_code != CLD_EXITED;
	log_debug("exec: %s[%d]: ended %s %d after %" PRIu64 " ms", process->settings->name,
		  (int)process->pid, by_signal ? "by signal" : "with code", info.si_status, ran_ms);
	return by_signal || info.si_status != 0;
}

/* One that was asked to end keeps its number until the grace of its group is over. */
static void has_exited(struct adopt_watcher *watcher)
{
	struct exec_process *process =
		(struct exec_process *)((char *)watcher - offsetof(struct exec_process, exit));
	void (*ended)(void *, bool) = process->ended;
	void *context = process->context;
	bool failed = tell_end(process);

	adopt_reader_remove(reactor_of(process), &process->exit);
	unlist(process);
	process->exited = true;
	process->ended = NULL;
	if (process->stage != ASKED_TO_END)
		wait_for(process);
	if (ended)
		ended(context, failed);
}

static const struct adopt_watcher_ops exit_ops = {.readable = has_exited};

static void log_closed(void *context)
{
	struct exec_process *process = context;

	stderr_log_free(&process->log);
	if (process->stage == OVER)
		finish(process);
}

/* Opens what the process has as its stderr. */
static int open_stderr(struct exec_process *process, int *ret)
{
	int fd;

	if (process->settings->log_stderr)
		return stderr_log_new(reactor_of(process), process->settings->name, log_closed,
				      process, ret, &process->log);
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

/* A process whose end nobody would hear of is not to run. */
static int attend(struct exec_process *process)
{
	int error = exit_descriptor_open(process->pid, &process->exit.fd);

	if (error == 0)
		error = adopt_reader_add(reactor_of(process), &process->exit);
	if (error == 0 && process->log)
		error = stderr_log_listen(process->log, process->pid);
	if (error == 0)
		return 0;
	signal_group(process, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return error;
}

static int begin(struct exec_process *process, const struct exec_process_order *order,
		 const char **ret_failed)
{
	int stderr_fd = -1, error;

	*ret_failed = "make room for it";
	error = adopt_timer_new(reactor_of(process), elapsed, process, &process->timer);
	if (error < 0)
		return error;
	*ret_failed = "open its stderr";
	error = open_stderr(process, &stderr_fd);
	if (error < 0)
		return error;
	error = exec_start(order, stderr_fd, &process->pid, ret_failed);
	close(stderr_fd);
	if (error < 0)
		return error;
	*ret_failed = "watch its process";
	return attend(process);
}

static void look(struct roll_entry *entry, struct roll_sight *ret)
{
	const struct exec_process *process =
		(const struct exec_process *)((char *)entry - offsetof(struct exec_process, entry));
	const struct handler_settings *settings = &process->settings->base;

	*ret = (struct roll_sight){
		.kind = "process",
		.port = settings->port_name,
		.route = settings->route,
		.handler = settings->handler->name,
		.note = process->note,
	};
}

static void abort_entry(struct roll_entry *entry)
{
	exec_process_stop(
		(struct exec_process *)((char *)entry - offsetof(struct exec_process, entry)));
}

static const struct roll_ops roll_ops = {.look = look, .abort = abort_entry};

static void list(struct exec_process *process)
{
	snprintf(process->note, sizeof process->note, "pid %d", (int)process->pid);
	process->entry.ops = &roll_ops;
	process->listed = true;
	host_enter(process->host, &process->entry);
}

static void tell_start(const struct exec_process *process, const struct adopt_address *peer)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE] = "the port";

	if (peer)
		adopt_address_format(peer, text, sizeof text);
	log_debug("exec: %s[%d]: serves %s", process->settings->name, (int)process->pid, text);
}

static void tell_trouble(const struct exec_process_order *order, const char *failed, int error)
{
	const char *name = order->settings->command[0];

	if (order->trouble->told == (error < 0))
		return;
	order->trouble->told = error < 0;
	if (error < 0)
		log_warning("exec: %s: cannot %s: %s", name, failed, spawn_error_text(error));
	else
		log_notice("exec: %s can be started again", name);
}

int exec_process_start(const struct exec_process_order *order, struct exec_process **ret)
{
	struct exec_process *process = calloc(1, sizeof *process);
	const char *failed = "";
	int error;

	if (!process)
		return -ENOMEM;
	*process = (struct exec_process){
		.guest = {.leave = leave},
		.exit = {.ops = &exit_ops, .fd = -1},
		.settings = order->settings,
		.host = order->host,
		.ended = order->ended,
		.context = order->context,
		.begun_ms = adopt_reactor_now_ms(order->host->reactor),
	};
	error = begin(process, order, &failed);
	tell_trouble(order, failed, error);
	if (error < 0) {
		release(process);
		return error;
	}
	adopt_guest_add(reactor_of(process), &process->guest);
	host_work_begin(process->host);
	if (!order->peer)
		list(process);
	if (log_wants(LOG_LEVEL_DEBUG))
		tell_start(process, order->peer);
	if (order->settings->timeout_ms > 0)
		adopt_timer_start(process->timer, order->settings->timeout_ms);
	*ret = process;
	return 0;
}

pid_t exec_process_pid(const struct exec_process *process)
{
	return process->pid;
}

void exec_process_stop(struct exec_process *process)
{
	if (process->stage == RUNNING)
		ask_to_end(process);
}

void exec_process_leave(struct exec_process **left)
{
	if (*left)
		(*left)->ended = NULL;
	*left = NULL;
}
