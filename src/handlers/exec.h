/* exec.h - what the files of the exec handler share */
#ifndef HANDLERS_EXEC_H
#define HANDLERS_EXEC_H

#include "exec_announce.h"
#include "handler.h"
#include "support/identity.h"
#include "support/slots.h"

/* An exec block. */
struct exec_settings {
	struct handler_settings base;
	char **command;     /* ended by NULL; the first is an absolute path */
	const char *name;   /* the program's, for the log */
	char **environment; /* what every process gets of it, ended by NULL */
	size_t environment_count;
	char *directory;           /* NULL: adoptd's own */
	struct identity *identity; /* NULL: adoptd's own */
	bool not_allowed;          /* adoptd has not the right to run as that */
	struct slots *processes;   /* for all reactors, and for the settings before */
	uint64_t max_processes;
	uint64_t timeout_ms; /* 0: never */
	bool wait;
	enum exec_announce announce; /* with wait */
	bool log_stderr;             /* else it is thrown away */
};

extern const struct handler handler_exec;

/* A process a connection (exec_stream.c), and one for the whole port (exec_wait.c): as in
 * struct handler. */
int exec_stream_new(const struct handler_settings *settings, struct host *host,
		    struct adopt_factory **ret);
void exec_stream_free(struct adopt_factory *factory);
int exec_port_new(const struct handler_settings *settings, struct host *host,
		  struct adopt_lookout **ret);
void exec_port_free(struct adopt_lookout *lookout);

#endif
