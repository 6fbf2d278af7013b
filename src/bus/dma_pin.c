// SPDX-License-Identifier: BSD-3-Clause
#include "bus/dma_pin.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"

/* @freed: what its user has freed meanwhile; one of the pins in it keeps it. */
struct pin {
	struct pin *next;
	const void *owner;
	const void *va;
	struct dma_mem freed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pin *pins;

int dma_pin(const void *owner, const void *va)
{
	struct pin *pin;

	if (!dma_iova(va))
		return 0;
	pin = malloc(sizeof(*pin));
	if (!pin)
		return err_set(-ENOMEM, "no memory");
	pthread_mutex_lock(&lock);
	*pin = (struct pin){ .next = pins, .owner = owner, .va = va };
	pins = pin;
	pthread_mutex_unlock(&lock);
	return 0;
}

bool dma_pin_keeps(const struct dma_mem *mem)
{
	struct pin *pin;

	pthread_mutex_lock(&lock);
	for (pin = pins; pin; pin = pin->next) {
		if ((uintptr_t)pin->va - (uintptr_t)mem->va < mem->len) {
			pin->freed = *mem;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return pin;
}

/* Takes one pin of @owner out; NULL: it has none. */
static struct pin *take(const void *owner)
{
	struct pin **link = &pins, *pin;

	pthread_mutex_lock(&lock);
	while (*link && (*link)->owner != owner)
		link = &(*link)->next;
	pin = *link;
	if (pin)
		*link = pin->next;
	pthread_mutex_unlock(&lock);
	return pin;
}

void dma_unpin(const void *owner)
{
	struct pin *pin;

	while ((pin = take(owner))) {
		dma_free(&pin->freed); /* another pin may keep it */
		free(pin);
	}
}

void dma_pin_forget(void)
{
	pthread_mutex_init(&lock, NULL);
	while (pins) {
		struct pin *pin = pins;

		pins = pin->next;
		free(pin);
	}
}
