/* keyed_hash.h - a hash for keys that clients choose */
#ifndef SUPPORT_KEYED_HASH_H
#define SUPPORT_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A secret, so that nobody can choose keys that collide. */
struct hash_key {
	uint64_t words[2];
};

/* Makes a random key. */
void hash_key_init(struct hash_key *key);

/* Hashes bytes: SipHash-2-4, as its authors describe it (Aumasson, Bernstein:
 * "SipHash: a fast short-input PRF", 2012). */
uint64_t keyed_hash(const struct hash_key *key, const void *data, size_t length);

#endif
