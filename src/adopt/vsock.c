#include "vsock.h"

#include <errno.h>
#include <string.h>

#ifdef HAVE_LINUX_VM_SOCKETS_H
#include <linux/vm_sockets.h>

bool vsock_is_family(int family)
{
	return family == AF_VSOCK;
}

int vsock_set(struct adopt_address *address, uint32_t cid, uint32_t port)
{
	struct sockaddr_vm name = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};

	*address = (struct adopt_address){.length = sizeof name};
	memcpy(&address->name, &name, sizeof name);
	return 0;
}

static struct sockaddr_vm get(const struct adopt_address *address)
{
	struct sockaddr_vm name;

	memcpy(&name, &address->name, sizeof name);
	return name;
}

uint32_t vsock_cid(const struct adopt_address *address)
{
	return get(address).svm_cid;
}

uint32_t vsock_port(const struct adopt_address *address)
{
	return get(address).svm_port;
}

#else

bool vsock_is_family(int family)
{
	(void)family;
	return false;
}

int vsock_set(struct adopt_address *address, uint32_t cid, uint32_t port)
{
	(void)address;
	(void)cid;
	(void)port;
	return -EAFNOSUPPORT;
}

uint32_t vsock_cid(const struct adopt_address *address)
{
	(void)address;
	return 0;
}

uint32_t vsock_port(const struct adopt_address *address)
{
	(void)address;
	return 0;
}

#endif
