/*
 * An echo server on libadopt. Its socket is descriptor 3, as systemd hands it over:
 *	cc echo.c $(pkg-config --cflags --libs adopt) -o echo
 *	systemd-socket-activate -l 7777 ./echo
 */
#include <adopt.h>
#include <stdio.h>
#include <stdlib.h>

/* Sends back what came; a client that does not read is not read from either. */
static void data_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	if (adopt_transport_write(protocol->transport, data, length) != 0)
		adopt_transport_pause(protocol->transport);
}

static void drained(struct adopt_protocol *protocol)
{
	adopt_transport_resume(protocol->transport);
}

static void connection_lost(struct adopt_protocol *protocol, int error)
{
	free(protocol);
}

static const struct adopt_protocol_ops echo_ops = {
	.data_received = data_received,
	.drained = drained,
	.connection_lost = connection_lost,
};

static struct adopt_protocol *build_echo(struct adopt_factory *factory,
					 const struct adopt_address *peer)
{
	struct adopt_protocol *protocol = calloc(1, sizeof *protocol);

	if (protocol)
		protocol->ops = &echo_ops;
	return protocol;
}

int main(void)
{
	static const struct adopt_factory_ops factory_ops = {.build_protocol = build_echo};
	struct adopt_factory factory = {.ops = &factory_ops};
	struct adopt_reactor *reactor = NULL;
	int error = adopt_reactor_new(&reactor);

	if (error == 0)
		error = adopt_descriptor_prepare(3);
	if (error == 0)
		error = adopt_stream_port(reactor, 3, AF_UNSPEC, &factory, NULL);
	if (error == 0)
		error = adopt_reactor_run(reactor);
	if (error < 0)
		fprintf(stderr, "echo: %s\n", adopt_error_text(error));
	adopt_reactor_free(&reactor);
	return error < 0;
}
