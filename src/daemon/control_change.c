/* adoptctl drain, undrain, reload and log-level: what changes adoptd. */
#include "control_commands.h"
#include "support/json_text.h"

#include <errno.h>
#include <string.h>

/* --- drain, undrain --- */

static void drain(struct server *server, const struct control_request *request,
		  struct control_answer *answer, bool on)
{
	int error = server_drain_ports(server, request->port, on);

	if (error == -ENOENT)
		control_fail(answer, "not-found", "there is no port \"%s\"", request->port);
	else if (error == -EBUSY)
		control_fail(answer, "busy", "%s", server_reload_error(error));
	else if (error < 0)
		control_check(answer, error);
}

void control_drain(struct server *server, const struct control_request *request,
		   struct control_answer *answer)
{
	drain(server, request, answer, true);
}

void control_undrain(struct server *server, const struct control_request *request,
		     struct control_answer *answer)
{
	drain(server, request, answer, false);
}

/* --- reload --- */

static void add_fault(void *context, enum fault_severity severity, const char *text)
{
	(void)severity;
	json_append(context, json_text(text));
}

void control_reload(struct server *server, const struct control_request *request,
		    struct control_answer *answer)
{
	struct faults *faults;
	int error;

	(void)request;
	if (server->handover) {
		control_fail(answer, "busy", "adoptd is handing over to another");
		return;
	}
	error = faults_new(&faults);
	if (error < 0) {
		control_check(answer, error);
		return;
	}
	error = server_reload(server, faults);
	answer->faults = json_array();
	faults_report(faults, add_fault, &answer->faults);
	faults_free(&faults);
	if (error < 0)
		control_fail(answer,
			     error == -EINVAL  ? "configuration"
			     : error == -EBUSY ? "busy"
					       : "system",
			     "%s", server_reload_error(error));
}

/* --- log-level --- */

void control_log_level(struct server *server, const struct control_request *request,
		       struct control_answer *answer)
{
	(void)server;
	(void)answer;
	log_set_level(request->level);
	log_notice("control: log-level is %s until the next reload",
		   log_level_name(request->level));
}
