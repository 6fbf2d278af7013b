// SPDX-License-Identifier: BSD-3-Clause
/*
 * The bus to a real function, to be run where there is one: guest_bus ADDRESS.
 *
 * Drives the device just far enough (one admin queue, Identify) to prove registers,
 * config space, DMA, interrupts, resets and power.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"
#include "bus/dma.h"
#include "bus/irq.h"
#include "bus/pci.h"
#include "spec/nvme.h"
#include "spec/pci.h"
#include "spec/reg.h"

#define ENTRIES	   32u
#define SECOND_NS  UINT64_C(1000000000)
#define IDENTIFY   0x06
#define CNS_CTRL   1u
#define CC_ENABLED 0x00460001u

static const char *address;

/* A controller with an admin queue, and nothing else. */
struct device {
	struct bus *bus;
	struct dma_mem sq, cq, data;
	uint32_t tail, head;
	uint16_t phase;
};

static struct device dev; /* of the test that runs */

static void assert_ok(int err)
{
	if (err)
		fail_msg("%d: %s", err, err_text());
}

static uint32_t reg(struct bus *bus, uint64_t off)
{
	uint32_t val;

	assert_ok(bus_read32(bus, off, &val));
	return val;
}

static void wait_ready(struct bus *bus, uint32_t ready)
{
	uint64_t until_ns = clock_now_ns() + 60 * SECOND_NS;

	while ((reg(bus, NVME_REG_CSTS) & 1) != ready)
		assert_true(clock_now_ns() < until_ns);
}

static void enable(void)
{
	assert_ok(bus_write32(dev.bus, NVME_REG_CC, 0));
	wait_ready(dev.bus, 0);
	memset(dev.cq.va, 0, dev.cq.len);
	dev.tail = 0;
	dev.head = 0;
	dev.phase = 1;
	assert_ok(bus_write32(dev.bus, NVME_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1)));
	assert_ok(bus_write64(dev.bus, NVME_REG_ASQ, dma_iova(dev.sq.va)));
	assert_ok(bus_write64(dev.bus, NVME_REG_ACQ, dma_iova(dev.cq.va)));
	assert_ok(bus_write32(dev.bus, NVME_REG_CC, CC_ENABLED));
	wait_ready(dev.bus, 1);
}

static void device_open(unsigned int vectors)
{
	assert_ok(bus_open(&dev.bus, address));
	assert_ok(dma_alloc(&dev.sq, ENTRIES * 64));
	assert_ok(dma_alloc(&dev.cq, ENTRIES * 16));
	assert_ok(dma_alloc(&dev.data, 4096));
	if (vectors)
		assert_ok(bus_irq_init(dev.bus, vectors));
	enable();
}

static int open_only(void **state)
{
	assert_ok(bus_open(&dev.bus, address));
	return 0;
}

static int close_all(void **state)
{
	dma_free(&dev.sq);
	dma_free(&dev.cq);
	dma_free(&dev.data);
	bus_close(dev.bus);
	memset(&dev, 0, sizeof(dev));
	return count_get(COUNT_FDS) || count_get(COUNT_CHUNKS) || count_get(COUNT_THREADS);
}

static void doorbell(unsigned int index, uint32_t val)
{
	if (dev.bus->doorbells) {
		mmio_write32(&dev.bus->doorbells[index], val);
		bus_kick(dev.bus);
	} else {
		assert_ok(bus_write32(dev.bus, NVME_REG_DOORBELLS + 4 * index, val));
	}
}

static void submit_identify(void)
{
	uint32_t *sqe = (uint32_t *)dev.sq.va + 16 * dev.tail;
	uint64_t iova = dma_iova(dev.data.va);

	memset(sqe, 0, 64);
	sqe[0] = IDENTIFY | dev.tail << 16;
	sqe[6] = (uint32_t)iova;
	sqe[7] = (uint32_t)(iova >> 32);
	sqe[10] = CNS_CTRL;
	dev.tail = (dev.tail + 1) % ENTRIES;
	dma_wmb();
	doorbell(0, dev.tail);
}

static bool completed(void)
{
	volatile uint32_t *cqe = (uint32_t *)dev.cq.va + 4 * dev.head;
	uint32_t dw3;

	bus_step(dev.bus, clock_now_ns());
	dw3 = cqe[3];
	dma_rmb();
	if ((dw3 >> 16 & 1) != dev.phase)
		return false;
	assert_int_equal(dw3 >> 17, 0);
	dev.head = (dev.head + 1) % ENTRIES;
	dev.phase ^= dev.head == 0;
	doorbell(1, dev.head);
	return true;
}

static void wait_completed(void)
{
	uint64_t until_ns = clock_now_ns() + 60 * SECOND_NS;

	while (!completed())
		assert_true(clock_now_ns() < until_ns);
}

