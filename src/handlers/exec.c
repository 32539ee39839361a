/* exec { command = {…} … }: runs a program for each connection, or for the port. */
#include "exec.h"

#include "exec_environment.h"
#include "support/option.h"
#include "support/spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PROCESSES_LIMIT 100000

static const cfg_opt_t options[] = {
	CFG_STR_LIST("command", 0, CFGF_NODEFAULT),
	CFG_STR("user", NULL, CFGF_NODEFAULT),
	CFG_STR("group", NULL, CFGF_NODEFAULT),
	CFG_STR("directory", NULL, CFGF_NODEFAULT),
	CFG_STR_LIST("environment", 0, CFGF_NODEFAULT),
	CFG_STR("max-processes", "64", CFGF_NONE),
	CFG_STR("timeout", "0", CFGF_NONE),
	CFG_BOOL("wait", cfg_false, CFGF_NONE),
	CFG_STR("announce", "inetd", CFGF_NONE),
	CFG_STR("stderr", "log", CFGF_NONE),
	CFG_END(),
};

enum where { STDERR_LOG, STDERR_NULL };
/* In the order of the enumeration. */
static const char *const wheres[] = {"log", "null", NULL};

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void settings_free(struct handler_settings *base)
{
	struct exec_settings *settings = (struct exec_settings *)base;

	if (!settings)
		return;
	free_list(settings->command);
	free_list(settings->environment);
	free(settings->directory);
	identity_free(&settings->identity);
	slots_unref(&settings->processes);
	free(settings);
}

/* Copies an option's values behind `room` places that are left for others. */
static int copy_list(cfg_t *section, const char *name, size_t room, char ***ret)
{
	size_t count = cfg_size(section, name);
	char **list = calloc(room + count + 1, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		list[i] = strdup(cfg_getnstr(section, name, (unsigned)i));
		if (!list[i]) {
			free_list(list);
			return -ENOMEM;
		}
	}
	*ret = list;
	return 0;
}

static int read_command(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	int error = copy_list(section, "command", 0, &settings->command);
	const char *program;

	if (error < 0)
		return error;
	program = settings->command[0];
	if (!program) {
		option_fault(section, "command", faults,
			     "say what to run, as a list: command = {\"/bin/cat\", \"-u\"}");
		return -EINVAL;
	}
	if (program[0] != '/') {
		option_fault(section, "command", faults,
			     "\"%s\" is not an absolute path; no shell and no PATH is asked",
			     program);
		return -EINVAL;
	}
	settings->name = strrchr(program, '/') + 1;
	return 0;
}

static int judge_environment(cfg_t *section, struct faults *faults, char *const *entries)
{
	int error = 0;

	for (size_t i = 0; entries[i]; i++) {
		const char *wrong = exec_environment_judge(entries[i]);

		for (size_t k = 0; k < i && !wrong; k++)
			if (exec_environment_same(entries[i], entries[k]))
				wrong = "this variable is there already";
		if (!wrong)
			continue;
		option_fault(section, "environment", faults, "\"%s\": %s", entries[i], wrong);
		error = -EINVAL;
	}
	return error;
}

static bool sets_path(char *const *entries)
{
	for (; *entries; entries++)
		if (exec_environment_same(*entries, EXEC_PATH))
			return true;
	return false;
}

static int read_environment(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	size_t count = cfg_size(section, "environment");
	int error = copy_list(section, "environment", 1, &settings->environment);

	if (error == 0)
		error = judge_environment(section, faults, settings->environment);
	if (error == 0 && !sets_path(settings->environment)) {
		settings->environment[count] = strdup(EXEC_PATH);
		if (!settings->environment[count++])
			error = -ENOMEM;
	}
	settings->environment_count = count;
	return error;
}

/* Without root's rights nobody else can be asked for, and there is nothing to change. */
static bool is_own(const struct identity *identity)
{
	return geteuid() != 0 && identity->gid == getegid() &&
	       (identity->uid == IDENTITY_SAME_USER || identity->uid == geteuid());
}

static int read_identity(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	const char *user = cfg_getstr(section, "user"), *group = cfg_getstr(section, "group");
	int error = user || group ? identity_new(user, group, &settings->identity) : 0;

	if (error == 0 && settings->identity && is_own(settings->identity))
		identity_free(&settings->identity);
	if (error == 0 || error == -ENOMEM)
		return error;
	if (error == -ESRCH)
		option_fault(section, "user", faults,
			     "\"%s\": no such user; write a name or a number", user);
	else if (error == -ENOENT)
		option_fault(section, "group", faults,
			     "\"%s\": no such group; write a name or a number", group);
	else
		option_fault(section, "user", faults,
			     "\"%s\" is nobody that the system knows, so a `group` is needed",
			     user);
	return -EINVAL;
}

