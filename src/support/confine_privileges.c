#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One call is all that is needed of libcap, and a library costs each start. */
#define WORDS _LINUX_CAPABILITY_U32S_3

#define BIT(capability) (UINT64_C(1) << (capability))

static const struct {
	unsigned needs;
	uint64_t capabilities;
} kept[] = {
	/* UNIX sockets of upstreams may be another user's. Root's pipes are not counted. */
	{CONFINE_CONNECT, BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SYS_RESOURCE)},
	{CONFINE_LISTEN,
	 BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER)},
	{CONFINE_LISTEN_UNIX, BIT(CAP_DAC_OVERRIDE) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER)},
	{CONFINE_UNLINK, BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER)},
};

static uint64_t capabilities_for(unsigned needs)
{
	/* The configuration, too. */
	uint64_t capabilities = BIT(CAP_DAC_READ_SEARCH);

	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (kept[i].needs & needs)
			capabilities |= kept[i].capabilities;
	return capabilities;
}

bool confine_known(void)
{
	return true;
}

int confine_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int confine_capabilities(unsigned needs)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[WORDS] = {0};
	uint64_t wanted = capabilities_for(needs);
	bool changes = false;

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t word = data[i].permitted & (uint32_t)(wanted >> 32 * i);

		changes = changes || data[i].permitted != word || data[i].inheritable != 0;
		data[i] = (struct __user_cap_data_struct){.effective = data[i].effective & word,
							  .permitted = word};
	}
	return changes && syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
