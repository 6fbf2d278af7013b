/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soft_bus.h - what soft.c, soft_irq.c and soft_runner.c share.
 */
#ifndef PYNVME_BUS_SOFT_BUS_H
#define PYNVME_BUS_SOFT_BUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "bus/bus.h"

struct ssd;

/* Raised by the device under the lock; read by waiters without it. */
struct soft_vector {
	atomic_bool pending;
	atomic_bool armed; /* somebody sleeps on the eventfd */
	int fd;		   /* -1: none */
};

/**
 * struct soft_bus - a bus with a software SSD behind it
 * @lock: around every call into @ssd
 * @now_ns: time of the last call; under @lock, never goes back
 * @last_poll_ns: when somebody last polled, give or take 100 us
 * @always: only the runner steps ("thread=always")
 */
struct soft_bus {
	struct bus bus;
	struct ssd *ssd;
	pthread_mutex_t lock;
	uint64_t now_ns;
	_Atomic uint64_t last_poll_ns;
	bool always;
	/* cold from here */
	struct list_node runner_node;
	unsigned int nvectors;	     /* in use, of bus.irq_max */
	struct soft_vector *vectors; /* bus.irq_max of them */
	unsigned int msix_cap;	     /* offset in config space, 0: none */
};

static inline struct soft_bus *soft_bus_of(struct bus *bus)
{
	return (struct soft_bus *)bus; /* the first member */
}

/* The time, never going back for the device whatever order threads come in. */
static inline uint64_t soft_now(struct soft_bus *soft, uint64_t now_ns)
{
	if (now_ns > soft->now_ns)
		soft->now_ns = now_ns;
	return soft->now_ns;
}

/* --- soft.c --- */

/**
 * soft_serve() - a step by the runner
 * @next_ns: when the device has something to do next
 * Return: whether to look again soon: there was work, or somebody else was in the device.
 */
bool soft_serve(struct soft_bus *soft, uint64_t now_ns, uint64_t *next_ns);

/* --- soft_irq.c --- */

void soft_irq_raise(struct soft_bus *soft, unsigned int vector);
int soft_irq_enable(struct bus *bus, unsigned int n, const int *fds);
int soft_irq_mask(struct bus *bus, unsigned int vector, bool masked);
int soft_irq_pending(struct bus *bus, unsigned int vector, bool clear);
void soft_irq_arm(struct bus *bus, unsigned int vector, bool armed);

/* --- soft_runner.c --- */

int soft_runner_add(struct soft_bus *soft);
void soft_runner_remove(struct soft_bus *soft);
/* Make the runner look at its buses now. */
void soft_runner_wake(void);

#endif
