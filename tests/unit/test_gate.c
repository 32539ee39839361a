/* Who may come through a port block, and how many. */
#include "memory_case.h"
#include "routing/gate.h"
#include "routing/rate.h"
#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OPTIONS 8
#define TEXT_BYTES 4096

static struct faults *faults;
static struct gate_settings settings;
static struct host host;
static struct ledger *ledger;
static struct gate *gate;
static FILE *lines;
static char text[TEXT_BYTES];

static void set_up(void)
{
	ck_assert_int_eq(faults_new(&faults), 0);
	lines = tmpfile();
	ck_assert_ptr_nonnull(lines);
	ck_assert_int_ge(dup2(fileno(lines), STDERR_FILENO), 0);
}

static void free_gate(void)
{
	if (gate)
		gate_close(gate);
	gate_free(&gate);
	host_done(&host);
	ledger_free(&ledger);
}

static void tear_down(void)
{
	free_gate();
	gate_settings_done(&settings);
	faults_free(&faults);
	fclose(lines);
}

/* Returns what has been logged since the last call. */
static const char *logged(void)
{
	size_t length;

	rewind(lines);
	length = fread(text, 1, sizeof text - 1, lines);
	text[length] = '\0';
	ck_assert_int_eq(ftruncate(fileno(lines), 0), 0);
	rewind(lines);
	return text;
}

/* Reads options, written as in a port block. */
static int read_settings(const char *block)
{
	cfg_opt_t options[MAX_OPTIONS] = {CFG_END()};
	cfg_t *section;
	int error;

	for (size_t i = 0; i + 1 < MAX_OPTIONS && gate_options[i].name; i++)
		options[i] = gate_options[i];
	section = cfg_init(options, CFGF_NONE);
	ck_assert_ptr_nonnull(section);
	ck_assert_int_eq(cfg_parse_buf(section, block), CFG_SUCCESS);
	error = gate_settings_read(section, faults, &settings);
	cfg_free(section);
	return error;
}

static void new_gate(const char *block)
{
	ck_assert_int_eq(read_settings(block), 0);
	ck_assert_int_eq(ledger_new(&ledger), 0);
	ck_assert_int_eq(ledger_set_limits(ledger, &settings), 0);
	host_init(&host, loop, NULL);
	ck_assert_int_eq(gate_new(&settings, "web", &host, ledger, &gate), 0);
}

static void add_port(struct adopt_port *port)
{
	ck_assert_int_eq(host_add_port(&host, port), 0);
	gate_open(gate);
}

/* Ends a connection; who waits for its place is told on a turn of the loop. */
static void end(struct gate_ticket *ticket)
{
	gate_end(ticket);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
}

/* Begins a connection and asks whether it may stay. */
static int admit(struct gate_ticket *ticket, const char *peer)
{
	struct adopt_address address = address_of(peer);

	gate_begin(gate, ticket);
	return gate_admit(ticket, &address);
}

/* The same for one that is over at once. */
static int visit(const char *peer)
{
	struct gate_ticket ticket = {0};
	int error = admit(&ticket, peer);

	gate_end(&ticket);
	return error;
}

/* Returns how many of some visits of a source may stay; the others are too many. */
static unsigned visits(const char *peer, unsigned count)
{
	unsigned stayed = 0;

	while (count-- > 0) {
		int error = visit(peer);

		ck_assert(error == 0 || error == -EBUSY);
		stayed += error == 0;
	}
	return stayed;
}

static void add_fault(void *context, enum fault_severity severity, const char *line)
{
	(void)context;
	ck_assert_int_eq(severity, FAULT_ERROR);
	strcat(strcat(text, line), "\n");
}

static void assert_faults(const char *const *expected, size_t count)
{
	text[0] = '\0';
	faults_report(faults, add_fault, NULL);
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr(text, expected[i]) != NULL, "%s is not in\n%s", expected[i],
			      text);
}

/* --- settings --- */

START_TEST(nothing_is_asked_for_by_default)
{
	static const char *const blocks[] = {
		"allow = {\"unix\"}", "deny = {\"10.0.0.0/8\"}", "max-connections = 1",
		"max-connections-per-source = 1", "rate-per-source = \"1/s\""};

	ck_assert_int_eq(read_settings(""), 0);
	ck_assert(!gate_settings_any(&settings));
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
		ck_assert_int_eq(read_settings(blocks[i]), 0);
		ck_assert_msg(gate_settings_any(&settings), "%s", blocks[i]);
		gate_settings_done(&settings);
	}
	ck_assert(!gate_settings_any(&settings));
	gate_settings_done(&settings);
}
END_TEST

