/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interrupt.h - waits that a user can cut short.
 *
 * What waits for a device looks here between two looks at the device. Whoever calls it says, for
 * its own thread, what there is to look at: a Ctrl-C, say.
 */
#ifndef PYNVME_BASE_INTERRUPT_H
#define PYNVME_BASE_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct interrupt - what may cut the waits of one thread short
 * @check: not 0: the wait is to end. Called every 20 ms at most
 * @due_ns, @tripped: of interrupt_check(); 0 and false at first
 */
struct interrupt {
	int (*check)(void *priv);
	void *priv;
	uint64_t due_ns;
	bool tripped;
};

/* From now on, in this thread. NULL: nothing. Return: the one before, to be put back. */
struct interrupt *interrupt_set(struct interrupt *interrupt);

/* 0, or -EINTR with a text that begins with @who; once so, always so until the next set. */
int interrupt_check(const char *who);

#endif
