// SPDX-License-Identifier: BSD-3-Clause
#include "bus/dma_pin.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"

/* A reset of many full queues pins tens of thousands of places, and memory is freed all the time. */
#define BUCKETS 4096u

/* @freed: what its user has freed meanwhile; one of the pins in it keeps it. */
struct pin {
	struct pin *next;
	const void *owner;
	const void *va;
	struct dma_mem freed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pin *buckets[BUCKETS]; /* by page */
static _Atomic size_t npins;

static struct pin **bucket_of(uintptr_t page)
{
	return &buckets[page % BUCKETS];
}

int dma_pin(const void *owner, const void *va)
{
	struct pin *pin, **bucket = bucket_of((uintptr_t)va / DMA_PAGE_BYTES);

	if (!dma_iova(va))
		return 0;
	pin = malloc(sizeof(*pin));
	if (!pin)
		return err_set(-ENOMEM, "no memory");
	pthread_mutex_lock(&lock);
	*pin = (struct pin){ .next = *bucket, .owner = owner, .va = va };
	*bucket = pin;
	atomic_fetch_add(&npins, 1);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Under the lock: a pin of that page, in this memory. */
static struct pin *find(uintptr_t page, const struct dma_mem *mem)
{
	struct pin *pin = *bucket_of(page);

	while (pin && (uintptr_t)pin->va - (uintptr_t)mem->va >= mem->len)
		pin = pin->next;
	return pin;
}

bool dma_pin_keeps(const struct dma_mem *mem)
{
	uintptr_t page = (uintptr_t)mem->va / DMA_PAGE_BYTES;
	uintptr_t end = ((uintptr_t)mem->va + mem->len - 1) / DMA_PAGE_BYTES + 1;
	struct pin *pin = NULL;

	if (!atomic_load(&npins))
		return false;
	/* More pages than buckets: each bucket once. */
	if (end - page > BUCKETS)
		end = page + BUCKETS;
	pthread_mutex_lock(&lock);
	while (page < end && !pin)
		pin = find(page++, mem);
	if (pin)
		pin->freed = *mem;
	pthread_mutex_unlock(&lock);
	return pin;
}

/* All pins of @owner; NULL: of everybody. */
static struct pin *take(const void *owner)
{
	struct pin *taken = NULL;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct pin **link = &buckets[i], *pin;

		while ((pin = *link)) {
			if (owner && pin->owner != owner) {
				link = &pin->next;
				continue;
			}
			*link = pin->next;
			pin->next = taken;
			taken = pin;
			atomic_fetch_sub(&npins, 1);
		}
	}
	pthread_mutex_unlock(&lock);
	return taken;
}

void dma_unpin(const void *owner)
{
	struct pin *pin = atomic_load(&npins) ? take(owner) : NULL;

	while (pin) {
		struct pin *next = pin->next;

		dma_free(&pin->freed); /* another owner's pin may keep it */
		free(pin);
		pin = next;
	}
}

void dma_pin_forget(void)
{
	struct pin *pin, *next;

	pthread_mutex_init(&lock, NULL);
	for (pin = take(NULL); pin; pin = next) {
		next = pin->next;
		free(pin);
	}
	/* A thread of the parent may have been about to count one. */
	atomic_store(&npins, 0);
}
