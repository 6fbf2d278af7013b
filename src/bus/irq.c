// SPDX-License-Identifier: BSD-3-Clause
#include "bus/irq.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"

#define SLICE_MIN_NS UINT64_C(20000) /* a soft bus is stepped so often at first */
#define SLICE_MAX_NS UINT64_C(1000000)
#define MASKED_NS    UINT64_C(10000000) /* another thread may unmask */

/**
 * struct irq_vector - one vector
 * @fd: its eventfd; unread while masked by emulation, so that its count is the pending bit
 * @fired: read from @fd and not cleared since
 * @masked: as the script asked
 * @emulated: the hardware's mask bit is out of reach
 */
struct irq_vector {
	int fd;
	atomic_bool fired;
	atomic_bool masked;
	bool emulated;
};

struct bus_irq {
	unsigned int n;
	struct irq_vector vectors[];
};

static struct irq_vector *find(struct bus *bus, unsigned int vector)
{
	if (vector >= bus->nvectors) {
		err_set(-EINVAL, "%s has no interrupt vector %u, it uses %u", bus->addr, vector,
			bus->nvectors);
		return NULL;
	}
	return &bus->irq->vectors[vector];
}

static bool drain(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

/* Whether it fired, masked or not. */
static bool fired(struct bus *bus, unsigned int vector, struct irq_vector *vec)
{
	if (bus->ops->irq_pending)
		return bus->ops->irq_pending(bus, vector, false) > 0;
	if (!(vec->emulated && atomic_load(&vec->masked)) && drain(vec->fd))
		atomic_store(&vec->fired, true);
	return atomic_load(&vec->fired);
}

static int enable(struct bus *bus)
{
	struct bus_irq *irq = bus->irq;
	int *fds = calloc(irq->n ? irq->n : 1, sizeof(*fds)), err;

	if (!fds)
		return err_set(-ENOMEM, "no memory");
	for (unsigned int i = 0; i < irq->n; i++)
		fds[i] = irq->vectors[i].fd;
	err = bus->ops->irq_enable(bus, irq->n, fds);
	free(fds);
	return err;
}

static void close_fds(struct bus_irq *irq)
{
	for (unsigned int i = 0; i < irq->n; i++)
		if (irq->vectors[i].fd >= 0) {
			close(irq->vectors[i].fd);
			count_add(COUNT_FDS, -1);
		}
}

static int open_fds(struct bus *bus, struct bus_irq *irq)
{
	for (unsigned int i = 0; i < irq->n; i++)
		irq->vectors[i].fd = -1;
	for (unsigned int i = 0; i < irq->n; i++) {
		irq->vectors[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (irq->vectors[i].fd < 0)
			return err_set(-errno, "%s: no eventfd for interrupt vector %u: %s",
				       bus->addr, i, strerror(errno));
		count_add(COUNT_FDS, 1);
	}
	return 0;
}

int bus_irq_init(struct bus *bus, unsigned int want)
{
	unsigned int n = want < bus->irq_max ? want : bus->irq_max;
	struct bus_irq *irq = calloc(1, sizeof(*irq) + n * sizeof(irq->vectors[0]));
	int err;

	if (!irq)
		return err_set(-ENOMEM, "no memory");
	irq->n = n;
	err = open_fds(bus, irq);
	bus->irq = irq;
	bus->nvectors = n;
	if (!err)
		err = enable(bus);
	if (err)
		bus_irq_fini(bus);
	return err;
}

int bus_irq_replay(struct bus *bus)
{
	if (!bus->irq)
		return 0;
	for (unsigned int i = 0; i < bus->irq->n; i++) {
		struct irq_vector *vec = &bus->irq->vectors[i];

		drain(vec->fd);
		atomic_store(&vec->fired, false);
		atomic_store(&vec->masked, false);
	}
	return enable(bus);
}

void bus_irq_fini(struct bus *bus)
{
	if (!bus->irq)
		return;
	if (bus->pid == getpid())
		bus->ops->irq_enable(bus, 0, NULL);
	close_fds(bus->irq);
	free(bus->irq);
	bus->irq = NULL;
	bus->nvectors = 0;
}

int bus_irq_isset(struct bus *bus, unsigned int vector)
{
	struct irq_vector *vec = find(bus, vector);

	if (!vec)
		return -EINVAL;
	bus_step(bus, clock_now_ns());
	return fired(bus, vector, vec) && !atomic_load(&vec->masked);
}

int bus_irq_clear(struct bus *bus, unsigned int vector)
{
	struct irq_vector *vec = find(bus, vector);

	if (!vec)
		return -EINVAL;
	fired(bus, vector, vec);
	atomic_store(&vec->fired, false);
	if (bus->ops->irq_pending)
		bus->ops->irq_pending(bus, vector, true);
	/* INTx masks itself when it fires. */
	if (bus->irq_kind == BUS_IRQ_INTX && !atomic_load(&vec->masked))
		return bus->ops->irq_mask(bus, vector, false);
	return 0;
}

int bus_irq_set_mask(struct bus *bus, unsigned int vector, bool masked)
{
	struct irq_vector *vec = find(bus, vector);
	int err;

	if (!vec)
		return -EINVAL;
	/* What arrived before the mask has fired. */
	fired(bus, vector, vec);
	err = bus->ops->irq_mask(bus, vector, masked);
	if (err && err != -EOPNOTSUPP)
		return err;
	vec->emulated = err == -EOPNOTSUPP;
	atomic_store(&vec->masked, masked);
	return 0;
}

/* Sleep until the eventfd is readable, at most @ns. Return: 0 or -errno. */
static int sleep_on(int fd, uint64_t ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };

	return ppoll(&pfd, 1, &ts, NULL) < 0 ? -errno : 0;
}

/* How long to sleep before looking again, though nobody wakes us. */
static uint64_t next_slice(struct bus *bus, struct irq_vector *vec, uint64_t slice_ns)
{
	if (atomic_load(&vec->masked))
		return MASKED_NS;
	if (!bus->ops->step)
		return UINT64_MAX;
	return slice_ns < SLICE_MAX_NS / 2 ? slice_ns * 2 : SLICE_MAX_NS;
}

int bus_irq_wait(struct bus *bus, unsigned int vector, uint64_t until_ns)
{
	struct irq_vector *vec = find(bus, vector);
	uint64_t slice_ns = SLICE_MIN_NS / 2;
	int ret;

	if (!vec)
		return -EINVAL;
	for (;;) {
		uint64_t now_ns;
		bool masked;

		ret = bus_irq_isset(bus, vector);
		now_ns = clock_now_ns();
		if (ret || now_ns >= until_ns)
			break;
		masked = atomic_load(&vec->masked);
		slice_ns = next_slice(bus, vec, slice_ns);
		if (bus->ops->irq_arm) {
			drain(vec->fd);
			bus->ops->irq_arm(bus, vector, true);
		}
		/* A readable eventfd behind a mask must not make this a busy loop. */
		ret = sleep_on(masked ? -1 : vec->fd,
			       slice_ns < until_ns - now_ns ? slice_ns : until_ns - now_ns);
		if (ret)
			break;
	}
	if (bus->ops->irq_arm)
		bus->ops->irq_arm(bus, vector, false);
	return ret;
}
