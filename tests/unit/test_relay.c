/* Joined connections that carry little and much by turns: what is copied, what is
 * spliced, and what happens where the system does not help. splice(), pipe2() and fcntl()
 * are wrapped by the linker. */
#include "recorder.h"

#include "adopt/pipe_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the system is like. */
enum mood {
	WILLING,
	MOODY,       /* moves parts, is interrupted, finds nothing where there is something */
	REFUSES,     /* no splicing */
	NO_PIPES,    /* no descriptors for them */
	SMALL_PIPES, /* none may be enlarged */
	TINY_PIPES,  /* as they are for users who have many */
	MOODS
};

static enum mood mood;
static bool short_of_memory; /* for bytes on their way out of pipes */
static unsigned pipes;       /* made */
static unsigned tries;       /* of splice */
static uint64_t spliced;     /* bytes into pipes */
static unsigned enlarged;    /* pipes that were asked to be */

ssize_t __real_splice(int from, off_t *from_at, int to, off_t *to_at, size_t length,
		      unsigned flags);
ssize_t __wrap_splice(int from, off_t *from_at, int to, off_t *to_at, size_t length,
		      unsigned flags);
int __real_pipe2(int fds[2], int flags);
int __wrap_pipe2(int fds[2], int flags);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

static bool is_socket(int fd)
{
	struct adopt_socket_kind kind;

	return adopt_socket_inspect(fd, &kind) == 0;
}

ssize_t __wrap_splice(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags)
{
	ssize_t moved;

	tries++;
	if (mood == REFUSES) {
		errno = tries % 2 ? EINVAL : ENOSYS;
		return -1;
	}
	if (short_of_memory && is_socket(to)) {
		errno = ENOMEM;
		return -1;
	}
	if (mood == MOODY && next_random() % 3 == 0) {
		errno = next_random() % 2 ? EAGAIN : EINTR;
		return -1;
	}
	if (mood == MOODY)
		length = 1 + (next_random() * 7u) % length;
	moved = __real_splice(from, from_at, to, to_at, length, flags);
	if (moved > 0 && is_socket(from))
		spliced += (uint64_t)moved;
	return moved;
}

int __wrap_pipe2(int fds[2], int flags)
{
	if (mood == NO_PIPES) {
		errno = EMFILE;
		return -1;
	}
	pipes++;
	return __real_pipe2(fds, flags);
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;
	int argument;

	va_start(arguments, command);
	argument = va_arg(arguments, int);
	va_end(arguments);
	if (command == F_SETPIPE_SZ) {
		enlarged++;
		if (mood == SMALL_PIPES || mood == TINY_PIPES) {
			errno = EPERM;
			return -1;
		}
	}
	if (command == F_GETPIPE_SZ && mood == TINY_PIPES)
		return 2 * 4096;
	return __real_fcntl(fd, command, argument);
}

/* --- what is joined --- */

/* One of the two that talk through a join. */
struct end {
	struct adopt_attachment attachment; /* to the transport that it talks to */
	struct adopt_end told;
	int fd;
	uint64_t sent;
	uint64_t received;
	bool shut;  /* it has sent its end of file */
	bool ended; /* it has got one, or an error */
	int error;
};

struct pair {
	struct end near;
	struct end far;
	struct adopt_transport *outwards; /* to `far` */
	struct adopt_join_result result;
	unsigned finishes;
};

static struct recorder_factory *factory;
static unsigned open_at_first;

static void finished(void *context, const struct adopt_join_result *result)
{
	struct pair *pair = context;

	pair->result = *result;
	pair->finishes++;
}

static void told(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	((struct end *)attachment)->told = *end;
}

static struct adopt_transport *connect_end(struct end *end, const struct place *place)
{
	struct adopt_transport *transport =
		transport_of(recorder_connected(factory, place, &end->fd));

	end->attachment.ended = told;
	adopt_transport_attach(transport, &end->attachment);
	return transport;
}

static void join_pair(struct pair *pair, int near_place, int far_place)
{
	struct adopt_transport *inwards;

	memset(pair, 0, sizeof *pair);
	inwards = connect_end(&pair->near, &places[near_place]);
	pair->outwards = connect_end(&pair->far, &places[far_place]);
	ck_assert_int_eq(adopt_join(inwards, pair->outwards, 0, finished, pair), 0);
}

