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
	char *name;         /* the list's */
	int fd;             /* the list's, closed when the list is freed */
	int number;         /* what it was handed over as, for messages; 0 to 2 are moved */
	const char *source; /* the giver's name, static */
};

/* What all givers gave, in their order. Initialize with zeros. */
struct inherited_list {
	struct inherited *items;
	size_t count;
	char **notes; /* what is odd but no fault, one sentence each; for the log */
	size_t note_count;
	bool stderr_taken; /* descriptor 2 was one of the sockets: log to syslog(3) */
};

/* What the givers need to know. */
struct activation_request {
	const char *const *fd_options; /* the --fd options' values, NULL-terminated, or NULL */
	const char *const *port_names; /* the port blocks' names, NULL-terminated, or NULL:
					  launchd has no list of its own */
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

extern const struct giver giver_systemd;
extern const struct giver giver_launchd;
extern const struct giver giver_fd_option;
extern const struct giver giver_inetd;

/* Tells whether a --fd option's value is written as [NAME=]FD. */
bool fd_option_is_valid(const char *option);

/*
 * Asks all givers that this build has, each once. To be called before threads
 * and children are there: it changes the environment.
 * ret_message: as in struct giver.
 * Returns 0 or a negative errno; the list then holds what was collected before.
 */
int activation_collect(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message);

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
 * Closes one descriptor and removes it from the list; harmless if it is not
 * there. For connections: the list's descriptor would keep them open.
 * fd: as in struct inherited.
 */
void inherited_drop(struct inherited_list *list, int fd);

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

#endif