START_TEST(settings_are_read)
{
	ck_assert_int_eq(read_settings("allow = {\"10.0.0.0/8\", \"unix\"}\n"
				       "deny = {\"2001:db8::/32\"}\n"
				       "max-connections = 100\n"
				       "max-connections-per-source = 7\n"
				       "rate-per-source = \"10/s\"\n"),
			 0);
	ck_assert_uint_eq(settings.allow_count, 2);
	ck_assert_int_eq(settings.allow[0].family, AF_INET);
	ck_assert_int_eq(settings.allow[1].family, AF_UNIX);
	ck_assert_uint_eq(settings.deny_count, 1);
	ck_assert_uint_eq(settings.deny[0].bits, 32);
	ck_assert_uint_eq(settings.max_connections, 100);
	ck_assert_uint_eq(settings.max_per_source, 7);
	ck_assert_uint_eq(settings.rate_count, 10);
	ck_assert_uint_eq(settings.rate_ms, 1000);
}
END_TEST

START_TEST(rates_have_units)
{
	ck_assert_int_eq(read_settings("rate-per-source = \"1000000/m\""), 0);
	ck_assert_uint_eq(settings.rate_count, RATE_MAX_COUNT);
	ck_assert_uint_eq(settings.rate_ms, 60000);
	ck_assert_int_eq(read_settings("rate-per-source = \"1/h\""), 0);
	ck_assert_uint_eq(settings.rate_count, 1);
	ck_assert_uint_eq(settings.rate_ms, 3600000);
	ck_assert_int_eq(read_settings("rate-per-source = \"0\""), 0);
	ck_assert_uint_eq(settings.rate_count, 0);
}
END_TEST

START_TEST(every_fault_is_told)
{
	static const char *const expected[] = {
		"allow: \"10.0.0.1/8\" has bits set",
		"allow: \"ten\" is no network",
		"deny: \"::/129\" needs a number from 0 to 128",
		"max-connections: \"many\" is not a number",
		"max-connections-per-source: 1000000001 is out of range",
		"rate-per-source: \"10\" is no rate",
	};

	settings.max_connections = 4711;
	ck_assert_int_eq(read_settings("allow = {\"10.0.0.1/8\", \"unix\", \"ten\"}\n"
				       "deny = {\"::/129\"}\n"
				       "max-connections = many\n"
				       "max-connections-per-source = 1000000001\n"
				       "rate-per-source = \"10\"\n"),
			 -EINVAL);
	assert_faults(expected, sizeof expected / sizeof expected[0]);
	ck_assert_uint_eq(settings.max_connections, 4711);
	ck_assert_ptr_null(settings.allow);
}
END_TEST

START_TEST(bad_rate_is_a_fault)
{
	static const struct {
		const char *rate;
		const char *fault;
	} cases[] = {
		{"", "\"\" is no rate"},
		{"/s", "\"/s\" is no rate"},
		{"10/", "\"10/\" is no rate"},
		{"10/d", "\"10/d\" is no rate"},
		{"10/ss", "\"10/ss\" is no rate"},
		{"10/s/s", "\"10/s/s\" is no rate"},
		{"-1/s", "\"-1/s\" is no rate"},
		{"0/s", "\"0/s\" is out of range; it is from 1 to 1000000"},
		{"1000001/s", "\"1000001/s\" is out of range"},
		{"99999999999999999999999999999/s", "is out of range"},
		{"00000000000000000000000000000001/s", "is no rate"},
	};
	char block[128];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(block, sizeof block, "rate-per-source = \"%s\"", cases[i].rate);
		ck_assert_int_eq(read_settings(block), -EINVAL);
		assert_faults(&cases[i].fault, 1);
		faults_free(&faults);
		ck_assert_int_eq(faults_new(&faults), 0);
	}
}
END_TEST

/* --- allow and deny --- */

