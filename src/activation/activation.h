/*
 * activation.h - the descriptors that a supervisor handed over
 *
 * One file a giver, one list out. Everything collected is non-blocking and
 * close-on-exec, and the variables that announced it are unset.
 */
#ifndef ACTIVATION_ACTIVATION_H
#define ACTIVATION_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

/* One inherited descriptor. */
struct inherited {
	char *name; /* the list's */
	int fd;     /* the list's, closed when the list is freed */
	int number; /* what it was handed over as, for messages; 0 to 2 are moved; -1: none */
	const char *source; /* the giver's name, static */
	bool opened;        /* no supervisor did: an adoptd before this one, for `listen` */
};

/* What all givers gave, in their order. Initialize with zeros. */
struct inherited_list {
	struct inherited *items;
	size_t count;
	char **notes; /* what is odd but no fault, one sentence each; for the log */
	size_t note_count;
	bool stderr_taken; /* descriptor 2 was one of the sockets: log to syslog(3) */
	bool handed_over;  /* an adoptd before this one has them still, and waits */
	int answer_fd;     /* for an answer on this socket; valid with handed_over */
	int *elders;       /* sockets, each at an end when an adoptd before has ended */
	size_t elder_count;
	bool under_einhorn; /* that is the parent process: it asks to drain by SIGUSR2 */
	bool acknowledges;  /* it wants to hear when adoptd is ready */
	int acknowledge_fd; /* on this socket; valid with acknowledges */
};

/* What the givers need to know. */
struct activation_request {
	const char *const *fd_options;   /* the --fd options' values, NULL-terminated, or NULL */
	const char *const *from_options; /* likewise those of --from */
	const char *const *port_names;   /* the port blocks' names, NULL-terminated, or NULL:
					    launchd has no list of its own */
	bool leave_stdin; /* a socket that is descriptor 0 counts only where another names it */
};

/* A giver: looks whether it gave anything, and adds it to the list. */
struct giver {
	const char *name;
	/*
	 * Returns 0, also where it gave nothing; -EINVAL or another negative errno,
	 * in which case *ret_message says what is wrong (malloc'ed, the caller's;
	 * untouched with -ENOMEM).
	 */
	int (*collect)(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message);
};

extern const struct giver giver_handover;
extern const struct giver giver_systemd;
extern const struct giver giver_systemfd;
extern const struct giver giver_launchd;
extern const struct giver giver_server_starter;
extern const struct giver giver_einhorn;
extern const struct giver giver_upstart;
extern const struct giver giver_s6_fdholder;
extern const struct giver giver_nginx;
extern const struct giver giver_gunicorn;
extern const struct giver giver_puma;
extern const struct giver giver_php_fpm;
extern const struct giver giver_fd_option;
extern const struct giver giver_from_option;
extern const struct giver giver_inetd;

/* Tells whether a --fd option's value is written as [NAME=]FD. */
bool fd_option_is_valid(const char *option);

/* Tells whether a --from option's value is written as [haproxy:]SOCKET. */
bool from_option_is_valid(const char *option);

/* Reads a descriptor's number, which is plain digits. Returns 0 or -EINVAL. */
int descriptor_read(const char *text, int *ret);

/* Returns a giver's name as it is used for the source of a descriptor, static; NULL where
 * none has this name. */
const char *giver_find(const char *name);

/*
 * Asks all givers that this build has, each once. To be called before threads
 * and children are there: it changes the environment. Where an adoptd before this one
 * hands over, that is all: it has what the others gave.
 * ret_message: as in struct giver.
 * Returns 0 or a negative errno; the list then holds what was collected before.
 */
int activation_collect(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message);

/* What announces a hand-over: the number of the socket that it comes on. */
#define HANDOVER_VARIABLE "ADOPTD_HANDOVER"

/* So long either side of a hand-over waits for the other. */
#define HANDOVER_TIMEOUT_MS 60000

/* Tells whether an adoptd before this one is about to hand over; until
 * activation_collect(). */
bool handover_expected(void);

/*
 * Tells the adoptd that handed over that all is adopted, and waits for it to leave it all to
 * this one: from then on clients may be accepted. Harmless where nobody handed over.
 * list: on success its answer_fd is one of the elders.
 * Returns 0; -ECONNRESET or -EPIPE where the other one goes on itself, or is gone;
 * -ETIMEDOUT; another negative errno.
 */
int handover_accept(struct inherited_list *list);

/*
 * Tells Einhorn that adoptd is ready, once. Harmless where nobody wants to hear.
 * Returns 0; -EPIPE or another negative errno from send(2).
 */
int einhorn_acknowledge(struct inherited_list *list);

/* The names of what systemd stores for the next adoptd begin so; no port block takes it. */
#define STORED_PREFIX "adoptd-listen-"

/*
 * Adds a descriptor to a list and makes it close-on-exec, and a socket
 * non-blocking. Where a standard descriptor (0 to 2) is that very socket, it
 * gets /dev/null instead: otherwise the process would keep the connection open,
 * and would log to the client. A socket that was itself handed over as 0 to 2
 * is thereby moved to 3 or above. For givers.
 * name: copied.
 * number: the descriptor; the list's from now on, on success only.
 * source: the giver's name, static.
 * Returns 0; -ENOMEM; -EBADF if the descriptor is not open; -EEXIST if the list
 * has it already; another negative errno from fcntl(), dup2() or opening
 * /dev/null.
 */
int inherited_add(struct inherited_list *list, const char *name, int number, const char *source);

/*
 * The same for a descriptor that has another number now than it was handed over as, or that
 * was opened by an adoptd.
 * what: all but its name counts. Returns as inherited_add().
 */
int inherited_take(struct inherited_list *list, const char *name, const struct inherited *what);

/*
 * Closes one descriptor and removes it from the list; harmless if it is not
 * there. For connections: the list's descriptor would keep them open.
 * fd: as in struct inherited.
 */
void inherited_drop(struct inherited_list *list, int fd);

/* Removes one descriptor from the list and leaves it open: it is the caller's now. Harmless
 * if it is not there. */
void inherited_release(struct inherited_list *list, int fd);

/* Adds a note to a list; where memory is short it is lost. */
void inherited_note(struct inherited_list *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Closes the descriptors, frees entries and notes, and empties the list. */
void inherited_free(struct inherited_list *list);

/*
 * Splits a port block's name of the form NAME#N.
 * ret_length: of NAME.
 * ret_index: N, counted from 0.
 * Returns whether it has that form; if not, the outputs are untouched and the
 * whole is a plain name.
 */
bool inherited_split_name(const char *text, size_t *ret_length, size_t *ret_index);

/*
 * Puts a giver's message together.
 * error: a negative errno.
 * ret_message: as in struct giver.
 * Returns error, or -ENOMEM.
 */
int giver_fail(int error, char **ret_message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts together what is wrong with a descriptor that inherited_add() has refused.
 * error: what it returned.
 * format: who announced it, and how.
 * ret_message: as in struct giver.
 * Returns error, or -ENOMEM.
 */
int giver_explain(int error, int number, const struct inherited_list *list, char **ret_message,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
