/* confine_calls.h - which system calls are for what: the tables of confine_compile.c */
#ifndef SUPPORT_CONFINE_CALLS_H
#define SUPPORT_CONFINE_CALLS_H

#include <stddef.h>

/* Whether the program has a sanitizer in it that starts processes and looks into others. */
#if defined __has_feature
#define CONFINE_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define CONFINE_SANITIZED 1
#else
#define CONFINE_SANITIZED 0
#endif

/* Some calls, by libseccomp's numbers: those that a machine has not are left out by it. */
struct confine_calls {
	unsigned needs; /* enum confine_need: for any of them; 0: for all */
	const int *numbers;
	size_t count;
};

/* What is left to an adoptd that runs no programs, ended by one without numbers. */
extern const struct confine_calls confine_calls_left[];

/* What is taken from programs that serve a client, and whoever runs them. */
extern const struct confine_calls confine_calls_taken;

#endif
