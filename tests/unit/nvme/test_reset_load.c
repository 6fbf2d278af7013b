// SPDX-License-Identifier: BSD-3-Clause
/* Resets and the loss of power while threads use the software SSD. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "sim_fixture.h"

#define LOAD_THREADS 3
#define LOAD_DEPTH   16
#define LOAD_RESETS  10

struct load {
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns;
	_Atomic bool stop;
	_Atomic unsigned int completed, aborted, stale, lost;
};

struct load_slot {
	struct nvme_req req;
	struct load *load;
	bool idle;
};

static void load_done(struct nvme_req *req)
{
	struct load_slot *slot = req->owner;

	if (req->flags & NVME_REQ_SYNTHETIC)
		atomic_fetch_add(&slot->load->aborted, 1);
	else
		atomic_fetch_add(&slot->load->completed, 1);
	slot->idle = true;
}

static void drive(struct load *load, struct nvme_qpair *q, struct load_slot *slots,
		  struct dma_mem *mem)
{
	while (!nvme_qpair_enter(q)) {
		uint64_t now_ns = clock_now_ns();

		for (unsigned int i = 0; i < LOAD_DEPTH; i++) {
			if (!slots[i].idle || atomic_load(&load->stop))
				continue;
			slots[i].idle = false;
			nvme_cmd_rw(&slots[i].req, load->ns, i & 1 ? NVME_CMD_WRITE : NVME_CMD_READ,
				    (uint8_t *)mem->va + i * 4096, i * 8, 8, 0);
			nvme_qpair_submit(q, &slots[i].req, now_ns);
		}
		nvme_qpair_ring(q);
		nvme_qpair_poll(q, LOAD_DEPTH, clock_now_ns());
		nvme_qpair_exit(q);
		if (atomic_load(&load->stop) && !nvme_qpair_outstanding(q))
			return;
		sched_yield();
	}
	atomic_fetch_add(&load->stale, 1);
}

static void *load_thread(void *arg)
{
	struct load_slot slots[LOAD_DEPTH] = { 0 };
	struct load *load = arg;
	struct nvme_qpair *q;
	struct dma_mem mem;

	assert_int_equal(dma_alloc(&mem, LOAD_DEPTH * 4096), 0);
	for (unsigned int i = 0; i < LOAD_DEPTH; i++) {
		slots[i].load = load;
		slots[i].req.done = load_done;
		slots[i].req.owner = &slots[i];
		slots[i].req.flags = NVME_REQ_STAMP | NVME_REQ_CHECK;
		slots[i].idle = true;
	}
	while (!atomic_load(&load->stop)) {
		if (nvme_qpair_create(load->ctrl, LOAD_DEPTH / 2, 0, NVME_QPAIR_AUTO_IRQ, &q)) {
			sched_yield();
			continue;
		}
		drive(load, q, slots, &mem);
		nvme_qpair_delete(q);
		for (unsigned int i = 0; i < LOAD_DEPTH; i++) {
			if (!slots[i].idle)
				atomic_fetch_add(&load->lost, 1);
			slots[i].idle = true;
		}
	}
	dma_free(&mem);
	return NULL;
}

static void *admin_thread(void *arg)
{
	struct load *load = arg;

	while (!atomic_load(&load->stop)) {
		struct nvme_req req = { 0 };

		nvme_cmd_raw(&req, NVME_ADMIN_GET_FEATURES, 0, NULL, 0,
			     (const uint32_t[6]){ 7, 0, 0, 0, 0, 0 });
		nvme_admin_exec(load->ctrl, &req, 0);
	}
	return NULL;
}

static void resets_under_load(void **state)
{
	static const enum nvme_reset kinds[] = { NVME_RESET_CTRL, NVME_RESET_FLR,
						 NVME_RESET_SUBSYSTEM };
	struct load load = { 0 };
	pthread_t threads[LOAD_THREADS + 1];

	assert_int_equal(nvme_ctrl_open(&load.ctrl, "sim:latency=none", NULL), 0);
	assert_int_equal(nvme_ns_open(load.ctrl, 1, &load.ns), 0);
	for (int i = 0; i < LOAD_THREADS; i++)
		pthread_create(&threads[i], NULL, load_thread, &load);
	pthread_create(&threads[LOAD_THREADS], NULL, admin_thread, &load);
	for (int i = 0; i < LOAD_RESETS; i++) {
		clock_sleep_until_ns(clock_now_ns() + 20000000);
		if (nvme_ctrl_reset(load.ctrl, kinds[i % 3]))
			fail_msg("reset %d: %s", i, err_text());
	}
	clock_sleep_until_ns(clock_now_ns() + 20000000);
	atomic_store(&load.stop, true);
	for (int i = 0; i < LOAD_THREADS + 1; i++)
		pthread_join(threads[i], NULL);

	assert_true(load.completed > 0);
	assert_true(load.stale > 0);
	assert_int_equal(load.lost, 0);
	nvme_ns_put(load.ns);
	nvme_ctrl_put(load.ctrl);
	assert_int_equal(count_get(COUNT_QPAIRS), 0);
	assert_int_equal(count_get(COUNT_REQUESTS), 0);
}

static void power_goes_and_comes_back_under_load(void **state)
{
	struct load load = { 0 };
	pthread_t thread;

	assert_int_equal(nvme_ctrl_open(&load.ctrl, "sim:latency=none", NULL), 0);
	assert_int_equal(nvme_ns_open(load.ctrl, 1, &load.ns), 0);
	pthread_create(&thread, NULL, load_thread, &load);
	for (int i = 0; i < 3; i++) {
		clock_sleep_until_ns(clock_now_ns() + 20000000);
		assert_int_equal(nvme_ctrl_power(load.ctrl, false), 0);
		assert_int_not_equal(nvme_ctrl_reset(load.ctrl, NVME_RESET_CTRL), 0);
		if (nvme_ctrl_power(load.ctrl, true))
			fail_msg("power on: %s", err_text());
	}
	atomic_store(&load.stop, true);
	pthread_join(thread, NULL);

	assert_true(load.stale > 0);
	assert_int_equal(load.lost, 0);
	nvme_ns_put(load.ns);
	nvme_ctrl_put(load.ctrl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resets_under_load),
		cmocka_unit_test(power_goes_and_comes_back_under_load),
	};

	return cmocka_run_group_tests_name("nvme/reset load", tests, NULL, NULL);
}
