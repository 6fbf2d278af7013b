/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.h - whether looking again and again pays before a thread sleeps.
 *
 * Being woken up from another CPU takes tens of microseconds, longer than most answers. But where
 * the peer needs this CPU, or is far away, nothing comes of looking: each time that it was in vain,
 * twice as many sleeps are begun at once before it is tried again.
 */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define SPIN_SHUN_MAX 255u

/**
 * struct spin - of one thread that sleeps now and then; all zero at first
 * @shun: sleeps that the last vain look costs
 * @left: of them
 */
struct spin {
	uint32_t shun;
	uint32_t left;
};

/** spin_pays() - ask before every sleep; tell spin_ended() if it is true */
static inline bool spin_pays(struct spin *s)
{
	if (!s->left)
		return true;
	s->left--;
	return false;
}

/** spin_ended() - whether something came while the thread looked */
static inline void spin_ended(struct spin *s, bool came)
{
	s->shun = came ? 0 : s->shun < SPIN_SHUN_MAX ? 2 * s->shun + 1 : SPIN_SHUN_MAX;
	s->left = s->shun;
}

#endif
