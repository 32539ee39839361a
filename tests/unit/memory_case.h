/* memory_case.h - what the tests of the memory reactor share */
#ifndef MEMORY_CASE_H
#define MEMORY_CASE_H

#include "recorder.h"

/* Nobody's descriptors: a test reactor does not look at them. */
#define FD 4711
#define OTHER_FD 4712

/* Made and freed by the fixture of memory_case(). */
extern struct recorder_factory *factory;
extern struct datagram_recorder datagrams;

/* A test case in which `loop` is a memory reactor. */
TCase *memory_case(const char *name);

/* Reads an address. */
struct adopt_address address_of(const char *text);

/* Adopt FD as a port of `factory`, and an IPv4 one of `datagrams`. */
struct adopt_port *new_stream_port(int family);
struct adopt_port *new_datagram_port(size_t max_packet_size);

/* Connects to an address, with `factory`. */
struct adopt_connector *connector_to(const struct adopt_address *address, uint64_t timeout_ms);

/* Return the records of a port and of an outbound connect. */
const struct adopt_memory_port *port_record(size_t index);
const struct adopt_memory_connect *connect_record(size_t index);

/* Makes a connection in memory. Returns its recorder, the last of `factory`. */
struct recorder *connected(void);

/* Delivers text to a recorder. Returns what adopt_memory_deliver() does. */
int deliver(struct recorder *recorder, const char *text);

/* Asserts that just this is written, and not taken. */
void assert_written(struct recorder *recorder, const char *text);

/* Asserts that a turn of the loop does not end the connection. */
void assert_lives(struct recorder *recorder);

/* Asserts that nothing is left to come but the end, and that it comes on the next
 * turn, with this error. */
void assert_ends(struct recorder *recorder, int error);

#endif
