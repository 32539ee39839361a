/*
 * confine.h - giving up what this process does not need, for good
 *
 * Each part is the system's own, and stands alone: where one is missing, the others hold.
 * They are for a process that has one thread yet; those that it starts later, and all
 * processes that come of it, are held to the same.
 */
#ifndef SUPPORT_CONFINE_H
#define SUPPORT_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* What a process needs beyond serving the sockets that it has. */
enum confine_need {
	CONFINE_CONNECT = 1,     /* connects to others, over any family that is served */
	CONFINE_LISTEN = 2,      /* opens sockets to listen on */
	CONFINE_LISTEN_UNIX = 4, /* opens such at paths only */
	CONFINE_LOG = 8,         /* connects to the system's log */
	CONFINE_UNLINK = 16,     /* removes the paths of UNIX sockets */
	CONFINE_SIGNAL = 32,     /* sends signals to other processes */
	CONFINE_PROGRAMS = 64    /* runs programs, which are held to it as well */
};

/* All of them. */
enum { CONFINE_ALL = 2 * CONFINE_PROGRAMS - 1 };

/* A place in the file system that is needed. */
struct confine_path {
	const char *path; /* one that is not there, or is no path, is left out */
	bool write;       /* a file, or a device: it is written to as well */
	bool sockets;     /* a directory: UNIX sockets are made in it, and removed */
};

/* Tells whether the system has any of this. */
bool confine_known(void);

/*
 * Sees to it that no program that is run from now on has more rights than this process: no
 * set-user-ID, no file capabilities (PR_SET_NO_NEW_PRIVS). The other parts need that.
 * Returns 0; -ENOSYS; a negative errno from prctl(2).
 */
int confine_privileges(void);

/*
 * Gives up all capabilities but those that the needs take: capabilities(7).
 * needs: a set of enum confine_need; not CONFINE_PROGRAMS.
 * Returns 0; -ENOSYS; a negative errno from capset(2).
 */
int confine_capabilities(unsigned needs);

/*
 * Leaves no more of the file system than some places, to be read, and all beneath those that
 * are directories; none of TCP but what the needs take; and no other process to send signals
 * to, but for CONFINE_SIGNAL: landlock(7).
 * Returns 0; -ENOSYS, -EOPNOTSUPP where there is no Landlock; another negative errno.
 */
int confine_files(unsigned needs, const struct confine_path *paths, size_t count);

/*
 * Leaves no more system calls than the needs take, as far as a filter can tell: all others
 * fail with EPERM. With CONFINE_PROGRAMS it leaves all but those that no program for a
 * client has a use for, as they are about the whole machine: seccomp(2).
 * needs: a set of enum confine_need.
 * Returns 0; -ENOSYS; another negative errno from prctl(2).
 */
int confine_calls(unsigned needs);

#endif
