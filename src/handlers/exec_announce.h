/* exec_announce.h - how a process is told of the socket that it gets: as by whoever else could
 * have started it */
#ifndef HANDLERS_EXEC_ANNOUNCE_H
#define HANDLERS_EXEC_ANNOUNCE_H

/* In the order of exec_announce_words. */
enum exec_announce {
	ANNOUNCE_INETD, /* not at all: it is descriptor 0 */
	ANNOUNCE_SYSTEMD,
	ANNOUNCE_UPSTART,
	ANNOUNCE_SERVER_STARTER,
	ANNOUNCE_EINHORN,
	ANNOUNCE_NGINX,
};

/* What the configuration calls them, ended by NULL. */
extern const char *const exec_announce_words[];

/* The descriptor that is announced. */
#define EXEC_ANNOUNCED_FD 3

#define EXEC_ANNOUNCEMENT_MAX 4

/* The variables that announce a socket. */
struct exec_announcement {
	char *entries[EXEC_ANNOUNCEMENT_MAX + 1]; /* NAME=value, ended by NULL */
	char *pid; /* room in one of them for the process's number: see spawn.h; or NULL */
};

/*
 * Makes the announcement of a socket.
 * how: of ANNOUNCE_INETD there is nothing to tell.
 * name: what it is called, where the dialect has names.
 * fd: what its address is found from, where the dialect tells that.
 * ret: to be freed with exec_announcement_done().
 * Returns 0; -ENOMEM; a negative errno from getsockname(2).
 */
int exec_announcement_new(enum exec_announce how, const char *name, int fd,
			  struct exec_announcement *ret);

/* Frees what an announcement holds; harmless for one that is all zeros. */
void exec_announcement_done(struct exec_announcement *announcement);

/* Returns the variables that an announcement has, ended by NULL. */
const char *const *exec_announce_variables(enum exec_announce how);

#endif
