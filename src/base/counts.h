/*
 * Process-wide live counters of what must be given back: a test that ends with a count above
 * where it began has found a leak.
 */
#ifndef BASE_COUNTS_H
#define BASE_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

enum count_kind {
	COUNT_REQUESTS,
	COUNT_CHUNKS,
	COUNT_FDS,
	COUNT_THREADS,
	COUNT_RECORDER_SLOTS,
	COUNT_BUSES,
	COUNT_CTRLS,
	COUNT_QPAIRS,
	COUNT_KINDS,
};

extern _Atomic int64_t counts_live[COUNT_KINDS];

/** count_add() - one or more came to life (@n > 0) or ended (@n < 0). */
static inline void count_add(enum count_kind kind, int64_t n)
{
	atomic_fetch_add_explicit(&counts_live[kind], n, memory_order_relaxed);
}

/** count_inc() - one came to life. */
static inline void count_inc(enum count_kind kind)
{
	count_add(kind, 1);
}

/** count_dec() - one ended. */
static inline void count_dec(enum count_kind kind)
{
	count_add(kind, -1);
}

/** count_get() - how many live now. */
static inline int64_t count_get(enum count_kind kind)
{
	return atomic_load_explicit(&counts_live[kind], memory_order_relaxed);
}

/** count_name() - name of a counter, for example "qpairs". */
const char *count_name(enum count_kind kind);

#endif
