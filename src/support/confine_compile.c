/* confine-compile: writes confine_filters.c while adoptd is built. Compiling the rules takes
 * libseccomp most of a millisecond, which a start is to be spared; and its search trees are
 * what the kernel takes in fastest. */
#include "confine.h"
#include "confine_calls.h"
#include "confine_filters.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* clone(2): where the flags stand differs. */
#if defined __s390__ || defined __CRIS__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* libseccomp's attribute: a tree, where each call is found in a few steps. */
#define TREE 2

/* socket(2): flags are above. */
#define TYPE_BITS 0xf

static int add(scmp_filter_ctx filter, uint32_t action, int call)
{
	return seccomp_rule_add_array(filter, action, call, 0, NULL);
}

/* Allows a call with a value for some bits of an argument, which are counted from 0. */
static int allow_bits(scmp_filter_ctx filter, int call, unsigned argument, scmp_datum_t mask,
		      scmp_datum_t value)
{
	const struct scmp_arg_cmp equal = {
		.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &equal);
}

/* Allows a call with a value for one of its arguments. */
static int allow(scmp_filter_ctx filter, int call, unsigned argument, scmp_datum_t value)
{
	const struct scmp_arg_cmp equal = {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &equal);
}

static int add_calls(scmp_filter_ctx filter, uint32_t action, const struct confine_calls *calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < calls->count; i++)
		r = add(filter, action, calls->numbers[i]);
	return r;
}

/* socket(2) of some families, and of no other. */
static int add_sockets(scmp_filter_ctx filter, unsigned needs)
{
	static const struct {
		unsigned needs;
		int family;
	} rows[] = {
		{CONFINE_CONNECT | CONFINE_LISTEN | CONFINE_LISTEN_UNIX | CONFINE_LOG, AF_UNIX},
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
static int add_names(scmp_filter_ctx filter)
{
	return allow(filter, SCMP_SYS(bind), 2, sizeof(sa_family_t));
}

/* Threads, and no processes. */
static int add_threads(scmp_filter_ctx filter)
{
	int r = allow_bits(filter, SCMP_SYS(clone), CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD);

	/* Its flags are in memory, which a filter does not see. The C library then makes the
	 * older call. */
	return r == 0 ? add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)) : r;
}

/* What is asked of sockets, of a standard stream, and by if_nametoindex(3) and the reverse; no
 * terminal is typed into. */
static int add_controls(scmp_filter_ctx filter)
{
	static const unsigned long requests[] = {FIONREAD, FIONBIO, TCGETS, SIOCGIFINDEX,
						 SIOCGIFNAME};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof requests / sizeof requests[0]; i++)
		r = allow(filter, SCMP_SYS(ioctl), 1, requests[i]);
	return r;
}

/* The limits of this process, and no other's. */
static int add_limits(scmp_filter_ctx filter)
{
	return allow(filter, SCMP_SYS(prlimit64), 0, 0);
}

/* A datagram could be sent from a pair to whoever else has such a socket. */
static int add_pairs(scmp_filter_ctx filter)
{
	int r = allow_bits(filter, SCMP_SYS(socketpair), 1, TYPE_BITS, SOCK_STREAM);

	return r == 0 ? allow_bits(filter, SCMP_SYS(socketpair), 1, TYPE_BITS, SOCK_SEQPACKET) : r;
}

/* What listen.c makes of the path of a UNIX socket: for adoptd's user alone, or for a group
 * too, and never another user's. */
static int add_access(scmp_filter_ctx filter)
{
	static const struct {
		int call;
		unsigned argument;
		uint32_t value;
	} rows[] = {
		{SCMP_SYS(chmod), 1, 0600},          {SCMP_SYS(chmod), 1, 0660},
		{SCMP_SYS(fchmod), 1, 0600},         {SCMP_SYS(fchmodat), 2, 0600},
		{SCMP_SYS(fchmodat), 2, 0660},       {SCMP_SYS(lchown), 1, UINT32_MAX},
		{SCMP_SYS(lchown32), 1, UINT32_MAX}, {SCMP_SYS(fchownat), 2, UINT32_MAX},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof rows / sizeof rows[0]; i++)
		r = allow_bits(filter, rows[i].call, rows[i].argument, UINT32_MAX, rows[i].value);
	return r;
}

