/*
 * Latency histogram: log-linear buckets, better than 1 % resolution from 1 ns to 137 s in fixed
 * memory. One writer; a reader beside it may see a record half done, never garbage.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdint.h>

/* Buckets an octave: the widest bucket is 1/128 of its lowest value. */
#define HIST_SUB_BITS	7
#define HIST_OCTAVE_MAX 36 /* of values: 2^37 ns, just over 137 s, and all beyond, go last */
#define HIST_BUCKETS	((HIST_OCTAVE_MAX - HIST_SUB_BITS + 2) << HIST_SUB_BITS)

/**
 * struct hist - counts of values by bucket; all zero is an empty histogram but for @min_ns
 * @sum_ns: of the real values, as are @min_ns and @max_ns
 */
struct hist {
	uint64_t sum_ns;
	uint64_t min_ns;
	uint64_t max_ns;
	uint64_t bucket[HIST_BUCKETS];
};

/** hist_init() - empty the histogram. */
void hist_init(struct hist *h);

/** hist_index() - bucket of a value. */
static inline unsigned hist_index(uint64_t ns)
{
	unsigned shift;

	if (ns >> (HIST_OCTAVE_MAX + 1))
		return HIST_BUCKETS - 1;
	/* Values below 2^HIST_SUB_BITS have a bucket each, as if of the first octave. */
	shift = 63 - (unsigned)__builtin_clzll(ns | 1u << HIST_SUB_BITS) - HIST_SUB_BITS;
	return (shift << HIST_SUB_BITS) + (unsigned)(ns >> shift);
}

/** hist_record() - count one value. */
static inline void hist_record(struct hist *h, uint64_t ns)
{
	h->bucket[hist_index(ns)]++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	if (ns < h->min_ns)
		h->min_ns = ns;
}

/** hist_merge() - add all that @from has counted to @into. */
void hist_merge(struct hist *into, const struct hist *from);

/** hist_count() - how many values were recorded; walks the buckets. */
uint64_t hist_count(const struct hist *h);

/** hist_min_ns() - lowest value, 0 when empty. */
uint64_t hist_min_ns(const struct hist *h);

/** hist_max_ns() - highest value, 0 when empty. */
uint64_t hist_max_ns(const struct hist *h);

/** hist_mean_ns() - mean of the values, 0 when empty. */
double hist_mean_ns(const struct hist *h);

/**
 * hist_percentile_ns() - the value that @p per cent of the values do not exceed
 * @p: in (0, 100]
 *
 * Return: highest value of the bucket where the percentile falls, never above the maximum;
 * 0 when empty.
 */
uint64_t hist_percentile_ns(const struct hist *h, double p);

/** struct hist_bucket - one non-empty bucket: @count values in @low_ns .. @high_ns, inclusive. */
struct hist_bucket {
	uint64_t low_ns;
	uint64_t high_ns;
	uint64_t count;
};

/**
 * hist_next() - walk the non-empty buckets upward
 * @pos: where to go on, 0 to begin; moved on
 *
 * Return: 1 with @out filled, 0 when there are no more.
 */
int hist_next(const struct hist *h, unsigned *pos, struct hist_bucket *out);

#endif
