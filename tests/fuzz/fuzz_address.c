/* Addresses: what is read from any text, or comes as any UNIX name from the kernel,
 * is written so that reading it again gives the same. */
#include "adopt/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UN_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Writing into less room gives the beginning of the text, and no byte more. */
static void check_cut(const struct adopt_address *address, const char *text, size_t size)
{
	size_t length = strlen(text);
	char *cut = malloc(size);

	require(cut != NULL);
	adopt_address_format(address, cut, size);
	require(strlen(cut) == (length < size ? length : size - 1));
	require(strncmp(cut, text, strlen(cut)) == 0);
	free(cut);
}

/* Returns what reading the address's own text says. */
static int read_again(const struct adopt_address *address, struct adopt_address *ret, size_t room)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	adopt_address_format(address, text, sizeof text);
	require(strlen(text) + 1 < sizeof text);
	for (const char *at = text; *at; at++)
		require(*at >= ' ' && *at <= '~');
	check_cut(address, text, room);
	return adopt_address_parse(text, ret);
}

static void check_text(const unsigned char *data, size_t size, size_t room)
{
	struct adopt_address address, again;
	char *text = strndup((const char *)data, size);

	require(text != NULL);
	if (adopt_address_parse(text, &address) == 0) {
		require(adopt_family_supported(adopt_address_family(&address)));
		require(address.length <= sizeof address.name);
		require(read_again(&address, &again, room) == 0);
		require(adopt_address_equal(&address, &again));
		require(adopt_address_equal(&again, &address));
		require(adopt_address_port(&address) == adopt_address_port(&again));
		require(address.length == again.length);
	}
	free(text);
}

static void check_unix_name(const unsigned char *data, size_t size, size_t room)
{
	struct adopt_address address = {0}, again;
	bool abstract;
	int error;

	if (size > sizeof address.name.un.sun_path)
		size = sizeof address.name.un.sun_path;
	address.length = (socklen_t)(UN_PATH_OFFSET + size);
	address.name.un.sun_family = AF_UNIX;
	memcpy(address.name.un.sun_path, data, size);
	error = read_again(&address, &again, room);
	abstract = address.name.un.sun_path[0] == '\0';
	if (abstract && size < 2)
		require(error == -EINVAL); /* unnamed */
	else if (!abstract &&
		 !memchr(address.name.un.sun_path, '\0', sizeof address.name.un.sun_path))
		require(error == -ENAMETOOLONG); /* no room for a closing NUL */
	else
		require(error == 0 && adopt_address_equal(&address, &again));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	size_t room = size > 0 ? 1 + data[size - 1] % ADOPT_ADDRESS_TEXT_SIZE : 1;

	check_text(data, size, room);
	check_unix_name(data, size, room);
	return 0;
}