START_TEST(without_options_everybody_may_come)
{
	struct adopt_address unknown = {.length = 0};
	struct gate_ticket ticket = {0};

	new_gate("");
	ck_assert_int_eq(visit("192.0.2.2:1024"), 0);
	ck_assert_int_eq(visit("[2001:db8::2]:1024"), 0);
	ck_assert_int_eq(visit("unix:/run/peer"), 0);
	gate_begin(gate, &ticket);
	ck_assert_int_eq(gate_admit(&ticket, &unknown), 0);
	gate_end(&ticket);
	ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(deny_refuses_just_its_networks)
{
	new_gate("deny = {\"192.0.2.0/30\", \"2001:db8::/32\"}");
	ck_assert_int_eq(visit("192.0.2.0:1024"), -EACCES);
	ck_assert_int_eq(visit("192.0.2.3:1024"), -EACCES);
	ck_assert_int_eq(visit("[::ffff:192.0.2.3]:1024"), -EACCES);
	ck_assert_int_eq(visit("192.0.2.4:1024"), 0);
	ck_assert_int_eq(visit("[2001:db8:ffff::1]:1024"), -EACCES);
	ck_assert_int_eq(visit("[2001:db9::1]:1024"), 0);
	ck_assert_int_eq(visit("unix:/run/peer"), 0);
}
END_TEST

START_TEST(allow_refuses_all_else)
{
	struct adopt_address unknown = {.length = 0};
	struct gate_ticket ticket = {0};

	new_gate("allow = {\"192.0.2.0/30\", \"2001:db8::/32\"}");
	ck_assert_int_eq(visit("192.0.2.3:1024"), 0);
	ck_assert_int_eq(visit("[::ffff:192.0.2.3]:1024"), 0);
	ck_assert_int_eq(visit("192.0.2.4:1024"), -EACCES);
	ck_assert_int_eq(visit("[2001:db8::1]:1024"), 0);
	ck_assert_int_eq(visit("[2001:db9::1]:1024"), -EACCES);
	ck_assert_int_eq(visit("unix:/run/peer"), -EACCES);
	gate_begin(gate, &ticket);
	ck_assert_int_eq(gate_admit(&ticket, &unknown), -EACCES);
	gate_end(&ticket);
}
END_TEST

START_TEST(deny_wins)
{
	new_gate("allow = {\"10.0.0.0/8\"} deny = {\"10.1.0.0/16\", \"unix\"}");
	ck_assert_int_eq(visit("10.0.0.1:1024"), 0);
	ck_assert_int_eq(visit("10.1.0.1:1024"), -EACCES);
	ck_assert_int_eq(visit("10.2.0.1:1024"), 0);
	ck_assert_int_eq(visit("unix:/run/peer"), -EACCES);
}
END_TEST

START_TEST(unix_is_a_network)
{
	new_gate("allow = {\"unix\"}");
	ck_assert_int_eq(visit("unix:/run/peer"), 0);
	ck_assert_int_eq(visit("unix:@peer"), 0);
	ck_assert_int_eq(visit("127.0.0.1:1024"), -EACCES);
}
END_TEST

/* --- max-connections --- */

START_TEST(ports_pause_at_max_connections)
{
	struct gate_ticket tickets[3] = {{0}};

	new_gate("max-connections = 2");
	add_port(new_stream_port(AF_INET));
	add_port(new_stream_port(AF_INET6));
	gate_begin(gate, &tickets[0]);
	ck_assert(!port_record(0)->paused && !port_record(1)->paused);
	gate_begin(gate, &tickets[1]);
	ck_assert(port_record(0)->paused && port_record(1)->paused);
	ck_assert_str_eq(logged(), "adoptd: port \"web\": accepting pauses, "
				   "max-connections (2) is reached\n");

	/* One that came by another way. */
	gate_begin(gate, &tickets[2]);
	end(&tickets[1]);
	ck_assert(port_record(0)->paused && port_record(1)->paused);
	end(&tickets[0]);
	ck_assert(!port_record(0)->paused && !port_record(1)->paused);

	gate_begin(gate, &tickets[0]);
	ck_assert(port_record(0)->paused);
	ck_assert_str_eq(logged(), "");
	end(&tickets[0]);
	end(&tickets[2]);
	ck_assert(!port_record(0)->paused && !port_record(1)->paused);
}
END_TEST

START_TEST(without_a_limit_nothing_pauses)
{
	struct gate_ticket tickets[100] = {{0}};

	new_gate("max-connections-per-source = 1");
	add_port(new_stream_port(AF_INET));
	for (size_t i = 0; i < 100; i++)
		gate_begin(gate, &tickets[i]);
	ck_assert(!port_record(0)->paused);
	for (size_t i = 0; i < 100; i++)
		end(&tickets[i]);
}
END_TEST

START_TEST(refused_connection_counts_until_it_ends)
{
	struct gate_ticket ticket = {0};

	new_gate("max-connections = 1 deny = {\"192.0.2.2\"}");
	add_port(new_stream_port(AF_INET));
	ck_assert_int_eq(admit(&ticket, "192.0.2.2:1024"), -EACCES);
	ck_assert(port_record(0)->paused);
	end(&ticket);
	ck_assert(!port_record(0)->paused);
}
END_TEST

START_TEST(port_that_comes_late_is_paused_at_once)
{
	struct gate_ticket ticket = {0};

	new_gate("max-connections = 1");
	gate_begin(gate, &ticket);
	add_port(new_stream_port(AF_INET));
	ck_assert(port_record(0)->paused);
	end(&ticket);
	ck_assert(!port_record(0)->paused);
}
END_TEST

START_TEST(closed_gate_leaves_ports_alone)
{
	struct gate_ticket tickets[2] = {{0}};

	new_gate("max-connections = 1");
	add_port(new_stream_port(AF_INET));
	gate_begin(gate, &tickets[0]);
	ck_assert(port_record(0)->paused);
	gate_close(gate);
	ck_assert(!port_record(0)->paused);
	gate_begin(gate, &tickets[1]);
	ck_assert(!port_record(0)->paused);
	end(&tickets[0]);
	gate_open(gate);
	ck_assert(port_record(0)->paused);
	end(&tickets[1]);
	ck_assert(!port_record(0)->paused);
}
END_TEST

START_TEST(gates_of_one_ledger_share_its_limit)
{
	struct gate_ticket tickets[3] = {{0}};
	struct host other_host;
	struct gate *other;

	new_gate("max-connections = 2");
	add_port(new_stream_port(AF_INET));
	host_init(&other_host, loop, NULL);
	ck_assert_int_eq(gate_new(&settings, "web", &other_host, ledger, &other), 0);
	ck_assert_int_eq(host_add_port(&other_host, new_stream_port(AF_INET)), 0);
	gate_open(other);
	/* Each has a slot for its next client, and both are needed for that. */
	gate_begin(gate, &tickets[0]);
	ck_assert(port_record(0)->paused && !port_record(1)->paused);
	gate_begin(other, &tickets[1]);
	ck_assert(port_record(0)->paused && port_record(1)->paused);

	end(&tickets[1]);
	ck_assert(!port_record(0)->paused && port_record(1)->paused);
	gate_begin(gate, &tickets[1]);
	ck_assert(port_record(0)->paused && port_record(1)->paused);
	end(&tickets[0]);
	ck_assert(port_record(0)->paused && !port_record(1)->paused);
	end(&tickets[1]);
	ck_assert(!port_record(0)->paused && !port_record(1)->paused);
	gate_close(other);
	gate_free(&other);
	host_done(&other_host);
}
END_TEST

START_TEST(ending_is_harmless_twice_or_without_a_begin)
{
	struct gate_ticket tickets[2] = {{0}};

	new_gate("max-connections = 2 max-connections-per-source = 1");
	add_port(new_stream_port(AF_INET));
	end(&tickets[0]);
	gate_begin(gate, &tickets[0]);
	ck_assert_int_eq(admit(&tickets[1], "192.0.2.2:1024"), 0);
	ck_assert(port_record(0)->paused);
	end(&tickets[1]);
	end(&tickets[1]);
	/* Had it been counted down twice, this one would not reach the limit. */
	gate_begin(gate, &tickets[1]);
	ck_assert(port_record(0)->paused);
	end(&tickets[0]);
	end(&tickets[1]);
}
END_TEST

/* --- max-connections-per-source --- */

START_TEST(source_has_so_many_connections)
{
	struct gate_ticket tickets[4] = {{0}};

	new_gate("max-connections-per-source = 2");
	ck_assert_int_eq(admit(&tickets[0], "192.0.2.2:1024"), 0);
	ck_assert_int_eq(admit(&tickets[1], "192.0.2.2:1025"), 0);
	ck_assert_int_eq(admit(&tickets[2], "192.0.2.2:1026"), -EDQUOT);
	ck_assert_int_eq(admit(&tickets[3], "192.0.2.3:1024"), 0);
	ck_assert_uint_eq(ledger_sources(ledger), 2);

	gate_end(&tickets[2]);
	ck_assert_int_eq(visit("192.0.2.2:1026"), -EDQUOT);
	gate_end(&tickets[0]);
	ck_assert_int_eq(admit(&tickets[0], "192.0.2.2:1026"), 0);
	ck_assert_int_eq(visit("192.0.2.2:1027"), -EDQUOT);
	for (size_t i = 0; i < 4; i++)
		gate_end(&tickets[i]);
	ck_assert_uint_eq(ledger_sources(ledger), 0);
}
END_TEST

START_TEST(source_is_an_ipv4_address_or_an_ipv6_64)
{
	struct gate_ticket tickets[2] = {{0}};

	new_gate("max-connections-per-source = 1");
	ck_assert_int_eq(admit(&tickets[0], "192.0.2.2:1024"), 0);
	ck_assert_int_eq(visit("[::ffff:192.0.2.2]:1024"), -EDQUOT);
	ck_assert_int_eq(visit("[::ffff:192.0.2.3]:1024"), 0);
	ck_assert_int_eq(visit("192.0.2.3:1024"), 0);

	ck_assert_int_eq(admit(&tickets[1], "[2001:db8:0:1::2]:1024"), 0);
	ck_assert_int_eq(visit("[2001:db8:0:1:ffff:ffff:ffff:ffff]:1024"), -EDQUOT);
	ck_assert_int_eq(visit("[2001:db8:0:2::2]:1024"), 0);
	ck_assert_int_eq(visit("[2001:db8::2]:1024"), 0);
	/* Its first bytes are those of 192.0.2.2. */
	ck_assert_int_eq(visit("[c000:202::1]:1024"), 0);
	gate_end(&tickets[0]);
	gate_end(&tickets[1]);
}
END_TEST

START_TEST(peers_without_a_source_are_not_counted)
{
	static const char *const peers[] = {
		"unix:/run/peer",
#ifdef AF_VSOCK
		"vsock:3:1024",
#endif
	};

	new_gate("max-connections-per-source = 1 rate-per-source = \"1/h\"");
	for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
		struct gate_ticket tickets[3] = {{0}};

		for (size_t j = 0; j < 3; j++)
			ck_assert_int_eq(admit(&tickets[j], peers[i]), 0);
		ck_assert_uint_eq(ledger_sources(ledger), 0);
		for (size_t j = 0; j < 3; j++)
			gate_end(&tickets[j]);
	}
}
END_TEST

