/* name_server.h - a name server in the test's own loop (RFC 1035), for one suite's names */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include "adopt/adopt.h"

/* What it knows. */
struct name_record {
	const char *name;
	const char *type; /* A, AAAA or SRV */
	unsigned ttl_s;
	const char *data; /* as a zone file writes it: an address, or `1 2 80 host.name` */
};

struct name_server {
	struct adopt_datagram_protocol base;
	const struct name_record *records; /* up to one without a name */
	bool silent;                       /* says nothing */
	bool broken;                       /* says that it has failed */
	/* Makes an answer one that no honest server gives, unless NULL. */
	void (*spoil)(unsigned char *bytes, size_t *length);
	unsigned asked; /* questions that have come */
	char address[ADOPT_ADDRESS_TEXT_SIZE];
};

/* Starts one on the harness' loop, which ends it. Fails the test if it cannot. */
void name_server_start(struct name_server *server, const struct name_record *records);

#endif
