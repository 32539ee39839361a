/*
 * activation.h - the descriptors that a supervisor handed over
 *
 * One file a giver, one list out. Everything collected is non-blocking and
 * close-on-exec, and the variables that announced it are unset.
 */
#ifndef ACTIVATION_ACTIVATION_H
#define ACTIVATION_ACTIVATION_H

#include <stddef.h>

/* One inherited descriptor. */
struct inherited {
	char *name;         /* the list's */
	int fd;             /* the list's, closed when the list is freed */
	const char *source; /* the giver's name, static */
};

/* What all givers gave, in their order. Initialize with zeros. */
struct inherited_list {
	struct inherited *items;
	size_t count;
};

/* What the givers need to know. */
struct activation_request {
	const char *const *fd_options; /* the --fd options' values, NULL-terminated */
	const char *const *port_names; /* the port blocks' names, NULL-terminated: launchd
					  has no list of its own */
};

/* A giver: looks whether it gave anything, and adds it to the list. */
struct giver {
	const char *name;
	/*
	 * Returns 0, also where it gave nothing; -EINVAL or another negative errno,
	 * in which case *ret_message says what is wrong (malloc'ed, the caller's).
	 */
	int (*collect)(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message);
};

extern const struct giver giver_systemd;
extern const struct giver giver_launchd;
extern const struct giver giver_fd_option;
extern const struct giver giver_inetd;

/*
 * Asks all givers that this build has, each once.
 * ret_message: as in struct giver.
 * Returns 0 or a negative errno; the list then holds what was collected before.
 */
int activation_collect(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message);

/*
 * Adds a descriptor to a list and makes it non-blocking and close-on-exec. For
 * givers.
 * name: copied.
 * Returns 0; -ENOMEM; -EBADF if the descriptor is not open; -EEXIST if the list has it already.
 */
int inherited_add(struct inherited_list *list, const char *name, int fd, const char *source);

/* Closes the descriptors, frees the entries and empties the list. */
void inherited_free(struct inherited_list *list);

#endif
