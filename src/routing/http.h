/* http.h - which host an HTTP/1 request is for */
#ifndef ROUTING_HTTP_H
#define ROUTING_HTTP_H

#include "recognise.h"

/* The longest head of a request that is looked at, its last line feed included. */
#define HTTP_HEAD_MAX_BYTES (16 * 1024)

/*
 * Reads the host from the head of an HTTP/1.0 or 1.1 request: the target's in
 * absolute or authority form, else the Host field's. (RFC 9112, sections 3.2 and
 * 3.3.) Judges as verdict.h says; MATCH comes with the end of the head.
 * ret_host: inside `data`, without the port; an IPv6 address in its brackets.
 * NO: no such request; a head past HTTP_HEAD_MAX_BYTES; one that servers read
 * differently (bare line feeds, NUL, folded lines, several Host fields, spaces
 * before a colon); one without a host.
 */
enum verdict http_host_read(const uint8_t *data, size_t length, const uint8_t **ret_host,
			    size_t *ret_host_length, size_t *ret_needed);

#endif
