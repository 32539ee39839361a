/* libseccomp.h - libseccomp, which is loaded when a filter is made: not for --version,
 * --check, or with `sandbox = no` */
#ifndef SUPPORT_LIBSECCOMP_H
#define SUPPORT_LIBSECCOMP_H

#include <seccomp.h>

/* What is used of it. */
#define LIBSECCOMP_FUNCTIONS(DO)                                                                   \
	DO(seccomp_init)                                                                           \
	DO(seccomp_attr_set)                                                                       \
	DO(seccomp_rule_add_array)                                                                 \
	DO(seccomp_load)                                                                           \
	DO(seccomp_release)

/* Its functions, each with its own type. */
struct libseccomp {
#define LIBSECCOMP_MEMBER(name) __typeof__(name) *name;
	LIBSECCOMP_FUNCTIONS(LIBSECCOMP_MEMBER)
#undef LIBSECCOMP_MEMBER
};

/* Loads it. Not for several threads at once. Returns 0, or -ELIBACC where it cannot be
 * loaded. */
int libseccomp_load(struct libseccomp *ret);

#endif
