#include "base/hist.h"

#include <math.h>
#include <string.h>

static uint64_t bucket_low_ns(unsigned index)
{
	unsigned shift = index >> HIST_SUB_BITS;

	/* The first octave takes the indexes of two: its own values and those below. */
	if (shift)
		shift--;
	return (uint64_t)(index - (shift << HIST_SUB_BITS)) << shift;
}

void hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min_ns = UINT64_MAX;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->sum_ns += from->sum_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	if (from->min_ns < into->min_ns)
		into->min_ns = from->min_ns;
}

uint64_t hist_count(const struct hist *h)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		count += h->bucket[i];
	return count;
}

uint64_t hist_min_ns(const struct hist *h)
{
	return h->min_ns == UINT64_MAX ? 0 : h->min_ns;
}

uint64_t hist_max_ns(const struct hist *h)
{
	return h->max_ns;
}

double hist_mean_ns(const struct hist *h)
{
	uint64_t count = hist_count(h);

	return count ? (double)h->sum_ns / (double)count : 0;
}

uint64_t hist_percentile_ns(const struct hist *h, double p)
{
	uint64_t count = hist_count(h);
	/* 99.9 is a little more than 999/1000 in binary: without the slack its rank is one too high */
	double exact = p / 100 * (double)count;
	uint64_t rank = (uint64_t)ceil(exact - exact * 1e-12);
	struct hist_bucket bucket;
	uint64_t seen = 0;
	unsigned pos = 0;

	while (hist_next(h, &pos, &bucket)) {
		seen += bucket.count;
		if (seen >= rank)
			return bucket.high_ns < h->max_ns ? bucket.high_ns : h->max_ns;
	}
	return h->max_ns;
}

int hist_next(const struct hist *h, unsigned *pos, struct hist_bucket *out)
{
	while (*pos < HIST_BUCKETS && !h->bucket[*pos])
		++*pos;
	if (*pos == HIST_BUCKETS)
		return 0;
	out->low_ns = bucket_low_ns(*pos);
	out->high_ns = *pos == HIST_BUCKETS - 1 ? UINT64_MAX : bucket_low_ns(*pos + 1) - 1;
	out->count = h->bucket[*pos];
	++*pos;
	return 1;
}
