/*
 * Load for a server, and the backend behind it:
 *
 *	load [OPTION]... MODE PORT
 *
 *	-b FD        serve what the server passes on, on this listening or datagram socket
 *	-c CLIENTS   at a time, in each process (64)
 *	-j COUNT     processes (1)
 *	-s SECONDS   the time that is measured (1)
 *	-z BYTES     of a message (64)
 *	-w PACKETS   of a client under way (4)
 *	-f FILE      what short clients say, in the place of a message
 *	-h           short clients half-close once they have said it
 *	-1           pingpong: one message of each client, which ends the time
 *
 * The modes are short, pingpong, download, bulk and udp. PORT is one of 127.0.0.1.
 *
 * Once all clients are there it says `ready`, and waits for a line on its standard input.
 * Then the time runs. When it is over, and what was under way has ended, it prints what
 * was counted as an object of JSON on one line, and waits for another line, with all
 * connections kept open. An operation is a connection, a round trip, a byte or a packet.
 */
#include "load.h"
#include "pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESSES_MAX 64

static const struct load_mode *const modes[] = {&load_short, &load_pingpong, &load_download,
						&load_bulk, &load_udp};

static void usage(void)
{
	fprintf(stderr, "usage: load [-b FD] [-c CLIENTS] [-j COUNT] [-s SECONDS] [-z BYTES]\n"
			"            [-w PACKETS] [-f FILE] [-h] [-1] MODE PORT\n");
	exit(64);
}

static unsigned read_number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || number < min || number > max)
		usage();
	return (unsigned)number;
}

static void read_opening(struct load *load, const char *path)
{
	unsigned char *opening = load_alloc(1, MESSAGE_MAX_BYTES);
	FILE *file = fopen(path, "re");

	if (!file)
		load_die(path);
	load->size = fread(opening, 1, MESSAGE_MAX_BYTES, file);
	if (load->size < MESSAGE_MIN_BYTES || ferror(file))
		load_die(path);
	fclose(file);
	load->opening = opening;
}

static void read_seconds(struct load *load, const char *text)
{
	double seconds = strtod(text, NULL);

	if (!(seconds > 0 && seconds <= 3600))
		usage();
	load->run_ns = (uint64_t)(seconds * 1e9);
}

static void read_mode(struct load *load, const char *name)
{
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(modes[i]->name, name) == 0)
			load->mode = modes[i];
	}
	if (!load->mode)
		usage();
	if (load->size == 0 && load->mode != &load_short)
		usage();
	if (load->backend_fd >= 0 && !load->mode->backend && !load->mode->datagram_backend)
		usage();
}

/* Returns how many processes are to be there. */
static unsigned read_options(struct load *load, int argc, char *argv[])
{
	unsigned processes = 1;
	int option;

	while ((option = getopt(argc, argv, "b:c:j:s:z:w:f:h1")) != -1) {
		switch (option) {
		case 'b':
			load->backend_fd = (int)read_number(optarg, 0, 1 << 20);
			break;
		case 'c':
			load->clients = read_number(optarg, 1, 1 << 20);
			break;
		case 'j':
			processes = read_number(optarg, 1, PROCESSES_MAX);
			break;
		case 's':
			read_seconds(load, optarg);
			break;
		case 'z':
			load->size = read_number(optarg, 0, MESSAGE_MAX_BYTES);
			if (load->size > 0 && load->size < MESSAGE_MIN_BYTES)
				usage();
			break;
		case 'w':
			load->window = read_number(optarg, 1, LOAD_WINDOW_MAX);
			break;
		case 'f':
			read_opening(load, optarg);
			break;
		case 'h':
			load->half_close = true;
			break;
		case '1':
			load->once = true;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2)
		usage();
	read_mode(load, argv[optind]);
	load->target.sin_port = htons((uint16_t)read_number(argv[optind + 1], 1, 65535));
	load->streams = processes * load->clients;
	return processes;
}

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		load_die("memory");
	return memory;
}

/* Returns the descriptor that controls the process. */
static int start_process(struct load *load, unsigned number)
{
	int fds[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		load_die("socketpair");
	child = fork();
	if (child < 0)
		load_die("fork");
	if (child == 0) {
		close(fds[0]);
		load->process = number;
		load->counts += number;
		load_run(load, fds[1]);
	}
	close(fds[1]);
	return fds[0];
}

static void tell_all(const int *controls, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (load_send(controls[i], "g", 1) != 1)
			exit(EXIT_FAILURE);
	}
}

/* Ends where one of them has ended: it has said why. */
static void wait_for_all(const int *controls, unsigned count)
{
	char what;

	for (unsigned i = 0; i < count; i++) {
		if (load_receive(controls[i], &what, 1) != 1)
			exit(EXIT_FAILURE);
	}
}

/* Waits for a line; an end in its place ends all. */
static void wait_for_line(void)
{
	int letter;

	while ((letter = getchar()) != '\n') {
		if (letter == EOF)
			exit(EXIT_SUCCESS);
	}
}

static double microseconds(const struct histogram *latency, double share_of_all)
{
	return (double)histogram_quantile(latency, share_of_all) / 1000;
}

static void report(const struct counts *counts, unsigned processes)
{
	struct counts sum = {0};

	for (unsigned i = 0; i < processes; i++) {
		sum.operations += counts[i].operations;
		sum.all += counts[i].all;
		sum.failed += counts[i].failed;
		sum.wrong += counts[i].wrong;
		if (counts[i].elapsed_ns > sum.elapsed_ns)
			sum.elapsed_ns = counts[i].elapsed_ns;
		histogram_merge(&sum.latency, &counts[i].latency);
	}
	printf("{\"operations\": %llu, \"all\": %llu, \"failed\": %llu, \"wrong\": %llu, "
	       "\"seconds\": %.6f, \"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f}\n",
	       (unsigned long long)sum.operations, (unsigned long long)sum.all,
	       (unsigned long long)sum.failed, (unsigned long long)sum.wrong,
	       (double)sum.elapsed_ns / 1e9, microseconds(&sum.latency, 0.5),
	       microseconds(&sum.latency, 0.99), microseconds(&sum.latency, 0.999));
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct load load = {
		.target = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.size = 64,
		.backend_fd = -1,
		.clients = 64,
		.window = 4,
		.run_ns = 1000000000,
	};
	unsigned processes = read_options(&load, argc, argv);
	int controls[PROCESSES_MAX] = {0};
	const struct counts *counts;

	pattern_init();
	counts = load.counts = share(processes * sizeof *load.counts);
	load.sent = share(load.streams * sizeof *load.sent);
	/* One that accepts is not to wait where another was faster. */
	if (load.backend_fd >= 0 && fcntl(load.backend_fd, F_SETFL, O_NONBLOCK) < 0)
		load_die("the backend");
	for (unsigned i = 0; i < processes; i++)
		controls[i] = start_process(&load, i);
	wait_for_all(controls, processes);
	puts("ready");
	fflush(stdout);
	wait_for_line();
	tell_all(controls, processes);
	wait_for_all(controls, processes);
	report(counts, processes);
	wait_for_line();
	return EXIT_SUCCESS;
}
