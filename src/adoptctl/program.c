#include "program.h"

#include "support/value.h"

#include <errno.h>
#include <string.h>

/* Where tcpd looks for a program whose name is no path: hosts_access(5). */
#define TCPD_DIRECTORY "/usr/sbin/"

const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *program_internal(const char *name)
{
	static const char *const names[] = {"echo", "discard", "chargen", "daytime", "time"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

static bool is_wrapper(const char *path)
{
	return strcmp(program_name(path), "tcpd") == 0;
}

int program_set(struct service *service, const char *path, const struct words *argv, int line,
		struct faults *faults)
{
	const char *name = argv->items[0];
	size_t first = service->command.count;
	int error;

	service->handler = SERVICE_EXEC;
	if (is_wrapper(path)) {
		fault_add(
			faults, FAULT_WARNING, service->file, line,
			"tcpd: hosts.allow and hosts.deny no longer count for \"%s\"; say it with "
			"allow and deny",
			program_name(name));
		error = words_print(&service->command, "%s%s",
				    strchr(name, '/') ? "" : TCPD_DIRECTORY, name);
	} else {
		if (strcmp(program_name(name), program_name(path)) != 0)
			fault_add(faults, FAULT_WARNING, service->file, line,
				  "argv[0]: \"%s\" is called by its path, not as \"%s\"", path,
				  name);
		error = words_add(&service->command, path);
	}
	if (error == 0 && service->command.items[first][0] != '/') {
		fault_add(faults, FAULT_ERROR, service->file, line,
			  "\"%s\" is not an absolute path; the service is left out",
			  service->command.items[first]);
		return -EINVAL;
	}
	for (size_t i = 1; error == 0 && i < argv->count; i++)
		error = words_add(&service->command, argv->items[i]);
	return error;
}

static bool is_number(const char *text)
{
	uint64_t number;

	/* The largest one means none: setresuid(2). */
	return value_number(text, 0, UINT32_MAX - 1, &number) == 0;
}

int program_set_user(struct service *service, const char *user, const char *group,
		     const struct names *names, int line, struct faults *faults)
{
	const char *missing = NULL;
	int error;

	if (!is_number(user) && !names->user(user))
		missing = "user";
	else if (group && !is_number(group) && !names->group(group))
		missing = "group";
	if (missing) {
		fault_add(faults, FAULT_ERROR, service->file, line,
			  "there is no %s \"%s\"; the service is left out", missing,
			  strcmp(missing, "user") == 0 ? user : group);
		return -EINVAL;
	}
	if (!group && is_number(user))
		group = user;
	error = service_set(&service->user, user);
	if (error == 0 && group)
		error = service_set(&service->group, group);
	return error;
}

/* Returns why exec refuses a variable, or NULL. */
static const char *judge_variable(const char *entry, size_t length)
{
	static const char *const own[] = {"PROTO",       "REMOTE_ADDR",   "REMOTE_PORT",
					  "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP",
					  "TCPLOCALPORT"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "0123456789";

	if (length == 0 || strspn(entry, letters) != length || strchr("0123456789", *entry))
		return "is no name for a variable";
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strlen(own[i]) == length && strncmp(entry, own[i], length) == 0)
			return "is set by adoptd itself";
	return NULL;
}

int program_add_variable(struct service *service, const char *entry, int line,
			 struct faults *faults)
{
	struct words *environment = &service->environment;
	size_t length = strcspn(entry, "=");
	const char *problem = judge_variable(entry, length);

	if (problem) {
		fault_add(faults, FAULT_WARNING, service->file, line, "the variable \"%.*s\" %s",
			  (int)length, entry, problem);
		return 0;
	}
	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->items[i], entry, length + 1) == 0)
			return service_set(&environment->items[i], entry);
	return words_add(environment, entry);
}

int program_inherit_variable(struct service *service, const char *name, int line,
			     struct faults *faults)
{
	const char *problem = judge_variable(name, strlen(name));
	size_t length = strlen(name);

	if (problem) {
		fault_add(faults, FAULT_WARNING, service->file, line, "the variable \"%s\" %s",
			  name, problem);
		return 0;
	}
	for (size_t i = 0; i < service->environment.count; i++)
		if (strncmp(service->environment.items[i], name, length) == 0 &&
		    service->environment.items[i][length] == '=')
			return 0;
	if (words_have(&service->inherited, name))
		return 0;
	return words_add(&service->inherited, name);
}
