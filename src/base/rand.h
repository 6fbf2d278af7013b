/*
 * Random streams: xoshiro256++ seeded by splitmix64. Not for secrets. A stream belongs to one
 * thread; the same seed gives the same numbers everywhere.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

struct rand {
	uint64_t s[4];
};

/** rand_mix() - splitmix64's finaliser: a bijection that spreads every bit of @z over all. */
static inline uint64_t rand_mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/** rand_seed() - begin the stream of @seed; every seed is a good one, 0 too. */
static inline void rand_seed(struct rand *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed += 0x9e3779b97f4a7c15u;
		r->s[i] = rand_mix(seed);
	}
}

/**
 * rand_derive() - seed of stream number @index of a family
 * @seed: seed of the family
 *
 * Different indexes never give the same seed.
 */
static inline uint64_t rand_derive(uint64_t seed, uint64_t index)
{
	return rand_mix(rand_mix(seed) + 0x9e3779b97f4a7c15u * (index + 1));
}

static inline uint64_t rand_rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

/** rand_next() - 64 random bits. */
static inline uint64_t rand_next(struct rand *r)
{
	uint64_t *s = r->s;
	uint64_t result = rand_rotl(s[0] + s[3], 23) + s[0];
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rand_rotl(s[3], 45);
	return result;
}

/**
 * rand_below() - a number in 0..@bound - 1, each equally likely (Lemire's method)
 * @bound: at least 1
 */
static inline uint64_t rand_below(struct rand *r, uint64_t bound)
{
	unsigned __int128 m = (unsigned __int128)rand_next(r) * bound;

	if ((uint64_t)m < bound) {
		uint64_t threshold = -bound % bound;

		while ((uint64_t)m < threshold)
			m = (unsigned __int128)rand_next(r) * bound;
	}
	return (uint64_t)(m >> 64);
}

#endif