static int read_directory(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	const char *directory = cfg_getstr(section, "directory");

	if (!directory)
		return 0;
	if (directory[0] != '/') {
		option_fault(section, "directory", faults, "\"%s\" is not an absolute path",
			     directory);
		return -EINVAL;
	}
	settings->directory = strdup(directory);
	return settings->directory ? 0 : -ENOMEM;
}

static bool announces(const char *const *variables, const char *entry)
{
	for (; *variables; variables++)
		if (exec_environment_same(*variables, entry))
			return true;
	return false;
}

static int read_announce(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	size_t how = ANNOUNCE_INETD;
	const char *const *variables;
	int error = option_word(section, "announce", exec_announce_words, faults, &how);

	if (error < 0)
		return error;
	settings->announce = (enum exec_announce)how;
	if (how != ANNOUNCE_INETD && !cfg_getbool(section, "wait")) {
		option_fault(section, "announce", faults,
			     "a process has a socket to be announced only with `wait = true`");
		return -EINVAL;
	}
	variables = exec_announce_variables(settings->announce);
	for (size_t i = 0; i < settings->environment_count; i++)
		if (announces(variables, settings->environment[i])) {
			option_fault(section, "environment", faults,
				     "\"%s\": adoptd sets this variable itself, as `announce` says",
				     settings->environment[i]);
			error = -EINVAL;
		}
	return error;
}

/* Each one is looked at, so that one run tells all faults. */
static int read_rest(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	size_t where = STDERR_LOG;
	int results[] = {
		option_number(section, "max-processes", 1, MAX_PROCESSES_LIMIT, faults,
			      &settings->max_processes),
		option_duration(section, "timeout", faults, &settings->timeout_ms),
		option_word(section, "stderr", wheres, faults, &where),
	};

	settings->wait = cfg_getbool(section, "wait");
	settings->log_stderr = where == STDERR_LOG;
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (results[i] < 0)
			return results[i];
	return slots_new(settings->max_processes, &settings->processes);
}

/*
 * Tries all that a start needs. A directory or a program may still come. Another adoptd that
 * reads the same file may have the rights that this one has not, and be the one to serve it.
 */
static void try_out(cfg_t *section, struct faults *faults, struct exec_settings *settings)
{
	const struct spawn_order order = {
		.argv = settings->command,
		.environment = settings->environment,
		.directory = settings->directory,
		.identity = settings->identity,
	};
	enum spawn_step step;
	int error = spawn_try(&order, &step);

	/* What the sandbox does not allow, it tells itself. */
	if (error == 0 || (step == SPAWN_PROCESS && error == -EPERM))
		return;
	if (step == SPAWN_IDENTITY)
		settings->not_allowed = true;
	else if (step == SPAWN_DIRECTORY)
		option_warn(section, "directory", faults, "\"%s\": %s", settings->directory,
			    strerror(-error));
	else
		option_warn(section, "command", faults, "\"%s\": cannot %s: %s",
			    settings->command[0], spawn_step_text(step), spawn_error_text(error));
}

static const char *misfit(const struct handler_settings *settings, int type)
{
	(void)type;
	return ((const struct exec_settings *)settings)->not_allowed
		       ? "is to run as another user or group, for which adoptd has not the right: "
			 "root's, or CAP_SETUID and CAP_SETGID"
		       : NULL;
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	struct exec_settings *settings = calloc(1, sizeof *settings);
	int error = 0;

	if (!settings)
		return -ENOMEM;
	settings->base.handler = &handler_exec;
	int results[] = {
		read_command(section, faults, settings),
		read_environment(section, faults, settings),
		read_identity(section, faults, settings),
		read_directory(section, faults, settings),
		read_announce(section, faults, settings),
		read_rest(section, faults, settings),
	};
	for (size_t i = 0; i < sizeof results / sizeof results[0] && error == 0; i++)
		error = results[i];
	if (error < 0) {
		settings_free(&settings->base);
		return error;
	}
	try_out(section, faults, settings);
	*ret = &settings->base;
	return 0;
}

static void succeed(struct handler_settings *base, const struct handler_settings *before)
{
	struct exec_settings *settings = (struct exec_settings *)base;

	if (before) {
		slots_unref(&settings->processes);
		settings->processes = slots_ref(((const struct exec_settings *)before)->processes);
	}
	slots_set_max(settings->processes, settings->max_processes);
}

static bool takes_port(const struct handler_settings *settings)
{
	return ((const struct exec_settings *)settings)->wait;
}

const struct handler handler_exec = {
	.name = "exec",
	.options = options,
	.settings_new = settings_new,
	.settings_free = settings_free,
	.misfit = misfit,
	.stream_new = exec_stream_new,
	.stream_free = exec_stream_free,
	.succeed = succeed,
	.needs = CONFINE_PROGRAMS,
	.descriptors = 4,
	.takes_port = takes_port,
	.port_new = exec_port_new,
	.port_free = exec_port_free,
};
