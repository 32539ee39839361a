/* The text of a `listen` address: an endpoint's, with a prefix for what is no stream. */
#include "listen.h"

#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The longest host name, a port and a prefix; any UNIX path is shorter. */
#define TEXT_BYTES 1088

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Splits a text into an endpoint's and the socket's type. */
static int split(const char *text, char *endpoint, size_t size, int *ret_type)
{
	static const struct {
		const char *prefix, *instead;
		int type;
	} forms[] = {
		{"udp:", "", SOCK_DGRAM},
		{"unix-dgram:", "unix:", SOCK_DGRAM},
		{"unix-seqpacket:", "unix:", SOCK_SEQPACKET},
		{"", "", SOCK_STREAM},
	};
	size_t i = 0;
	int length;

	while (!has_prefix(text, forms[i].prefix))
		i++;
	text += strlen(forms[i].prefix);
	if (i == 0 && (has_prefix(text, "unix:") || has_prefix(text, "vsock:")))
		return -EINVAL;
	length = snprintf(endpoint, size, "%s%s", forms[i].instead, text);
	if (length < 0 || (size_t)length >= size)
		return -ENAMETOOLONG;
	*ret_type = forms[i].type;
	return 0;
}

int listen_check(const char *text)
{
	char endpoint[TEXT_BYTES];
	int type, r = split(text, endpoint, sizeof endpoint, &type);

	return r < 0 ? r : endpoint_check(endpoint);
}

bool listen_is_datagram(const char *text)
{
	char endpoint[TEXT_BYTES];
	int type;

	return split(text, endpoint, sizeof endpoint, &type) == 0 && type == SOCK_DGRAM;
}

bool listen_is_unix_stream(const char *text)
{
	return has_prefix(text, "unix:") || has_prefix(text, "unix-seqpacket:");
}

int listen_resolve(const char *text, struct adopt_address **ret, size_t *ret_count, int *ret_type)
{
	char endpoint[TEXT_BYTES];
	int type, r = split(text, endpoint, sizeof endpoint, &type);

	if (r == 0)
		r = endpoint_resolve(endpoint, type, ret, ret_count);
	if (r == 0)
		*ret_type = type;
	return r;
}
