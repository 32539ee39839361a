#include "environment.h"

#include "adopt/adopt.h"
#include "support/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

extern char **environ;

/* Room for a prefix and a number. */
#define VARIABLE_BYTES 64

/* So much of a value is told: enough to know it again. */
#define SHOWN "%.200s"

const char *environment_value(const char *variable)
{
	const char *value = getenv(variable);

	return value ? value : "";
}

void environment_unset(const char *const *variables)
{
	for (; *variables; variables++)
		unsetenv(*variables);
}

int environment_unix_stream(const char *number, int *ret)
{
	struct adopt_socket_kind kind;
	int fd, r = descriptor_read(number, &fd);

	if (r == 0)
		r = adopt_socket_inspect(fd, &kind);
	if (r == 0 && (kind.family != AF_UNIX || kind.type != SOCK_STREAM || !kind.connected))
		r = -ENOTSOCK;
	if (r == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		*ret = fd;
	return r;
}

int environment_refuse(const struct dialect *dialect, const char *variable, const char *what,
		       char **ret_message)
{
	return giver_fail(-EINVAL, ret_message,
			  "%s=" SHOWN ": \"" SHOWN "\" is no descriptor as %s announces it; it is "
			  "to be as in %s, or not to be set",
			  variable, environment_value(variable), what, dialect->giver,
			  dialect->example);
}

/* What else is open is nobody's to announce, and is not to be closed by mistake. */
static bool is_open_but_no_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && !S_ISSOCK(st.st_mode);
}

int environment_take(const struct dialect *dialect, const struct announced *announced,
		     struct inherited_list *list, char **ret_message)
{
	const char *value = environment_value(announced->variable);
	int fd, r = descriptor_read(announced->number, &fd);

	if (r < 0)
		return environment_refuse(dialect, announced->variable, announced->number,
					  ret_message);
	if (announced->name && !*announced->name)
		return environment_refuse(dialect, announced->variable, value, ret_message);
	if (is_open_but_no_socket(fd))
		return giver_fail(-EINVAL, ret_message,
				  "%s=" SHOWN ": descriptor %d is no socket, and %s hands over "
				  "nothing else",
				  announced->variable, value, fd, dialect->giver);
	r = inherited_add(list, announced->name ? announced->name : dialect->giver, fd,
			  dialect->giver);
	if (r < 0 && r != -ENOMEM)
		r = giver_explain(r, fd, list, ret_message, "%s=" SHOWN, announced->variable,
				  value);
	return r;
}

/* --- a list in one variable --- */

const char *environment_address_name(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon && !strchr(address, '/') ? colon + 1 : address;
}

/* text: one entry of the list, which is cut into its parts. */
static int take_entry(const struct dialect *dialect, const char *variable, char *text,
		      struct inherited_list *list, char **ret_message)
{
	struct announced announced = {.variable = variable, .number = text};
	char *equals = dialect->named ? strrchr(text, '=') : NULL;

	if (dialect->named && (!equals || equals == text))
		return environment_refuse(dialect, variable, text, ret_message);
	if (equals) {
		*equals = '\0';
		announced.name = environment_address_name(text);
		announced.number = equals + 1;
	}
	return environment_take(dialect, &announced, list, ret_message);
}

static int take_entries(const struct dialect *dialect, const char *variable, char *text,
			struct inherited_list *list, char **ret_message)
{
	int r = 0;

	while (text && r == 0) {
		char *end = text + strcspn(text, dialect->separators);
		char *next = *end ? end + 1 : NULL;

		if (dialect->closed && !next)
			return environment_refuse(dialect, variable, text, ret_message);
		*end = '\0';
		r = take_entry(dialect, variable, text, list, ret_message);
		text = dialect->closed && !*next ? NULL : next;
	}
	return r;
}

int environment_take_list(const struct dialect *dialect, const char *variable,
			  struct inherited_list *list, char **ret_message)
{
	const char *value = environment_value(variable);
	char *text;
	int r;

	if (!*value)
		return 0;
	text = strdup(value);
	if (!text)
		return -ENOMEM;
	r = take_entries(dialect, variable, text, list, ret_message);
	free(text);
	return r;
}

/* --- a variable each --- */

static void put_number(char variable[VARIABLE_BYTES], const char *prefix, uint64_t i)
{
	snprintf(variable, VARIABLE_BYTES, "%s%llu", prefix, (unsigned long long)i);
}

static int take_numbered(const struct dialect *dialect, const struct numbered *numbered, uint64_t i,
			 struct inherited_list *list, char **ret_message)
{
	char variable[VARIABLE_BYTES], name[VARIABLE_BYTES];
	struct announced announced = {.variable = variable};

	put_number(variable, numbered->number, i);
	announced.number = environment_value(variable);
	if (numbered->name) {
		put_number(name, numbered->name, i);
		announced.name = environment_value(name);
		if (!*announced.name)
			return environment_refuse(dialect, name, "", ret_message);
	}
	return environment_take(dialect, &announced, list, ret_message);
}

int environment_take_numbered(const struct dialect *dialect, const struct numbered *numbered,
			      struct inherited_list *list, char **ret_message)
{
	const char *text = getenv(numbered->count);
	uint64_t count;
	int r = 0;

	if (!text)
		return 0;
	if (value_number(text, 0, INT_MAX, &count) < 0)
		return environment_refuse(dialect, numbered->count, text, ret_message);
	for (uint64_t i = 0; i < count && r == 0; i++)
		r = take_numbered(dialect, numbered, i, list, ret_message);
	return r;
}

/* Tells whether an entry of the environment is PREFIX and a number. */
static bool is_numbered(const char *entry, const char *prefix)
{
	size_t length = strlen(prefix), digits;

	if (strncmp(entry, prefix, length) != 0)
		return false;
	digits = strspn(entry + length, "0123456789");
	return digits > 0 && entry[length + digits] == '=';
}

static bool unset_one(const char *prefix)
{
	for (char **entry = environ; entry && *entry; entry++) {
		char *name;

		if (!is_numbered(*entry, prefix))
			continue;
		name = strndup(*entry, strcspn(*entry, "="));
		if (!name)
			return false;
		unsetenv(name);
		free(name);
		return true;
	}
	return false;
}

void environment_unset_numbered(const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		while (unset_one(*prefixes))
			;
}
