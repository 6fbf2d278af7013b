/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * subsys.h - an NVM subsystem that hosts can reach: one software SSD, or discovery.
 */
#ifndef PYNVME_TARGET_SUBSYS_H
#define PYNVME_TARGET_SUBSYS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ssd/ssd.h"

/* What a host may send inside an I/O capsule; of admin and fabrics capsules NVMe/TCP fixes it. */
#define TARGET_INCAPSULE_BYTES 8192u

/**
 * struct subsys
 * @ssd: NULL: the discovery subsystem
 * @lock: around every call into @ssd
 * @now_ns: time of the last call, under @lock; never goes back
 * @next_ns: when the drive has something to do; UINT64_MAX: nothing
 */
struct subsys {
	struct ssd *ssd;
	pthread_mutex_t lock;
	uint64_t now_ns;
	_Atomic uint64_t next_ns;
	struct ssd_fabrics fabrics;
	char nqn[256];
};

/* @options NULL: the discovery subsystem. 0 or -errno with a text. */
int subsys_create(struct subsys **out, const char *options, const char *nqn);
void subsys_destroy(struct subsys *sub);

/* Enter the drive, at a time that never goes back. */
static inline uint64_t subsys_enter(struct subsys *sub, uint64_t now_ns)
{
	pthread_mutex_lock(&sub->lock);
	if (now_ns > sub->now_ns)
		sub->now_ns = now_ns;
	return sub->now_ns;
}

/* Note when the drive wants to be stepped, and leave it. */
static inline void subsys_leave(struct subsys *sub)
{
	atomic_store_explicit(&sub->next_ns, sub->ssd ? ssd_next_event_ns(sub->ssd) : UINT64_MAX,
			      memory_order_relaxed);
	pthread_mutex_unlock(&sub->lock);
}

/* Is something due? */
static inline bool subsys_due(struct subsys *sub, uint64_t now_ns)
{
	return atomic_load_explicit(&sub->next_ns, memory_order_relaxed) <= now_ns;
}

#endif
