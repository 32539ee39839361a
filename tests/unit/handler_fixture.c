#include "handler_fixture.h"

#include <check.h>
#include <string.h>

#define MAX_OPTIONS 16

void fixture_init(struct handler_fixture *fixture)
{
	memset(fixture, 0, sizeof *fixture);
	ck_assert_int_eq(faults_new(&fixture->faults), 0);
	ck_assert_int_eq(adopt_memory_reactor_new(&fixture->reactor), 0);
	host_init(&fixture->host, fixture->reactor, NULL);
}

void fixture_done(struct handler_fixture *fixture)
{
	adopt_reactor_free(&fixture->reactor);
	ck_assert_uint_eq(fixture->host.work, 0);
	faults_free(&fixture->faults);
	if (fixture->factory)
		fixture->handler->stream_free(fixture->factory);
	if (fixture->protocol)
		fixture->handler->datagram_free(fixture->protocol);
	if (fixture->settings)
		fixture->handler->settings_free(fixture->settings);
}

int fixture_read(struct handler_fixture *fixture, const char *handler, const char *text)
{
	cfg_opt_t options[MAX_OPTIONS] = {CFG_END()};
	cfg_t *section;
	int error;

	ck_assert_ptr_null(fixture->settings);
	fixture->handler = handler_find(handler);
	ck_assert_ptr_nonnull(fixture->handler);
	for (size_t i = 0; i + 1 < MAX_OPTIONS && fixture->handler->options[i].name; i++)
		options[i] = fixture->handler->options[i];
	section = cfg_init(options, CFGF_NONE);
	ck_assert_ptr_nonnull(section);
	ck_assert_int_eq(cfg_parse_buf(section, text), CFG_SUCCESS);
	error = fixture->handler->settings_new(section, fixture->faults, &fixture->settings);
	cfg_free(section);
	return error;
}

struct adopt_transport *fixture_connect(struct handler_fixture *fixture, const char *handler,
					const char *options)
{
	struct adopt_transport *transport = NULL;

	ck_assert_int_eq(fixture_read(fixture, handler, options), 0);
	ck_assert_int_eq(
		fixture->handler->stream_new(fixture->settings, &fixture->host, &fixture->factory),
		0);
	ck_assert_int_eq(adopt_memory_transport_new(fixture->reactor, fixture->factory, NULL, NULL,
						    &transport),
			 0);
	return transport;
}

void fixture_open(struct handler_fixture *fixture, const char *handler, const char *options,
		  int family, size_t max_packet_size)
{
	ck_assert_int_eq(fixture_read(fixture, handler, options), 0);
	ck_assert_int_eq(fixture->handler->datagram_new(fixture->settings, &fixture->host,
							&fixture->protocol),
			 0);
	ck_assert_int_eq(adopt_datagram_port(fixture->reactor, 3, family, fixture->protocol,
					     max_packet_size, &fixture->port),
			 0);
}

bool fixture_all_lost(struct handler_fixture *fixture)
{
	adopt_memory_advance(fixture->reactor, 0);
	return adopt_reactor_connection_count(fixture->reactor) == 0;
}
