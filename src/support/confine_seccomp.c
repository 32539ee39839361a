#include "confine.h"

#include "confine_calls.h"
#include "libseccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* clone(2): where the flags stand differs. */
#if defined __s390__ || defined __CRIS__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

struct filter {
	struct libseccomp library;
	scmp_filter_ctx context;
};

static int add(const struct filter *filter, uint32_t action, int call)
{
	return filter->library.seccomp_rule_add_array(filter->context, action, call, 0, NULL);
}

/* Allows a call with a value for one of its arguments, which are counted from 0. */
static int allow(const struct filter *filter, int call, unsigned argument, scmp_datum_t value)
{
	const struct scmp_arg_cmp equal = {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};

	return filter->library.seccomp_rule_add_array(filter->context, SCMP_ACT_ALLOW, call, 1,
						      &equal);
}

static int add_calls(const struct filter *filter, uint32_t action,
		     const struct confine_calls *calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < calls->count; i++)
		r = add(filter, action, calls->numbers[i]);
	return r;
}

/* socket(2) of some families, and of no other. */
static int add_sockets(const struct filter *filter, unsigned needs)
{
	static const struct {
		unsigned needs;
		int family;
	} rows[] = {
		{CONFINE_CONNECT | CONFINE_LISTEN | CONFINE_LOG, AF_UNIX},
		{CONFINE_CONNECT | CONFINE_LISTEN, AF_INET},
		{CONFINE_CONNECT | CONFINE_LISTEN, AF_INET6},
#ifdef AF_VSOCK
		{CONFINE_CONNECT | CONFINE_LISTEN, AF_VSOCK},
#endif
		/* The resolver asks which families there are. */
		{CONFINE_CONNECT | CONFINE_LISTEN, AF_NETLINK},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].needs & needs)
			r = allow(filter, SCMP_SYS(socket), 0, (scmp_datum_t)rows[i].family);
	return r;
}

/* A UNIX datagram socket is given a name by the system, so that it can be answered. */
static int add_names(const struct filter *filter)
{
	return allow(filter, SCMP_SYS(bind), 2, sizeof(sa_family_t));
}

/* Threads, and no processes. */
static int add_threads(const struct filter *filter)
{
	const struct scmp_arg_cmp thread = {.arg = CLONE_FLAGS,
					    .op = SCMP_CMP_MASKED_EQ,
					    .datum_a = CLONE_THREAD,
					    .datum_b = CLONE_THREAD};
	int r = filter->library.seccomp_rule_add_array(filter->context, SCMP_ACT_ALLOW,
						       SCMP_SYS(clone), 1, &thread);

	/* Its flags are in memory, which a filter does not see. The C library then makes the
	 * older call. */
	return r == 0 ? add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)) : r;
}

/* What is asked of sockets and of a standard stream; no terminal is typed into. */
static int add_controls(const struct filter *filter)
{
	static const unsigned long requests[] = {FIONREAD, FIONBIO, TCGETS};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof requests / sizeof requests[0]; i++)
		r = allow(filter, SCMP_SYS(ioctl), 1, requests[i]);
	return r;
}

static int leave_some(const struct filter *filter, unsigned needs)
{
	int r = add_sockets(filter, needs);

	if (r == 0 && needs & CONFINE_CONNECT)
		r = add_names(filter);
	if (r == 0)
		r = add_threads(filter);
	if (r == 0)
		r = add_controls(filter);
	for (const struct confine_calls *calls = confine_calls_left; r == 0 && calls->numbers;
	     calls++)
		if (calls->needs == 0 || calls->needs & needs)
			r = add_calls(filter, SCMP_ACT_ALLOW, calls);
	return r;
}

int confine_calls(unsigned needs)
{
	bool programs = needs & CONFINE_PROGRAMS;
	uint32_t refused = SCMP_ACT_ERRNO(EPERM);
	struct filter filter;
	int r = libseccomp_load(&filter.library);

	if (r < 0)
		return r;
	filter.context = filter.library.seccomp_init(programs ? SCMP_ACT_ALLOW : refused);
	if (!filter.context)
		return -ENOMEM;
	r = programs ? add_calls(&filter, refused, &confine_calls_taken)
		     : leave_some(&filter, needs);
	if (r == 0)
		r = filter.library.seccomp_load(filter.context);
	filter.library.seccomp_release(filter.context);
	return r;
}
