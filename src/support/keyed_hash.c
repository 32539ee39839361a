#include "keyed_hash.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void hash_key_init(struct hash_key *key)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	key->words[0] = (uint64_t)now.tv_nsec;
	key->words[1] = (uint64_t)(uintptr_t)key ^ (uint64_t)getpid();
	if (fd < 0)
		return;
	/* In a root without /dev the time and the place must do. */
	if (read(fd, key->words, sizeof key->words) < 0)
		key->words[0] ^= (uint64_t)now.tv_sec;
	close(fd);
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t little_endian(const unsigned char *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

uint64_t keyed_hash(const struct hash_key *key, const void *data, size_t length)
{
	/* The initial state spells "somepseudorandomlygeneratedbytes". */
	uint64_t v[4] = {
		key->words[0] ^ UINT64_C(0x736f6d6570736575),
		key->words[1] ^ UINT64_C(0x646f72616e646f6d),
		key->words[0] ^ UINT64_C(0x6c7967656e657261),
		key->words[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *bytes = data;
	size_t whole = length - length % 8;

	for (size_t i = 0; i < whole; i += 8)
		absorb(v, little_endian(bytes + i, 8));
	absorb(v, little_endian(bytes + whole, length % 8) | (uint64_t)length << 56);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
