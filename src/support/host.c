#include "host.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void host_init(struct host *host, struct adopt_reactor *reactor,
	       void (*busy)(struct host *host, bool busy))
{
	*host = (struct host){.reactor = reactor, .busy = busy};
}

void host_done(struct host *host)
{
	free(host->ports);
	host->ports = NULL;
	host->port_count = 0;
}

void host_work_begin(struct host *host)
{
	if (host->work++ == 0 && host->busy)
		host->busy(host, true);
}

void host_work_end(struct host *host)
{
	assert(host->work > 0);
	if (--host->work == 0 && host->busy)
		host->busy(host, false);
}

void host_client_begin(struct host *host)
{
	if (host->block_quota)
		quota_spend(host->block_quota);
	if (host->worker_quota)
		quota_spend(host->worker_quota);
}

void host_client_end(struct host *host)
{
	if (host->block_quota)
		quota_return(host->block_quota);
	if (host->worker_quota)
		quota_return(host->worker_quota);
}

void host_enter(struct host *host, struct roll_entry *entry)
{
	host->clients++;
	host->present++;
	if (host->roll)
		roll_enter(host->roll, entry, adopt_reactor_now_ms(host->reactor));
}

void host_leave(struct host *host, struct roll_entry *entry)
{
	host->present--;
	if (host->roll)
		roll_leave(host->roll, entry);
}

int host_add_port(struct host *host, struct adopt_port *port)
{
	struct adopt_port **ports =
		realloc(host->ports, (host->port_count + 1) * sizeof(struct adopt_port *));

	if (!ports)
		return -ENOMEM;
	host->ports = ports;
	host->ports[host->port_count++] = port;
	if (host->holds > 0)
		adopt_port_pause(port);
	return 0;
}

void host_remove_ports(struct host *host)
{
	host->port_count = 0;
}

void host_hold(struct host *host)
{
	if (host->holds++ > 0)
		return;
	for (size_t i = 0; i < host->port_count; i++)
		adopt_port_pause(host->ports[i]);
}

void host_release(struct host *host)
{
	assert(host->holds > 0);
	if (--host->holds > 0)
		return;
	for (size_t i = 0; i < host->port_count; i++)
		adopt_port_resume(host->ports[i]);
}