START_TEST(sources_are_kept_while_they_have_connections)
{
	enum { COUNT = 5000 };
	struct gate_ticket *tickets = calloc(COUNT, sizeof *tickets);
	char peer[64];

	ck_assert_ptr_nonnull(tickets);
	new_gate("max-connections-per-source = 1");
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(peer, sizeof peer, "10.0.%u.%u:1024", i / 256, i % 256);
		ck_assert_int_eq(admit(&tickets[i], peer), 0);
	}
	ck_assert_uint_eq(ledger_sources(ledger), COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(peer, sizeof peer, "10.0.%u.%u:1025", i / 256, i % 256);
		ck_assert_int_eq(visit(peer), -EDQUOT);
		gate_end(&tickets[i]);
		ck_assert_int_eq(visit(peer), 0);
	}
	ck_assert_uint_eq(ledger_sources(ledger), 0);
	free(tickets);
}
END_TEST

/* --- rate-per-source --- */

START_TEST(source_has_its_burst_then_its_rate)
{
	new_gate("rate-per-source = \"10/s\"");
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 10);
	adopt_memory_advance(loop, 99);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 0);
	adopt_memory_advance(loop, 1);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 1);
	adopt_memory_advance(loop, 550);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 5);
	/* The half of before is not lost. */
	adopt_memory_advance(loop, 50);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 1);
	adopt_memory_advance(loop, 999);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 9);
	adopt_memory_advance(loop, 3600000);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 10);
}
END_TEST

