/*
 * condition.h - what a route asks of a client
 *
 * A condition is an option of a route block, a list of values of which any
 * suffices. All conditions of a route must hold.
 */
#ifndef ROUTING_CONDITION_H
#define ROUTING_CONDITION_H

#include "sight.h"
#include "support/fault.h"

#include <confuse.h>

/* The options of a route block, ended by CFG_END(). */
extern const cfg_opt_t condition_options[];

/* The conditions of one route. */
struct conditions;

/*
 * Reads a route block. Adds an error for every value that is not valid, at the
 * option's line.
 * ret: free with conditions_free().
 * Returns 0; -EINVAL where faults were added; -ENOMEM.
 */
int conditions_new(cfg_t *route, struct faults *faults, struct conditions **ret);

/* Frees conditions and sets them NULL; NULL inside is harmless. */
void conditions_free(struct conditions **conditions);

/* Tells whether all who fulfil `later` fulfil `earlier` as well, as far as their values
 * show one by one: a later route is then never reached. */
bool conditions_cover(const struct conditions *earlier, const struct conditions *later);

/*
 * Finds a condition that no client of a kind of port can fulfil.
 * datagram: whether it is a datagram port, else streams.
 * Returns its name or NULL.
 */
const char *conditions_impossible(const struct conditions *conditions, bool datagram);

/* Returns the name of a condition that only clients on UNIX sockets can fulfil, or NULL. */
const char *conditions_only_unix(const struct conditions *conditions);

/* Judges a client, as verdict.h says; asks for RECOGNISE_MAX_BYTES at the most. Of a
 * datagram there is never more. */
enum verdict conditions_judge(const struct conditions *conditions, struct sight *sight,
			      size_t *ret_needed);

#endif