static void config_space_is_that_of_an_nvme_function(void **state)
{
	struct bus *bus = dev.bus;
	uint32_t class;
	uint8_t last;

	assert_ok(pci_read32(bus, PCI_CFG_REVISION, &class));
	assert_int_equal(class >> 8, PCI_CLASS_NVME);
	assert_true(pci_find_cap(bus, PCI_CAP_PCIE) >= 0x40);
	assert_true(pci_find_cap(bus, PCI_CAP_PM) >= 0x40);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_AGP), 0);
	assert_int_equal(bus->ops->cfg_read(bus, PCIE_CFG_BYTES - 1, &last, 1), 0);
	assert_int_equal(bus->ops->cfg_read(bus, PCIE_CFG_BYTES, &last, 1), -EINVAL);
}

static void registers_answer(void **state)
{
	struct bus *bus = dev.bus;
	uint64_t cap;

	assert_ok(bus_read64(bus, NVME_REG_CAP, &cap));
	assert_true(cap != 0 && cap != UINT64_MAX);
	assert_int_equal(reg(bus, NVME_REG_CAP), (uint32_t)cap);
	assert_true(reg(bus, NVME_REG_VS) >= NVME_VS(1, 0, 0));
}

static void identify_reaches_memory(void **state)
{
	device_open(0);
	for (int i = 0; i < 100; i++) {
		memset(dev.data.va, 0, 4096);
		submit_identify();
		wait_completed();
		assert_true(((uint16_t *)dev.data.va)[0] != 0); /* VID */
	}
}

static void memory_allocated_later_is_reached(void **state)
{
	struct dma_mem big, first;
	device_open(0);
	assert_ok(dma_alloc(&big, 1 << 21));
	first = dev.data;
	dev.data = big;
	submit_identify();
	wait_completed();
	assert_true(((uint16_t *)big.va)[0] != 0);
	dev.data = first;
	dma_free(&big);
}

static void an_interrupt_wakes_the_waiter(void **state)
{
	device_open(4);
	assert_true(dev.bus->nvectors >= 1);
	for (int i = 0; i < 10; i++) {
		submit_identify();
		assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + 60 * SECOND_NS), 1);
		wait_completed();
		assert_int_equal(bus_irq_isset(dev.bus, 0), 1);
		assert_int_equal(bus_irq_clear(dev.bus, 0), 0);
		assert_int_equal(bus_irq_isset(dev.bus, 0), 0);
	}
}

static void a_wait_for_nothing_ends_in_time(void **state)
{
	uint64_t took_ns = UINT64_MAX;

	device_open(1);
	/* A busy machine may be late, but not every time. */
	for (unsigned int tries = 0; tries < 5 && took_ns > SECOND_NS; tries++) {
		uint64_t start_ns = clock_now_ns();

		assert_int_equal(bus_irq_wait(dev.bus, 0, start_ns + SECOND_NS / 10), 0);
		took_ns = clock_now_ns() - start_ns;
	}
	assert_in_range(took_ns, SECOND_NS / 10, SECOND_NS);
}

static void a_masked_interrupt_fires_at_unmask(void **state)
{
	device_open(2);
	assert_ok(bus_irq_set_mask(dev.bus, 0, true));
	submit_identify();
	assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + SECOND_NS / 5), 0);
	assert_int_equal(bus_irq_isset(dev.bus, 0), 0);
	assert_ok(bus_irq_set_mask(dev.bus, 0, false));
	assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + 60 * SECOND_NS), 1);
	wait_completed();
}

static void reset_disables_and_the_device_comes_back(enum bus_reset kind)
{
	device_open(2);
	assert_ok(dev.bus->ops->reset(dev.bus, kind));
	assert_int_equal(reg(dev.bus, NVME_REG_CC) & 1, 0);
	assert_ok(bus_irq_replay(dev.bus));
	enable();
	submit_identify();
	assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + 60 * SECOND_NS), 1);
	wait_completed();
}

static void function_level_reset(void **state)
{
	reset_disables_and_the_device_comes_back(BUS_RESET_FLR);
}

static void hot_reset(void **state)
{
	reset_disables_and_the_device_comes_back(BUS_RESET_HOT);
}

static void a_function_in_d3hot_reads_all_ones_and_returns(void **state)
{
	device_open(0);
	assert_ok(pci_set_power_state(dev.bus, 3));
	assert_int_equal(pci_get_power_state(dev.bus), 3);
	assert_int_equal(reg(dev.bus, NVME_REG_VS), UINT32_MAX);
	assert_ok(bus_write32(dev.bus, NVME_REG_CC, 0));
	assert_ok(pci_set_power_state(dev.bus, 0));
	assert_true(reg(dev.bus, NVME_REG_VS) != UINT32_MAX);
	enable();
	submit_identify();
	wait_completed();
}