static int leave_some(scmp_filter_ctx filter, unsigned needs)
{
	int r = add_sockets(filter, needs);

	if (r == 0 && needs & CONFINE_CONNECT)
		r = add_names(filter);
	if (r == 0 && needs & (CONFINE_LISTEN | CONFINE_LISTEN_UNIX))
		r = add_access(filter);
	if (r == 0)
		r = add_limits(filter);
	if (r == 0)
		r = add_pairs(filter);
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

/* Programs may be made for a machine's older kin. What a filter does not know it kills. */
static int add_kin(scmp_filter_ctx filter)
{
	int r = 0;

#if defined __x86_64__ && !defined __ILP32__
	r = seccomp_arch_add(filter, SCMP_ARCH_X86);
	if (r == 0)
		r = seccomp_arch_add(filter, SCMP_ARCH_X32);
#elif defined __aarch64__
	r = seccomp_arch_add(filter, SCMP_ARCH_ARM);
#else
	(void)filter;
#endif
	return r;
}

static int take_some(scmp_filter_ctx filter)
{
	int r = add_kin(filter);

	return r == 0 ? add_calls(filter, SCMP_ACT_ERRNO(EPERM), &confine_calls_taken) : r;
}

static int add_rules(scmp_filter_ctx filter, unsigned needs)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, TREE);

	if (r < 0)
		return r;
	return needs & CONFINE_PROGRAMS ? take_some(filter) : leave_some(filter, needs);
}

static int export(scmp_filter_ctx filter, FILE *file)
{
	int r = seccomp_export_bpf(filter, fileno(file));

	if (r == 0 && fseek(file, 0, SEEK_SET) < 0)
		r = -errno;
	return r;
}

/* Compiles the filter for some needs into a file, which is left at its beginning. */
static int compile(unsigned needs, FILE *file)
{
	scmp_filter_ctx filter =
		seccomp_init(needs & CONFINE_PROGRAMS ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	int r = filter ? add_rules(filter, needs) : -ENOMEM;

	if (r == 0)
		r = export(filter, file);
	seccomp_release(filter);
	return r;
}

static int print_filter(unsigned needs)
{
	FILE *file = tmpfile();
	struct sock_filter step;
	int r = file ? compile(needs, file) : -errno;

	if (r == 0) {
		printf("static const struct sock_filter filter_%u[] = {\n", needs);
		while (fread(&step, sizeof step, 1, file) == 1)
			printf("\t{0x%x, %u, %u, 0x%xU},\n", step.code, step.jt, step.jf, step.k);
		printf("};\n");
	}
	if (file)
		fclose(file);
	return r;
}

/* With programs, nothing else matters; and who listens may do so at paths. */
static unsigned filter_for(unsigned needs)
{
	if (needs & CONFINE_PROGRAMS)
		return CONFINE_PROGRAMS;
	return needs & CONFINE_LISTEN ? needs & ~(unsigned)CONFINE_LISTEN_UNIX : needs;
}

int main(void)
{
	printf("/* Made by confine-compile. */\n#include \"support/confine_filters.h\"\n\n");
	for (unsigned needs = 0; needs < CONFINE_FILTERS; needs++) {
		int r = needs == filter_for(needs) ? print_filter(needs) : 0;

		if (r < 0) {
			fprintf(stderr, "confine-compile: %s\n", strerror(-r));
			return EXIT_FAILURE;
		}
	}
	printf("\nconst struct confine_filter confine_filters[CONFINE_FILTERS] = {\n");
	for (unsigned needs = 0; needs < CONFINE_FILTERS; needs++)
		printf("\t{filter_%u, sizeof filter_%u / sizeof filter_%u[0]},\n",
		       filter_for(needs), filter_for(needs), filter_for(needs));
	printf("};\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
