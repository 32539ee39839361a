/* control_commands.h - what adoptctl may ask for, a function a command */
#ifndef DAEMON_CONTROL_COMMANDS_H
#define DAEMON_CONTROL_COMMANDS_H

#include "control_answer.h"
#include "control_request.h"
#include "server_parts.h"

/* Does what is asked. answer: zeros. */
typedef void control_run(struct server *server, const struct control_request *request,
			 struct control_answer *answer);

control_run control_status;      /* control_status.c */
control_run control_ports;       /* control_ports.c */
control_run control_connections; /* control_connections.c */
control_run control_kill;
control_run control_upstreams; /* control_upstreams.c */
control_run control_drain;     /* control_change.c */
control_run control_undrain;
control_run control_reload;
control_run control_log_level;

#endif