static void set_up(void)
{
	factory = recorder_factory_new();
	mood = WILLING;
	short_of_memory = false;
	pipes = tries = enlarged = 0;
	spliced = 0;
	open_at_first = open_descriptors();
}

/* The reactor's own descriptors are gone, and all that came meanwhile. */
static void tear_down(void)
{
	free_loop();
	ck_assert_uint_lt(open_descriptors(), open_at_first);
	recorder_factory_free(factory);
}

/* --- talking --- */

static unsigned char buffer[400000];

/* Sends as much as the system takes of so many bytes. */
static void say(struct end *end, size_t length)
{
	ssize_t sent;

	ck_assert_uint_le(length, sizeof buffer);
	if (end->shut)
		return;
	pattern_fill(end->sent, buffer, length);
	sent = send(end->fd, buffer, length, MSG_NOSIGNAL);
	if (sent > 0)
		end->sent += (uint64_t)sent;
}

static void hear(struct end *end, size_t length)
{
	ssize_t got;

	ck_assert_uint_le(length, sizeof buffer);
	if (end->ended)
		return;
	got = recv(end->fd, buffer, length, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		end->ended = true;
		end->error = got < 0 ? -errno : 0;
		return;
	}
	ck_assert(pattern_holds(end->received, buffer, (size_t)got));
	end->received += (uint64_t)got;
}

static void shut(struct end *end)
{
	if (!end->shut)
		ck_assert_int_eq(shutdown(end->fd, SHUT_WR), 0);
	end->shut = true;
}

static bool both_ended(struct pair *pair)
{
	hear(&pair->near, sizeof buffer);
	hear(&pair->far, sizeof buffer);
	return pair->near.ended && pair->far.ended;
}

/* Both have said all: it all arrives, and is counted. */
static void assert_complete(struct pair *pair)
{
	shut(&pair->near);
	shut(&pair->far);
	RUN_UNTIL(both_ended(pair));
	ck_assert_int_eq(pair->near.error, 0);
	ck_assert_int_eq(pair->far.error, 0);
	ck_assert_uint_eq(pair->far.received, pair->near.sent);
	ck_assert_uint_eq(pair->near.received, pair->far.sent);
	RUN_UNTIL(pair->finishes == 1);
	ck_assert_int_eq(pair->result.error, 0);
	ck_assert_uint_eq(pair->result.bytes_from[0], pair->near.sent);
	ck_assert_uint_eq(pair->result.bytes_from[1], pair->far.sent);
	ck_assert_uint_eq(pair->near.told.received, pair->near.sent);
	ck_assert_uint_eq(pair->near.told.sent, pair->near.received);
	ck_assert_uint_eq(pair->far.told.received, pair->far.sent);
	ck_assert_uint_eq(pair->far.told.sent, pair->far.received);
	close(pair->near.fd);
	close(pair->far.fd);
}

/* Often little, sometimes much. */
static size_t some_length(void)
{
	size_t most = next_random() % 3 ? 500 : sizeof buffer;

	return 1 + (next_random() * 32768u + next_random()) % most;
}

static void act(struct end *end)
{
	switch (next_random() % 8) {
	case 0:
	case 1:
	case 2:
		say(end, some_length());
		break;
	case 3:
	case 4:
	case 5:
		hear(end, some_length());
		break;
	default:
		break;
	}
}

/* Both do what they like for a while. */
static void talk(struct pair *pair, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		act(&pair->near);
		act(&pair->far);
		if (next_random() % 3 == 0)
			harness_turn(harness_bound(), "", __FILE__, __LINE__);
	}
}

static void seed(int number)
{
	for (int i = 0; i < number * 101; i++)
		next_random();
}

#define SEEDS 8
#define STEPS 200

/* Which places are joined, by turns: TCP, IPv6 and UNIX in both orders. */
static void join_some(struct pair *pair, int number)
{
	join_pair(pair, number % STREAM_PLACES, (number / 2 + 2) % STREAM_PLACES);
}

