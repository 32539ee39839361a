/*
 * harness.h - what the tests of the real reactor share: a loop that is run until
 * something holds, sockets to adopt, protocols that record, peers that talk.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "adopt/adopt.h"

#include <check.h>
#include <stdio.h>

/* The reactor of the test, made and freed by the fixture of harness_case(). */
extern struct adopt_reactor *loop;

/* A test case whose tests have a reactor of their own, in a process of their
 * own, and a directory for UNIX paths. */
TCase *harness_case(const char *name);

/* Frees the reactor before the fixture would. */
void free_loop(void);

/* Runs a suite. Returns the exit code for main(). */
int harness_main(Suite *suite);

/* Runs the loop until a condition holds; fails the test if it never does. */
#define RUN_UNTIL(condition)                                                                       \
	do {                                                                                       \
		uint64_t harness_deadline = harness_bound();                                       \
		while (!(condition))                                                               \
			harness_turn(harness_deadline, #condition, __FILE__, __LINE__);            \
	} while (0)

/* Timers go by a clock that makes a step with each tick of the system, and that lags where
 * the processor which turns it is busy: they may elapse so much early by adopt_reactor_now_ms(). */
#define CLOCK_STEP_MS 20

/* When a wait that begins now has gone on for too long. */
uint64_t harness_bound(void);
/* Runs the loop for a moment; fails the test past the deadline. */
void harness_turn(uint64_t deadline, const char *condition, const char *file, int line);

/* Runs the loop for some turns: to show that something does not happen. */
void settle(void);

/* Returns how many descriptors the process has open, and remembers which. */
unsigned open_descriptors(void);
/* Asserts that all those opened since are close-on-exec. */
void assert_new_close_on_exec(void);

/* Lowers the descriptor limit and uses up all but `spare` descriptors. */
void use_up_descriptors(unsigned spare);
/* Gives them back. */
void give_back_descriptors(void);

/* The fixture's directory for UNIX paths. */
void directory_set_up(void);
void directory_tear_down(void);

/* --- addresses and sockets (sockets.c) --- */

/* A kind of stream socket to run a test on. */
struct place {
	const char *name;
	int family;
	int type;
	bool abstract;
};

/* IPv4, IPv6, UNIX path, UNIX abstract; then the two UNIX ones as seqpacket. */
extern const struct place places[];
#define PLACES 6
#define STREAM_PLACES 4

/* Returns a fresh address of a family: loopback, a path, or (AF_UNIX with
 * `abstract`) an abstract name. */
struct adopt_address fresh_address(int family, bool abstract);

/* Makes a socket that is bound, non-blocking and, but for datagrams, listening. */
int bound_socket(int type, const struct adopt_address *address);
int place_listener(const struct place *place);

/* Makes a non-blocking client of whoever listens where `listener` does. */
int client_of(int listener);

/* Make a connected non-blocking pair: a client and what a place accepted, the
 * same of IPv4, and a socketpair of UNIX sockets, which have no names. */
void place_pair(const struct place *place, int pair[2]);
void tcp_pair(int pair[2]);
void unix_pair(int type, int pair[2]);

/* Tell a socket's own and its peer's address. */
struct adopt_address own_address(int fd);
struct adopt_address peer_address(int fd);

/* Asserts that two addresses are the same, byte for byte. */
void assert_same_address(const struct adopt_address *a, const struct adopt_address *b);

/* Sends, and asserts that all was taken. */
void send_text(int fd, const char *text);
/* Has the socket reset when it is closed; closes it so. */
void reset_on_close(int fd);
void close_with_reset(int fd);
/* Tells whether a descriptor can be read from (data, end of file or error). */
bool readable(int fd);
/* Reads `length` bytes that are there already, and asserts that they are `text`. */
void assert_reads(int fd, const char *text);
/* Asserts that nothing can be read any more. Returns 0 at an end of file, or the
 * error of the connection, or -EAGAIN. */
int end_of(int fd);

/* Fills a buffer with the pattern that begins at an offset of a stream. */
void pattern_fill(uint64_t offset, void *buffer, size_t length);
/* Tells whether a buffer is the pattern at an offset. */
bool pattern_holds(uint64_t offset, const void *buffer, size_t length);

/* Returns pseudo-random numbers, the same ones in every run. */
unsigned next_random(void);

#endif
