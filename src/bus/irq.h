/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * irq.h - interrupt vectors of one bus as a test script sees them.
 *
 * One eventfd a vector, enabled once before CC.EN and replayed after power-on.
 * Masking is the hardware's where it can be reached, else emulated here: an
 * interrupt that arrives while masked stays pending and shows up at unmask.
 */
#ifndef PYNVME_BUS_IRQ_H
#define PYNVME_BUS_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct bus;

/* Create up to @want vectors (fewer if the function has fewer); sets bus->nvectors. */
int bus_irq_init(struct bus *bus, unsigned int want);
int bus_irq_replay(struct bus *bus); /* after a power cycle or FLR */
void bus_irq_fini(struct bus *bus);

/* 1: it fired since the last clear and is not masked; 0: not; -EINVAL no such vector. */
int bus_irq_isset(struct bus *bus, unsigned int vector);
int bus_irq_clear(struct bus *bus, unsigned int vector);
int bus_irq_set_mask(struct bus *bus, unsigned int vector, bool masked);

/**
 * bus_irq_wait() - sleep until the vector fires, at most until @until_ns
 * Return: 1 fired, 0 time is up, -EINTR a signal, other -errno. Steps a soft bus.
 */
int bus_irq_wait(struct bus *bus, unsigned int vector, uint64_t until_ns);

#endif
