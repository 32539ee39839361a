/* environment.h - what the givers share that announce descriptors in the environment */
#ifndef ACTIVATION_ENVIRONMENT_H
#define ACTIVATION_ENVIRONMENT_H

#include "activation.h"

/* How a giver announces. */
struct dialect {
	const char *giver;      /* its name, static */
	const char *separators; /* what ends a descriptor in a list; NULL: it announces no list */
	bool closed;            /* that stands behind the last one too, not only between two */
	bool named;             /* one is ADDRESS=FD, not FD alone */
	const char *example;    /* a variable with its value, as it would be right */
};

/* One descriptor that is announced. */
struct announced {
	const char *variable; /* that has it */
	const char *number;   /* as it is written there */
	const char *name;     /* what it is called; NULL: after its giver */
};

/* Returns a variable's value, "" where it is not set. */
const char *environment_value(const char *variable);

/* Unsets variables, ended by NULL. */
void environment_unset(const char *const *variables);

/*
 * Returns what a descriptor is called of which only the address is known: its path, or its
 * port, so that one block has the port for IPv4 and IPv6. A part of `address`.
 */
const char *environment_address_name(const char *address);

/*
 * Takes one descriptor, which is to be a socket.
 * announced: its text is copied.
 * ret_message: as in struct giver; names the variable, and what would be right.
 * Returns 0; -EINVAL where it is no descriptor's number, has an empty name, or is no socket; what
 * inherited_add() returns.
 */
int environment_take(const struct dialect *dialect, const struct announced *announced,
		     struct inherited_list *list, char **ret_message);

/*
 * Takes all that a variable lists, none where it is not set or empty. Changes no variable.
 * Returns 0; -EINVAL where it is written differently; what environment_take() returns.
 */
int environment_take_list(const struct dialect *dialect, const char *variable,
			  struct inherited_list *list, char **ret_message);

/* How descriptors are announced by a variable each: PREFIX and a number from 0 on. */
struct numbered {
	const char *count;  /* the variable that has their count */
	const char *number; /* the prefix of those that have the descriptors */
	const char *name;   /* and of those that have their names; NULL: none do */
};

/*
 * Takes all that are announced so, none where the count is not set. Changes no variable.
 * Returns 0; -EINVAL where the count is no number, or a variable is missing; what
 * environment_take() returns.
 */
int environment_take_numbered(const struct dialect *dialect, const struct numbered *numbered,
			      struct inherited_list *list, char **ret_message);

/* Unsets all variables that are one of some prefixes, ended by NULL, and a number. */
void environment_unset_numbered(const char *const *prefixes);

/*
 * Finds a connection to another process, a UNIX stream socket, and makes it close-on-exec.
 * number: the descriptor, as it is written.
 * Returns 0; -EINVAL where it is written differently; -ENOTSOCK where it is something else;
 * -EBADF; another negative errno.
 */
int environment_unix_stream(const char *number, int *ret);

/*
 * Says that a variable is not what it should be.
 * what: the part of it that is wrong.
 * Returns -EINVAL or -ENOMEM.
 */
int environment_refuse(const struct dialect *dialect, const char *variable, const char *what,
		       char **ret_message);

#endif
