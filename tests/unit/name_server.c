#include "name_server.h"

#include "harness.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 12
#define NAME_SIZE 256
#define NOT_FOUND 3
#define FAILED 2

struct message {
	unsigned char bytes[1024];
	size_t length;
};

static void put(struct message *message, const void *data, size_t length)
{
	ck_assert_uint_le(message->length + length, sizeof message->bytes);
	memcpy(message->bytes + message->length, data, length);
	message->length += length;
}

static void put16(struct message *message, unsigned value)
{
	put(message, (unsigned char[]){(unsigned char)(value >> 8), (unsigned char)value}, 2);
}

static void put_name(struct message *message, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");

		put(message, &(unsigned char){(unsigned char)size}, 1);
		put(message, name, size);
		name += size + (name[size] == '.');
	}
	put(message, "", 1);
}

/* Reads the name of the question. Returns how long it is in the message. */
static size_t question_name(const unsigned char *data, char name[NAME_SIZE])
{
	size_t at = 0, length = 0;

	while (data[at]) {
		if (length)
			name[length++] = '.';
		for (size_t i = 1; i <= data[at]; i++)
			name[length++] = (char)tolower(data[at + i]);
		at += data[at] + 1u;
	}
	name[length] = '\0';
	return at + 1;
}

static unsigned type_number(const char *type)
{
	return strcmp(type, "A") == 0 ? 1 : strcmp(type, "AAAA") == 0 ? 28 : 33;
}

static void put_data(struct message *message, const struct name_record *record)
{
	unsigned char address[16];
	char target[NAME_SIZE];
	unsigned priority, weight, port;

	switch (type_number(record->type)) {
	case 1:
		ck_assert_int_eq(inet_pton(AF_INET, record->data, address), 1);
		put(message, address, 4);
		break;
	case 28:
		ck_assert_int_eq(inet_pton(AF_INET6, record->data, address), 1);
		put(message, address, 16);
		break;
	default:
		ck_assert_int_eq(
			sscanf(record->data, "%u %u %u %255s", &priority, &weight, &port, target),
			4);
		put16(message, priority);
		put16(message, weight);
		put16(message, port);
		put_name(message, target);
	}
}

static void put_record(struct message *message, const struct name_record *record)
{
	size_t length_at;

	put_name(message, record->name);
	put16(message, type_number(record->type));
	put16(message, 1);
	put16(message, record->ttl_s >> 16);
	put16(message, record->ttl_s & 0xffff);
	length_at = message->length;
	put16(message, 0);
	put_data(message, record);
	message->bytes[length_at + 1] = (unsigned char)(message->length - length_at - 2);
}

static void answer(const struct name_server *server, const unsigned char *question,
		   struct message *message)
{
	char name[NAME_SIZE];
	size_t name_length = question_name(question + HEADER_BYTES, name);
	unsigned type = (unsigned)question[HEADER_BYTES + name_length] << 8 |
			question[HEADER_BYTES + name_length + 1];
	unsigned answers = 0, code = server->broken ? FAILED : NOT_FOUND;

	put(message, question, HEADER_BYTES + name_length + 4);
	for (const struct name_record *at = server->records; at->name && !server->broken; at++) {
		if (strcmp(at->name, name) != 0)
			continue;
		code = 0;
		if (type_number(at->type) != type)
			continue;
		put_record(message, at);
		answers++;
	}
	message->bytes[2] = 0x84; /* an answer, of who has the authority */
	message->bytes[3] = (unsigned char)(0x80 | code);
	message->bytes[7] = (unsigned char)answers;
	memset(message->bytes + 8, 0, 4);
}

static void asked(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *datagram)
{
	struct name_server *server = (struct name_server *)protocol;
	struct message message = {.length = 0};

	server->asked++;
	if (server->silent)
		return;
	answer(server, datagram->data, &message);
	if (server->spoil)
		server->spoil(message.bytes, &message.length);
	ck_assert_int_eq(
		adopt_port_send(server->base.port, datagram->peer, message.bytes, message.length),
		0);
}

static const struct adopt_datagram_protocol_ops ops = {.datagram_received = asked};

void name_server_start(struct name_server *server, const struct name_record *records)
{
	struct adopt_address address = fresh_address(AF_INET, false);
	int fd = bound_socket(SOCK_DGRAM, &address);

	*server = (struct name_server){.base.ops = &ops, .records = records};
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_INET, &server->base, 1024, NULL), 0);
	ck_assert_int_eq(adopt_port_local(server->base.port, &address), 0);
	adopt_address_format(&address, server->address, sizeof server->address);
	close(fd);
}
