/* The programs of xinetd, and how they are run. */
#include "program.h"
#include "support/value.h"
#include "xinetd_translate.h"

#include <errno.h>
#include <string.h>

/* Limits in a unit would hold adoptd itself as well, which needs more memory than some
 * programs may have. */
#define PRLIMIT "/usr/bin/prlimit"

static const struct {
	enum xinetd_attribute attribute;
	const char *option; /* of prlimit(1) */
	bool bytes;         /* 8M will do */
} limits[] = {
	{XINETD_RLIMIT_AS, "--as", true},     {XINETD_RLIMIT_CPU, "--cpu", false},
	{XINETD_RLIMIT_DATA, "--data", true}, {XINETD_RLIMIT_FILES, "--nofile", true},
	{XINETD_RLIMIT_RSS, "--rss", true},   {XINETD_RLIMIT_STACK, "--stack", true},
};

/* Reads `8M`, `8m` or `UNLIMITED`. Returns 0 or -EINVAL. */
static int read_limit(const char *text, bool bytes, uint64_t *ret)
{
	static const struct {
		char letter;
		unsigned shift;
	} units[] = {{'k', 10}, {'K', 10}, {'m', 20}, {'M', 20}};
	size_t length = strspn(text, "0123456789");
	char digits[24];
	unsigned shift = 0;

	if (length == 0 || length >= sizeof digits)
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	for (size_t i = 0; bytes && i < sizeof units / sizeof units[0]; i++)
		if (text[length] == units[i].letter)
			shift = units[i].shift;
	if (strlen(text) != length + (shift > 0) ||
	    value_number(digits, 0, UINT64_MAX >> shift, ret) < 0)
		return -EINVAL;
	*ret <<= shift;
	return 0;
}

static int add_limits(struct xinetd_translation *translation)
{
	struct words *command = &translation->service->command;
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof limits / sizeof limits[0]; i++) {
		const char *text = xinetd_value(translation, limits[i].attribute);
		uint64_t limit;

		if (!text)
			continue;
		if (command->count == 0)
			error = words_add(command, PRLIMIT);
		if (error < 0)
			break;
		if (strcmp(text, "UNLIMITED") == 0)
			error = words_print(command, "%s=unlimited", limits[i].option);
		else if (read_limit(text, limits[i].bytes, &limit) == 0)
			error = words_print(command, "%s=%llu", limits[i].option,
					    (unsigned long long)limit);
		else
			error = xinetd_refuse(translation, limits[i].attribute, "is no limit");
	}
	return error;
}

/* With NAMEINARGS the arguments begin with the name that the program is called by. */
static int add_command(struct xinetd_translation *translation)
{
	const struct xinetd_values *server = xinetd_values(translation, XINETD_SERVER);
	const struct xinetd_values *arguments = xinetd_values(translation, XINETD_SERVER_ARGS);
	bool named = xinetd_has(translation, XINETD_FLAGS, "NAMEINARGS");
	struct words argv = {0};
	const char *path;
	int error = 0;

	if (!server)
		return xinetd_refuse(translation, XINETD_SERVER, "is missing");
	if (named && (!arguments || arguments->words.count == 0))
		return xinetd_refuse(translation, XINETD_SERVER_ARGS, "is missing");
	path = server->words.items[0];
	if (!named)
		error = words_add(&argv, program_name(path));
	if (error == 0 && arguments)
		error = words_append(&argv, &arguments->words);
	if (error == 0)
		error = program_set(translation->service, path, &argv, server->line,
				    translation->faults);
	words_done(&argv);
	return error;
}

static int add_environment(struct xinetd_translation *translation)
{
	const struct xinetd_values *set = xinetd_values(translation, XINETD_ENV);
	const struct xinetd_values *passed = xinetd_values(translation, XINETD_PASSENV);
	struct service *service = translation->service;
	int error = 0;

	for (size_t i = 0; error == 0 && set && i < set->words.count; i++) {
		if (!strchr(set->words.items[i], '='))
			return xinetd_refuse(translation, XINETD_ENV, "is a list of NAME=VALUE");
		error = program_add_variable(service, set->words.items[i], set->line,
					     translation->faults);
	}
	for (size_t i = 0; error == 0 && passed && i < passed->words.count; i++)
		error = program_inherit_variable(service, passed->words.items[i], passed->line,
						 translation->faults);
	return error;
}

static int add_user(struct xinetd_translation *translation)
{
	const struct xinetd_values *user = xinetd_values(translation, XINETD_USER);

	if (!user)
		return xinetd_refuse(translation, XINETD_USER, "is missing");
	if (xinetd_is(translation, XINETD_GROUPS, "no"))
		xinetd_warn(translation, XINETD_GROUPS, "no",
			    "a program always has the groups of its user");
	return program_set_user(translation->service, user->words.items[0],
				xinetd_value(translation, XINETD_GROUP), translation->names,
				user->line, translation->faults);
}

int xinetd_translate_program(struct xinetd_translation *translation)
{
	struct service *service = translation->service;
	int error = add_limits(translation);

	if (error == 0)
		error = add_command(translation);
	if (error == 0)
		error = add_user(translation);
	if (error == 0)
		error = add_environment(translation);
	service->wait = xinetd_is(translation, XINETD_WAIT, "yes");
	if (service->datagram && !service->wait)
		xinetd_warn(translation, XINETD_WAIT, "no",
			    "a program gets a datagram socket as with wait, one program at a time");
	service->wait = service->wait || service->datagram;
	return error;
}