START_TEST(any_schedule)
{
	struct pair pair;

	mood = (enum mood)(_i / SEEDS);
	seed(_i);
	join_some(&pair, _i);
	talk(&pair, STEPS);
	/* Half closed, the other says more. */
	shut(_i % 2 ? &pair.near : &pair.far);
	talk(&pair, STEPS);
	assert_complete(&pair);
	ck_assert_int_eq(spliced > 0, mood == WILLING || mood == MOODY || mood == SMALL_PIPES);
	ck_assert_uint_lt(spliced, pair.near.sent + pair.far.sent);
	ck_assert_int_eq(enlarged > 0, mood != NO_PIPES);
	ck_assert_int_eq(tries > 0, mood != NO_PIPES && mood != TINY_PIPES);
}
END_TEST

/* A reset at any moment: what arrives before it is the beginning of what was sent. */
START_TEST(any_schedule_reset)
{
	struct pair pair;
	struct end *first, *second;

	mood = (enum mood)(_i / SEEDS);
	seed(_i);
	join_pair(&pair, _i % 2, 0);
	first = _i % 3 ? &pair.near : &pair.far;
	second = first == &pair.near ? &pair.far : &pair.near;
	talk(&pair, next_random() % STEPS);
	close_with_reset(first->fd);
	while (!second->ended) {
		hear(second, sizeof buffer);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
	}
	ck_assert_int_eq(second->error, -ECONNRESET);
	ck_assert_uint_le(second->received, first->sent);
	RUN_UNTIL(pair.finishes == 1);
	ck_assert_int_eq(pair.result.error, -ECONNRESET);
	close(second->fd);
}
END_TEST

/* --- when which way is taken --- */

START_TEST(little_is_copied)
{
	struct pair pair;

	join_pair(&pair, _i, 0);
	for (int i = 0; i < 50; i++) {
		say(&pair.near, 2000);
		RUN_UNTIL(readable(pair.far.fd));
		hear(&pair.far, 2000);
		say(&pair.far, 2000);
		RUN_UNTIL(readable(pair.near.fd));
		hear(&pair.near, 2000);
	}
	assert_complete(&pair);
	ck_assert_uint_eq(tries, 0);
	ck_assert_uint_eq(pipes, 0);
}
END_TEST

#define MANY 20
#define LARGE (2u << 20)

/* One way, to its end. */
static void carry_bulk(struct pair *pair)
{
	uint64_t wanted = pair->far.received + LARGE;

	do {
		say(&pair->near, sizeof buffer);
		hear(&pair->far, sizeof buffer);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
	} while (pair->far.received < wanted);
	while (pair->far.received < pair->near.sent) {
		hear(&pair->far, sizeof buffer);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
	}
}

/* Whatever it has carried, a connection at rest has its two descriptors alone. */
START_TEST(rest_holds_nothing)
{
	static struct pair pairs[MANY];
	unsigned before = open_descriptors();

	for (int i = 0; i < MANY; i++)
		join_pair(&pairs[i], _i, 0);
	for (int i = 0; i < MANY; i++)
		carry_bulk(&pairs[i]);
	settle();
	ck_assert_uint_gt(spliced, MANY * LARGE / 2);
	ck_assert_uint_le(open_descriptors(), before + 4 * MANY + 2 * PIPES_KEPT);
	assert_new_close_on_exec();
	for (int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(adopt_transport_queued(pairs[i].outwards), 0);
		assert_complete(&pairs[i]);
	}
}
END_TEST

/* Bulk that nobody reads any more after a while. */
static void fill_up(struct pair *pair)
{
	uint64_t sent;

	do {
		sent = pair->near.sent;
		say(&pair->near, sizeof buffer);
		if (pair->far.received < LARGE / 4)
			hear(&pair->far, sizeof buffer);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
	} while (pair->near.sent > sent);
}

#define CROWD (PIPES_MAX + 8)

/* Who gets no pipe is copied. */
START_TEST(pipes_are_bounded)
{
	static struct pair pairs[CROWD];

	for (int i = 0; i < CROWD; i++) {
		join_pair(&pairs[i], 0, 0);
		fill_up(&pairs[i]);
	}
	ck_assert_uint_eq(pipes, PIPES_MAX);
	for (int i = 0; i < CROWD; i++)
		assert_complete(&pairs[i]);
}
END_TEST

