// SPDX-License-Identifier: BSD-3-Clause
#include "soft_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/barrier.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"
#include "bus/dma.h"
#include "bus/irq.h"
#include "spec/reg.h"

#define CC_ENABLED 0x00460001u

struct bus *soft_dev;
static struct dma_mem sq, cq, data;
uint32_t soft_tail;

void soft_assert_ok(int err)
{
	if (err)
		fail_msg("%d: %s", err, err_text());
}

static void wait_ready(uint32_t ready)
{
	uint64_t until_ns = clock_now_ns() + 20000 * MS;
	uint32_t csts;

	do {
		soft_assert_ok(bus_read32(soft_dev, NVME_REG_CSTS, &csts));
		assert_true(clock_now_ns() < until_ns);
	} while ((csts & 1) != ready);
}

void soft_enable(void)
{
	soft_assert_ok(bus_write32(soft_dev, NVME_REG_CC, 0));
	wait_ready(0);
	memset(cq.va, 0, cq.len);
	soft_tail = 0;
	soft_assert_ok(
		bus_write32(soft_dev, NVME_REG_AQA, (SOFT_ENTRIES - 1) << 16 | (SOFT_ENTRIES - 1)));
	soft_assert_ok(bus_write64(soft_dev, NVME_REG_ASQ, sq.iova));
	soft_assert_ok(bus_write64(soft_dev, NVME_REG_ACQ, cq.iova));
	soft_assert_ok(bus_write32(soft_dev, NVME_REG_CC, CC_ENABLED));
	wait_ready(1);
}

static void open_sim(const char *addr)
{
	soft_assert_ok(bus_open(&soft_dev, addr));
	soft_assert_ok(dma_alloc(&sq, SOFT_ENTRIES * 64));
	soft_assert_ok(dma_alloc(&cq, SOFT_ENTRIES * 16));
	soft_assert_ok(dma_alloc(&data, 4096));
	soft_assert_ok(bus_irq_init(soft_dev, 2));
	soft_enable();
}

int soft_setup(void **state)
{
	open_sim("sim");
	return 0;
}

int soft_setup_always(void **state)
{
	open_sim("sim:thread=always,latency=none");
	return 0;
}

int soft_setup_fast(void **state)
{
	open_sim("sim:latency=none");
	return 0;
}

int soft_teardown(void **state)
{
	dma_free(&sq);
	dma_free(&cq);
	dma_free(&data);
	bus_close(soft_dev);
	soft_dev = NULL;
	return count_get(COUNT_FDS) || count_get(COUNT_CHUNKS) || count_get(COUNT_THREADS) ||
	       count_get(COUNT_BUSES);
}

/* Identify Controller; the doorbell is a plain store, as the driver's. */
void soft_submit(void)
{
	uint32_t *sqe = (uint32_t *)sq.va + 16 * soft_tail;

	memset(sqe, 0, 64);
	sqe[0] = 0x06 | soft_tail << 16;
	sqe[6] = (uint32_t)data.iova;
	sqe[7] = (uint32_t)(data.iova >> 32);
	sqe[10] = 1;
	soft_tail = (soft_tail + 1) % SOFT_ENTRIES;
	mmio_write32(soft_dev->doorbells, soft_tail);
}

/* Entries soft_posted on the first lap. */
unsigned int soft_posted(void)
{
	unsigned int n = 0;

	while (n < SOFT_ENTRIES) {
		uint32_t dw3 = mmio_read32((uint32_t *)cq.va + 4 * n + 3);

		if (!(dw3 & 1u << 16))
			break;
		n++;
	}
	return n;
}

void soft_sleep_ms(unsigned int ms)
{
	clock_sleep_until_ns(clock_now_ns() + ms * MS);
}

bool soft_posted_within_ms(unsigned int n, unsigned int ms)
{
	uint64_t until_ns = clock_now_ns() + ms * MS;

	while (soft_posted() < n && clock_now_ns() < until_ns)
		soft_sleep_ms(1);
	return soft_posted() >= n;
}
