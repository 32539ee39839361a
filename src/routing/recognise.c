#include "recognise.h"

#include <string.h>

const struct recogniser *const recognisers[] = {
	&recogniser_tls,
	&recogniser_http,
	&recogniser_http2,
	&recogniser_ssh,
	&recogniser_rdp,
	&recogniser_socks5,
	&recogniser_xmpp,
	&recogniser_openvpn,
	&recogniser_quic,
	&recogniser_wireguard,
	NULL,
};

const struct recogniser *recogniser_find(const char *name)
{
	for (const struct recogniser *const *at = recognisers; *at; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

enum verdict recognise_literal(const uint8_t *data, size_t length, const void *literal,
			       size_t literal_length, size_t *ret_needed)
{
	size_t shorter = length < literal_length ? length : literal_length;

	if (shorter > 0 && memcmp(data, literal, shorter) != 0)
		return VERDICT_NO;
	if (length >= literal_length)
		return VERDICT_MATCH;
	*ret_needed = length + 1;
	return VERDICT_MORE;
}