static void without_memory_space_registers_read_all_ones(void **state)
{
	struct bus *bus = dev.bus;

	assert_ok(pci_write16(bus, PCI_CFG_COMMAND, 0));
	assert_int_equal(reg(bus, NVME_REG_VS), UINT32_MAX);
	assert_ok(pci_enable(bus));
	assert_true(reg(bus, NVME_REG_VS) != UINT32_MAX);
}

static void a_power_cycle_needs_no_reopen(void **state)
{
	int err;

	device_open(2);
	err = dev.bus->ops->power(dev.bus, false);
	if (err == -EOPNOTSUPP) {
		skip();
	}
	assert_ok(err);
	assert_int_equal(dev.bus->ops->health(dev.bus), -ENODEV);
	assert_ok(dev.bus->ops->power(dev.bus, true));
	assert_ok(dev.bus->ops->health(dev.bus));
	assert_int_equal(reg(dev.bus, NVME_REG_CC) & 1, 0);
	assert_ok(bus_irq_replay(dev.bus));
	enable();
	submit_identify();
	assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + 60 * SECOND_NS), 1);
	wait_completed();
}

static bool simulated(void)
{
	return !strncmp(address, "sim", 3);
}

static void beyond_bar0_there_is_nothing(void **state)
{
	uint64_t far;

	assert_int_equal(bus_read64(dev.bus, UINT64_C(1) << 40, &far), -EINVAL);
	assert_int_equal(bus_write64(dev.bus, UINT64_C(1) << 40, 0), -EINVAL);
}

static void a_second_open_is_another_device_or_refused(void **state)
{
	struct bus *second;

	if (simulated()) {
		assert_ok(bus_open(&second, address));
		bus_close(second);
		return;
	}
	assert_int_equal(bus_open(&second, address), -EALREADY);
	assert_non_null(strstr(err_text(), "open in this process"));
}

/* What a child of the process that has the device gets. */
static int open_in_child(void)
{
	struct bus *second;
	char parent[32];
	int err = bus_open(&second, address);

	if (simulated()) {
		bus_close(second);
		return err;
	}
	snprintf(parent, sizeof(parent), "process %d ", (int)getppid());
	if (err == -EBUSY && strstr(err_text(), parent))
		return 0;
	fprintf(stderr, "child: %d: %s\n", err, err_text());
	return 1;
}

/* The child hears who has the drive; its close does not disturb the parent. */
static void a_child_does_not_disturb_its_parent(void **state)
{
	int status;
	pid_t pid;

	device_open(1);
	pid = fork();
	if (!pid) {
		int bad = open_in_child();

		bus_close(dev.bus);
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	submit_identify();
	assert_int_equal(bus_irq_wait(dev.bus, 0, clock_now_ns() + 60 * SECOND_NS), 1);
	wait_completed();
}

static void aspm_is_set_and_read_back_or_refused(void **state)
{
	struct bus *bus = dev.bus;
	int err;

	err = pci_set_aspm(bus, 1);
	if (err)
		assert_int_equal(err, -EOPNOTSUPP);
	else
		assert_int_equal(pci_get_aspm(bus), 1);
	assert_ok(pci_set_aspm(bus, 0));
	assert_int_equal(pci_get_aspm(bus), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config_space_is_that_of_an_nvme_function, open_only,
						close_all),
		cmocka_unit_test_setup_teardown(registers_answer, open_only, close_all),
		cmocka_unit_test_teardown(identify_reaches_memory, close_all),
		cmocka_unit_test_teardown(memory_allocated_later_is_reached, close_all),
		cmocka_unit_test_teardown(an_interrupt_wakes_the_waiter, close_all),
		cmocka_unit_test_teardown(a_wait_for_nothing_ends_in_time, close_all),
		cmocka_unit_test_teardown(a_masked_interrupt_fires_at_unmask, close_all),
		cmocka_unit_test_teardown(function_level_reset, close_all),
		cmocka_unit_test_teardown(hot_reset, close_all),
		cmocka_unit_test_teardown(a_function_in_d3hot_reads_all_ones_and_returns,
					  close_all),
		cmocka_unit_test_setup_teardown(without_memory_space_registers_read_all_ones,
						open_only, close_all),
		cmocka_unit_test_teardown(a_power_cycle_needs_no_reopen, close_all),
		cmocka_unit_test_setup_teardown(aspm_is_set_and_read_back_or_refused, open_only,
						close_all),
		cmocka_unit_test_setup_teardown(a_second_open_is_another_device_or_refused,
						open_only, close_all),
		cmocka_unit_test_teardown(a_child_does_not_disturb_its_parent, close_all),
		cmocka_unit_test_setup_teardown(beyond_bar0_there_is_nothing, open_only, close_all),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: guest_bus ADDRESS\n");
		return 2;
	}
	address = argv[1];
	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
