/*
 * A pool of 16-bit identifiers over memory of the caller, last in first out: the identifier that
 * was used last is the one whose memory is still in the cache. Not thread safe.
 */
#ifndef BASE_IDPOOL_H
#define BASE_IDPOOL_H

#include <assert.h>
#include <stdint.h>

struct idpool {
	uint16_t *ids; /* the free ones are ids[0..free - 1] */
	uint32_t free;
	uint32_t capacity;
};

/**
 * idpool_init() - a pool of @first .. @first + @count - 1, all free, lowest first
 * @ids: room for @count identifiers, stays the caller's
 */
static inline void idpool_init(struct idpool *p, uint16_t *ids, uint16_t first, uint32_t count)
{
	p->ids = ids;
	p->free = count;
	p->capacity = count;
	for (uint32_t i = 0; i < count; i++)
		ids[i] = (uint16_t)(first + count - 1 - i);
}

/** idpool_get() - take an identifier. Return: it, or -1 when none is free. */
static inline int idpool_get(struct idpool *p)
{
	return p->free ? p->ids[--p->free] : -1;
}

/** idpool_put() - give back an identifier that idpool_get() returned. */
static inline void idpool_put(struct idpool *p, uint16_t id)
{
	assert(p->free < p->capacity);
	p->ids[p->free++] = id;
}

/**
 * idpool_reserve() - take every free identifier in @first .. @last out of the pool
 *
 * Return: how many were taken; each may be given back by idpool_put().
 */
static inline uint32_t idpool_reserve(struct idpool *p, uint16_t first, uint16_t last)
{
	uint32_t kept = 0;
	uint32_t taken;

	for (uint32_t i = 0; i < p->free; i++) {
		if (p->ids[i] < first || p->ids[i] > last)
			p->ids[kept++] = p->ids[i];
	}
	taken = p->free - kept;
	p->free = kept;
	return taken;
}

#endif
