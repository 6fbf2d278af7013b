/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets of every kind while workers run with verification, threads share the admin queue,
 * and queues come and go; also with a device that has a thread of its own.
 */
#include "drive.h"
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/dma.h"
#include "ioworker/ioworker.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define WORKERS 4u
#define ADMINS	2u
#define ROUNDS	1u
#define REGION	2000u
#define PAGE	4096u

/* Who uses the drive while it is reset. */
struct crowd {
	pthread_t admins[ADMINS], visitor;
	_Atomic bool over;
	_Atomic unsigned int answers, visits;
	_Atomic int fault;
};

static struct crowd crowd;

static void begin_on_drive(void)
{
	crowd = (struct crowd){ 0 };
	nvme_config.verify = true;
	nvme_ns_set_locks(drive.ns, true);
}

static int setup(void **state)
{
	drive_open(state);
	begin_on_drive();
	return 0;
}

static int setup_always(void **state)
{
	drive_open_always(state);
	begin_on_drive();
	return 0;
}

/* A reset cuts commands, and between resets there is no controller. */
static void judge(int rc, _Atomic unsigned int *successes)
{
	if (!rc)
		atomic_fetch_add(successes, 1);
	else if (rc != -ESHUTDOWN)
		atomic_store(&crowd.fault, rc);
}

static void *ask(void *arg)
{
	static const uint32_t cdw10_15[6] = { 1 };
	uint8_t data[PAGE];

	while (!atomic_load(&crowd.over)) {
		struct nvme_req req = { 0 };

		nvme_cmd_raw(&req, NVME_ADMIN_IDENTIFY, 0, data, sizeof(data), cdw10_15);
		judge(nvme_admin_exec(drive.ctrl, &req, 0), &crowd.answers);
	}
	return NULL;
}

struct visit {
	struct nvme_req req;
	_Atomic bool done; /* by this thread, or by the one that resets */
};

static void mark_done(struct nvme_req *req)
{
	struct visit *v = req->owner;

	atomic_store(&v->done, true);
}

/* Deletes the queue. Return: 0, the status, or -ESHUTDOWN. */
static int read_once(struct nvme_qpair *q, void *data)
{
	struct visit v = { .req = { .done = mark_done } };
	int rc = nvme_qpair_enter(q);

	if (!rc) {
		v.req.owner = &v;
		nvme_cmd_rw(&v.req, drive.ns, NVME_CMD_READ, data, WORKERS * REGION, 8, 0);
		nvme_qpair_submit(q, &v.req, clock_now_ns());
		nvme_qpair_ring(q);
		nvme_qpair_exit(q);
		while (!atomic_load(&v.done) && !nvme_qpair_enter(q)) {
			nvme_qpair_poll(q, 1, clock_now_ns());
			nvme_qpair_exit(q);
		}
	}
	/* What a reset has cut is given back here at the latest. */
	nvme_qpair_delete(q);
	if (rc)
		return rc;
	if (!atomic_load(&v.done))
		return -EIO;
	rc = nvme_req_status(&v.req);
	return rc == NVME_SC_ABORTED_SQ_DELETION ? -ESHUTDOWN : rc;
}

/* Makes a queue, reads, and deletes it. */
static void *visit(void *arg)
{
	struct dma_mem mem;

	if (dma_alloc(&mem, PAGE))
		return NULL;
	while (!atomic_load(&crowd.over)) {
		struct nvme_qpair *q;
		int rc = nvme_qpair_create(drive.ctrl, 8, 0, NVME_QPAIR_NO_IRQ, &q);

		judge(rc ? rc : read_once(q, mem.va), &crowd.visits);
	}
	dma_free(&mem);
	return NULL;
}

/* Half reads, half writes, in a region of its own. */
static struct ioworker *started(unsigned int index)
{
	static const struct plan_size size = { .nlb = 8, .align = 8, .weight = 1 };
	static const struct plan_op ops[] = { { NVME_CMD_READ, 50 }, { NVME_CMD_WRITE, 50 } };
	struct ioworker_opts o = {
		.ns = drive.ns,
		.plan = {
			.sizes = &size,
			.nsizes = 1,
			.ops = ops,
			.nops = 2,
			.region_start = index * REGION,
			.region_end = (index + 1) * REGION,
			.seed = index,
		},
		.time_ns = 1000 * SECOND,
		.qdepth = 16,
		.cpu = -1,
	};
	struct ioworker *w;

	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_start(w), 0);
	return w;
}