START_TEST(rate_may_be_fast_or_slow)
{
	new_gate("rate-per-source = \"5000/s\"");
	ck_assert_uint_eq(visits("192.0.2.2:1024", 6000), 5000);
	adopt_memory_advance(loop, 1);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 5);
	free_gate();

	new_gate("rate-per-source = \"2/h\"");
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 2);
	adopt_memory_advance(loop, 1799999);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 0);
	adopt_memory_advance(loop, 1);
	ck_assert_uint_eq(visits("192.0.2.2:1024", 50), 1);
}
END_TEST

START_TEST(sources_have_rates_of_their_own)
{
	new_gate("rate-per-source = \"2/s\"");
	ck_assert_uint_eq(visits("192.0.2.2:1024", 5), 2);
	ck_assert_uint_eq(visits("[::ffff:192.0.2.2]:1024", 5), 0);
	ck_assert_uint_eq(visits("192.0.2.3:1024", 5), 2);
	ck_assert_uint_eq(visits("[2001:db8::2]:1024", 5), 2);
	ck_assert_uint_eq(visits("[2001:db8::3]:1024", 5), 0);
	ck_assert_uint_eq(visits("[2001:db8:0:1::2]:1024", 5), 2);
}
END_TEST

START_TEST(refused_connections_cost_nothing)
{
	struct gate_ticket ticket = {0};

	new_gate("rate-per-source = \"2/s\" max-connections-per-source = 1 "
		 "deny = {\"192.0.2.3\"}");
	ck_assert_int_eq(admit(&ticket, "192.0.2.2:1024"), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(visit("192.0.2.2:1025"), -EDQUOT);
	gate_end(&ticket);
	ck_assert_int_eq(admit(&ticket, "192.0.2.2:1024"), 0);
	gate_end(&ticket);

	/* One refused for its rate does not hold a place either. */
	ck_assert_int_eq(admit(&ticket, "192.0.2.2:1024"), -EBUSY);
	ck_assert_uint_eq(ledger_sources(ledger), 0);
	gate_end(&ticket);
	ck_assert_int_eq(visit("192.0.2.3:1024"), -EACCES);
}
END_TEST

/* --- the buckets of a rate --- */

static int spend(struct rates *rates, unsigned source, uint64_t now_ms)
{
	struct source key = {.length = 4};

	memcpy(key.bytes, &source, 4);
	return rates_spend(rates, &key, now_ms);
}

START_TEST(buckets_are_bounded)
{
	struct rates *rates = NULL;

	ck_assert_int_eq(rates_new(1, 60000, &rates), 0);
	for (unsigned i = 0; i < RATES_MAX_SOURCES; i++)
		ck_assert_int_eq(spend(rates, i, i / 1000), 0);
	ck_assert_uint_eq(rates_sources(rates), RATES_MAX_SOURCES);

	/* Being refused, the first one is now the youngest. */
	ck_assert_int_eq(spend(rates, 0, 100), -EBUSY);
	ck_assert_int_eq(spend(rates, RATES_MAX_SOURCES, 100), 0);
	ck_assert_uint_eq(rates_sources(rates), RATES_MAX_SOURCES);
	ck_assert_int_eq(spend(rates, 0, 100), -EBUSY);
	ck_assert_int_eq(spend(rates, 2, 100), -EBUSY);
	ck_assert_int_eq(spend(rates, RATES_MAX_SOURCES, 100), -EBUSY);
	/* The oldest has been forgotten, and is as new. */
	ck_assert_int_eq(spend(rates, 1, 100), 0);
	ck_assert_uint_eq(rates_sources(rates), RATES_MAX_SOURCES);
	rates_free(&rates);
	ck_assert_ptr_null(rates);
	rates_free(&rates);
}
END_TEST

START_TEST(full_buckets_are_forgotten)
{
	struct rates *rates = NULL;

	ck_assert_int_eq(rates_new(2, 1000, &rates), 0);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(spend(rates, i, 0), 0);
	/* One of two is missing for half a second. */
	ck_assert_int_eq(spend(rates, 0, 499), 0);
	ck_assert_uint_eq(rates_sources(rates), 100);
	for (unsigned i = 0; i < 99; i++)
		ck_assert_int_eq(spend(rates, 1000 + i % 2, 500 + 1000 * i), 0);
	ck_assert_uint_le(rates_sources(rates), 2);
	rates_free(&rates);
}
END_TEST

/* --- the log --- */

START_TEST(refusals_are_told_once_a_second)
{
	new_gate("deny = {\"192.0.2.2\"} max-connections-per-source = 1 "
		 "rate-per-source = \"1/s\"");
	ck_assert_int_eq(visit("192.0.2.2:1024"), -EACCES);
	ck_assert_str_eq(logged(), "adoptd: port \"web\": refused 192.0.2.2:1024 (not allowed)\n");
	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(visit("192.0.2.2:1025"), -EACCES);
	adopt_memory_advance(loop, 999);
	ck_assert_uint_eq(visits("192.0.2.3:1024", 2), 1);
	ck_assert_str_eq(logged(), "");

	adopt_memory_advance(loop, 1);
	ck_assert_int_eq(visit("192.0.2.2:1026"), -EACCES);
	ck_assert_str_eq(logged(), "adoptd: port \"web\": refused 192.0.2.2:1026 (not allowed); "
				   "13 more since\n");
	adopt_memory_advance(loop, 1000);
	ck_assert_uint_eq(visits("192.0.2.3:1024", 2), 1);
	ck_assert_str_eq(logged(),
			 "adoptd: port \"web\": refused 192.0.2.3:1024 (rate-per-source)\n");
}
END_TEST

START_TEST(refusal_of_one_too_many_says_so)
{
	struct gate_ticket ticket = {0};

	new_gate("max-connections-per-source = 1");
	ck_assert_int_eq(admit(&ticket, "[2001:db8::2]:1024"), 0);
	ck_assert_str_eq(logged(), "");
	ck_assert_int_eq(visit("[2001:db8::3]:1024"), -EDQUOT);
	ck_assert_str_eq(logged(), "adoptd: port \"web\": refused [2001:db8::3]:1024 "
				   "(max-connections-per-source)\n");
	gate_end(&ticket);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name)
{
	TCase *tests = memory_case(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tests;

	tests = new_case(suite, "settings");
	tcase_add_test(tests, nothing_is_asked_for_by_default);
	tcase_add_test(tests, settings_are_read);
	tcase_add_test(tests, rates_have_units);
	tcase_add_test(tests, every_fault_is_told);
	tcase_add_test(tests, bad_rate_is_a_fault);

	tests = new_case(suite, "allow");
	tcase_add_test(tests, without_options_everybody_may_come);
	tcase_add_test(tests, deny_refuses_just_its_networks);
	tcase_add_test(tests, allow_refuses_all_else);
	tcase_add_test(tests, deny_wins);
	tcase_add_test(tests, unix_is_a_network);

	tests = new_case(suite, "max_connections");
	tcase_add_test(tests, ports_pause_at_max_connections);
	tcase_add_test(tests, without_a_limit_nothing_pauses);
	tcase_add_test(tests, refused_connection_counts_until_it_ends);
	tcase_add_test(tests, port_that_comes_late_is_paused_at_once);
	tcase_add_test(tests, closed_gate_leaves_ports_alone);
	tcase_add_test(tests, gates_of_one_ledger_share_its_limit);
	tcase_add_test(tests, ending_is_harmless_twice_or_without_a_begin);

	tests = new_case(suite, "per_source");
	tcase_add_test(tests, source_has_so_many_connections);
	tcase_add_test(tests, source_is_an_ipv4_address_or_an_ipv6_64);
	tcase_add_test(tests, peers_without_a_source_are_not_counted);
	tcase_add_test(tests, sources_are_kept_while_they_have_connections);

	tests = new_case(suite, "rate");
	tcase_add_test(tests, source_has_its_burst_then_its_rate);
	tcase_add_test(tests, rate_may_be_fast_or_slow);
	tcase_add_test(tests, sources_have_rates_of_their_own);
	tcase_add_test(tests, refused_connections_cost_nothing);

	tests = new_case(suite, "buckets");
	tcase_add_test(tests, buckets_are_bounded);
	tcase_add_test(tests, full_buckets_are_forgotten);

	tests = new_case(suite, "log");
	tcase_add_test(tests, refusals_are_told_once_a_second);
	tcase_add_test(tests, refusal_of_one_too_many_says_so);

	return harness_main(suite);
}
