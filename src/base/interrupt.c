/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/interrupt.h"

#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"

#define INTERVAL_NS UINT64_C(20000000)

static _Thread_local struct interrupt *current;

struct interrupt *interrupt_set(struct interrupt *interrupt)
{
	struct interrupt *former = current;

	current = interrupt;
	return former;
}

int interrupt_check(const char *who)
{
	struct interrupt *i = current;
	uint64_t now_ns;

	if (!i)
		return 0;
	now_ns = clock_now_ns();
	if (!i->tripped && now_ns >= i->due_ns) {
		i->due_ns = now_ns + INTERVAL_NS;
		i->tripped = i->check(i->priv) != 0;
	}
	return i->tripped ? err_set(-EINTR, "%s: the wait was interrupted", who) : 0;
}