static void wait_for_progress(const struct ioworker *w)
{
	uint64_t until_ns = clock_now_ns() + 60 * SECOND;
	struct ioworker_progress p = { 0 };

	while (!p.ios && clock_now_ns() < until_ns) {
		clock_sleep_until_ns(clock_now_ns() + MS);
		ioworker_get_progress(w, &p);
	}
	assert_true(p.ios > 0);
}

static void wait_for_more(const _Atomic unsigned int *count)
{
	uint64_t until_ns = clock_now_ns() + 60 * SECOND;
	unsigned int before = atomic_load(count);

	while (atomic_load(count) == before && clock_now_ns() < until_ns)
		clock_sleep_until_ns(clock_now_ns() + MS);
	assert_true(atomic_load(count) != before);
}

static uint64_t under_load(int (*reset)(void))
{
	struct ioworker *w[WORKERS];
	uint64_t ios = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		w[i] = started(i);
	for (unsigned int i = 0; i < WORKERS; i++)
		wait_for_progress(w[i]);
	wait_for_more(&crowd.answers);
	wait_for_more(&crowd.visits);
	if (reset())
		fail_msg("%s", err_text());
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct ioworker_result r;

		assert_int_equal(ioworker_join(w[i], 60 * SECOND), 0);
		ioworker_get_result(w[i], &r);
		ioworker_destroy(w[i]);
		assert_true(r.failed);
		assert_int_equal(r.status, NVME_SC_ABORTED_SQ_DELETION);
		ios += r.reads + r.writes;
	}
	return ios;
}

static int controller(void)
{
	return nvme_ctrl_reset(drive.ctrl, NVME_RESET_CTRL);
}

static int function_level(void)
{
	return nvme_ctrl_reset(drive.ctrl, NVME_RESET_FLR);
}

static int hot(void)
{
	return nvme_ctrl_reset(drive.ctrl, NVME_RESET_HOT);
}

static int subsystem(void)
{
	return nvme_ctrl_reset(drive.ctrl, NVME_RESET_SUBSYSTEM);
}

static int power(void)
{
	int err = nvme_ctrl_power(drive.ctrl, false);

	return err ? err : nvme_ctrl_power(drive.ctrl, true);
}

static int quiet_and_back(void)
{
	int err = nvme_ctrl_quiesce(drive.ctrl, "a test");

	return err ? err : nvme_ctrl_reinit(drive.ctrl);
}

static unsigned int total_resets, total_answers, total_visits;
static uint64_t total_ios;

static void resets_under_load(void **state)
{
	static int (*const resets[])(void) = { controller, function_level, hot,
					       subsystem,  power,	   quiet_and_back };

	for (unsigned int i = 0; i < ADMINS; i++)
		assert_int_equal(pthread_create(&crowd.admins[i], NULL, ask, NULL), 0);
	assert_int_equal(pthread_create(&crowd.visitor, NULL, visit, NULL), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(resets) * ROUNDS; i++) {
		total_ios += under_load(resets[i % ARRAY_SIZE(resets)]);
		total_resets++;
	}
	atomic_store(&crowd.over, true);
	for (unsigned int i = 0; i < ADMINS; i++)
		pthread_join(crowd.admins[i], NULL);
	pthread_join(crowd.visitor, NULL);
	total_answers += atomic_load(&crowd.answers);
	total_visits += atomic_load(&crowd.visits);
	assert_int_equal(atomic_load(&crowd.fault), 0);
}

static void resets_under_load_of_a_device_with_a_thread(void **state)
{
	resets_under_load(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(resets_under_load, setup, drive_close),
		cmocka_unit_test_setup_teardown(resets_under_load_of_a_device_with_a_thread,
						setup_always, drive_close),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	printf("# figure resets: %u\n", total_resets);
	printf("# figure IOs of workers: %llu\n", (unsigned long long)total_ios);
	printf("# figure admin commands: %u\n", total_answers);
	printf("# figure queues: %u\n", total_visits);
	return failed;
}
