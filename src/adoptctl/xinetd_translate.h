/* xinetd_translate.h - an entry of xinetd.conf becomes a service of adoptd */
#ifndef ADOPTCTL_XINETD_TRANSLATE_H
#define ADOPTCTL_XINETD_TRANSLATE_H

#include "names.h"
#include "service.h"
#include "xinetd_entry.h"

#include <stdbool.h>

/* Whoever translates a part of an entry returns 0; -EINVAL where the service is left
 * out, which has been told; -E2BIG; -ENOMEM. */
struct xinetd_translation {
	struct xinetd_entry *entry;
	struct xinetd_entry *defaults;
	const struct names *names;
	struct faults *faults;
	struct service *service;
	bool access_log; /* it logs who comes */
};

/* Finds the values of an attribute, or the first of them. Return NULL where it is
 * neither in the entry nor in the defaults, or has no value. */
struct xinetd_values *xinetd_values(const struct xinetd_translation *translation,
				    enum xinetd_attribute attribute);
const char *xinetd_value(const struct xinetd_translation *translation,
			 enum xinetd_attribute attribute);

/* Tells whether the value of an attribute is this word, or one of its values is. */
bool xinetd_is(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
	       const char *word);
bool xinetd_has(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		const char *word);

/*
 * Tells, once for each line, what of an attribute has no counterpart, and why or what
 * to do instead.
 * what: a value of it; NULL for all of it.
 */
void xinetd_warn(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		 const char *what, const char *why);

/* Tells what is wrong with an attribute, for which the service is left out as xinetd
 * does. Returns -EINVAL. */
int xinetd_refuse(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		  const char *why);

/* Tells what leaves a service out that is right there, and has no counterpart. Returns
 * -EINVAL. */
int xinetd_leave_out(const struct xinetd_translation *translation, enum xinetd_attribute attribute,
		     const char *what, const char *why);

/* Translates who may come, and how many. For a service whose handler is known. */
int xinetd_translate_access(struct xinetd_translation *translation);

/* Translates what the units say. For a service whose handler is known. */
int xinetd_translate_units(struct xinetd_translation *translation);

/* Translates the program and how it is run. */
int xinetd_translate_program(struct xinetd_translation *translation);

/*
 * Translates a whole entry.
 * ret: free it with service_free(); untouched where the service is left out.
 * ret_access_log: set to true where the service logs who comes.
 */
int xinetd_translate(struct xinetd_entry *entry, struct xinetd_entry *defaults,
		     const struct names *names, struct faults *faults, struct service **ret,
		     bool *ret_access_log);

#endif