/* What is in a pipe counts as queued, and nothing is written behind it. */
START_TEST(full_pipe_is_a_queue)
{
	struct pair pair;

	join_pair(&pair, 0, _i);
	fill_up(&pair);
	ck_assert_uint_gt(adopt_transport_queued(pair.outwards), 0);
	ck_assert_uint_le(adopt_transport_queued(pair.outwards), PIPE_BYTES);
	ck_assert_int_eq(adopt_transport_write(pair.outwards, "x", 1), -ENOBUFS);
	assert_complete(&pair);
}
END_TEST

/* The connection ends while bytes are in the pipe: those are gone, the pipe too. */
START_TEST(full_pipe_is_closed)
{
	struct pair pair;
	unsigned before = open_descriptors();

	join_pair(&pair, 0, 0);
	ck_assert_int_eq(adopt_transport_set_idle_timeout(pair.outwards, 200), 0);
	fill_up(&pair);
	RUN_UNTIL(pair.finishes == 1);
	ck_assert_int_eq(pair.result.error, -ETIMEDOUT);
	close(pair.near.fd);
	close(pair.far.fd);
	ck_assert_uint_le(open_descriptors(), before + 2 * PIPES_KEPT);
}
END_TEST

static unsigned broken_pipes;

static void count_broken_pipe(int number)
{
	(void)number;
	broken_pipes++;
}

/* Nobody is left to take what is in the pipe: that is an error, and no signal. */
START_TEST(no_signal)
{
	struct pair pair;
	sigset_t pending;

	signal(SIGPIPE, count_broken_pipe);
	join_pair(&pair, 0, _i);
	fill_up(&pair);
	close_with_reset(pair.far.fd);
	do {
		hear(&pair.near, sizeof buffer);
		say(&pair.near, sizeof buffer);
		harness_turn(harness_bound(), "", __FILE__, __LINE__);
	} while (pair.finishes == 0);
	ck_assert_int_eq(pair.result.error, -ECONNRESET);
	ck_assert_uint_eq(broken_pipes, 0);
	ck_assert_int_eq(sigpending(&pending), 0);
	ck_assert(!sigismember(&pending, SIGPIPE));
	raise(SIGPIPE);
	ck_assert_uint_eq(broken_pipes, 1);
	close(pair.near.fd);
}
END_TEST

/* Bytes are gone that both ends wait for: neither is left hanging. */
START_TEST(shortage_ends_both)
{
	struct pair pair;

	short_of_memory = true;
	join_pair(&pair, 0, _i);
	fill_up(&pair);
	RUN_UNTIL(pair.finishes == 1);
	ck_assert_int_eq(pair.result.error, -ENOMEM);
	RUN_UNTIL(both_ended(&pair));
	close(pair.near.fd);
	close(pair.far.fd);
}
END_TEST

/* An urgent byte amid the others: splicing stops before it, reading goes on behind it. It
 * is not of the stream, and is not passed on. */
START_TEST(urgent_data)
{
	struct pair pair;

	join_pair(&pair, 0, _i);
	for (int i = 0; i < 5; i++) {
		carry_bulk(&pair);
		say(&pair.near, 100000);
		ck_assert_int_eq(send(pair.near.fd, "!", 1, MSG_OOB), 1);
		say(&pair.near, 1 + next_random());
	}
	assert_complete(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *tests = harness_case("relay");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, any_schedule, 0, MOODS * SEEDS);
	tcase_add_loop_test(tests, any_schedule_reset, 0, MOODS * SEEDS);
	tcase_add_loop_test(tests, little_is_copied, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, rest_holds_nothing, 0, STREAM_PLACES);
	tcase_add_test(tests, pipes_are_bounded);
	tcase_add_loop_test(tests, full_pipe_is_a_queue, 0, STREAM_PLACES);
	tcase_add_test(tests, full_pipe_is_closed);
	tcase_add_loop_test(tests, no_signal, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, shortage_ends_both, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, urgent_data, 0, STREAM_PLACES);
	return harness_main(suite);
}
