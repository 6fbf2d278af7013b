// SPDX-License-Identifier: BSD-3-Clause
/* The admin queue shared by many threads, with events, queues that come and go, and a cmdlog reader. */
#include "sim_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counts.h"
#include "bus/soft.h"
#include "nvme/aer.h"
#include "nvme/cmd_admin.h"
#include "spec/admin.h"

#define ROUNDS	 120u
#define PAGE	 4096u
#define HOT_K	 400u
#define COOL_K	 300u
#define SMART_LP (127u << 16 | NVME_LOG_SMART) /* 512 bytes */

static struct sim *sim;
static _Atomic unsigned int faults, answers;

static int open_sim(void **state)
{
	int rc = sim_open(state);

	sim = *state;
	faults = answers = 0;
	return rc;
}

static int open_with_a_thread(void **state)
{
	int rc = sim_open_with(state, "sim:latency=none,thread=always");

	sim = *state;
	faults = answers = 0;
	return rc;
}

static void judge(bool good)
{
	atomic_fetch_add(good ? &answers : &faults, 1);
}

/* As the tool does it: submit, and wait by reaping for all. */
static void *execute(void *arg)
{
	static const uint32_t cdw10_15[6] = { 1 };
	uint8_t data[PAGE];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct nvme_req req = { 0 };

		data[0] = data[1] = 0xff;
		nvme_cmd_raw(&req, NVME_ADMIN_IDENTIFY, 0, data, sizeof(data), cdw10_15);
		judge(!nvme_admin_exec(sim->ctrl, &req, 0) && data[0] != 0xff);
	}
	return NULL;
}

struct own {
	struct nvme_req req;
	_Atomic bool done; /* by whoever reaps */
};

static void mark_done(struct nvme_req *req)
{
	struct own *own = req->owner;

	atomic_store(&own->done, true);
}

/* As scripts do it: a request of one's own, reaped by anybody. */
static void *submit_and_poll(void *arg)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct own own = { .req = { .done = mark_done } };
		bool good;

		own.req.owner = &own;
		nvme_cmd_raw(&own.req, NVME_ADMIN_GET_FEATURES, 0, NULL, 0,
			     (const uint32_t[6]){ NVME_FEAT_NUMBER_OF_QUEUES });
		good = !nvme_admin_submit(sim->ctrl, &own.req);
		while (good && !atomic_load(&own.done))
			good = nvme_admin_poll(sim->ctrl, clock_now_ns()) >= 0;
		judge(good && !nvme_req_status(&own.req));
	}
	return NULL;
}

static void *make_queues(void *arg)
{
	for (unsigned int i = 0; i < ROUNDS / 3; i++) {
		struct nvme_qpair *q;

		if (nvme_qpair_create(sim->ctrl, 8, 0, NVME_QPAIR_AUTO_IRQ, &q))
			judge(false);
		else
			judge(!nvme_qpair_delete(q));
	}
	return NULL;
}

static void set_temperature(unsigned int kelvin)
{
	soft_lock(sim->ctrl->bus);
	ssd_set_temperature(soft_ssd(sim->ctrl->bus), kelvin, clock_now_ns());
	soft_unlock(sim->ctrl->bus);
}

/* Reading the log page lets the next event come. */
static void *clear_smart(void *arg)
{
	uint8_t data[512];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct nvme_req req = { 0 };

		nvme_cmd_raw(&req, NVME_ADMIN_GET_LOG_PAGE, 0xffffffff, data, sizeof(data),
			     (const uint32_t[6]){ SMART_LP });
		judge(!nvme_admin_exec(sim->ctrl, &req, 0));
	}
	return NULL;
}

static void *(*const bodies[])(void *) = {
	execute, execute, submit_and_poll, submit_and_poll, make_queues, clear_smart,
};
#define THREADS (sizeof(bodies) / sizeof(bodies[0]))

static unsigned int events(void)
{
	struct nvme_event ev;
	unsigned int n = 0;

	while (nvme_event_pop(sim->ctrl, &ev, NULL))
		n += ev.type == NVME_EVENT_AER;
	return n;
}

static void all_threads_get_their_answers(void **state)
{
	const unsigned int want = 5 * ROUNDS + ROUNDS / 3;
	uint64_t until_ns = clock_now_ns() + UINT64_C(60000000000);
	pthread_t threads[THREADS];
	unsigned int seen = 0;

	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
	while (answers + faults < want && clock_now_ns() < until_ns) {
		set_temperature(HOT_K);
		set_temperature(COOL_K);
		seen += events();
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(faults, 0);
	assert_int_equal(answers, want);
	assert_true(seen > 0);
	assert_int_equal(count_get(COUNT_REQUESTS), 0);
}

/* One LBA each, of the size that it has at that moment, with nothing but 0xa5 behind it. */
static void *write_lbas(void *arg)
{
	_Atomic bool *over = arg;
	struct own own = { .req = { .done = mark_done } };
	const uint8_t *data = sim->mem.va;

	own.req.owner = &own;
	while (!atomic_load(over)) {
		bool good = true;

		memset(sim->mem.va, 0xa5, PAGE);
		own.req.flags = NVME_REQ_STAMP;
		atomic_store(&own.done, false);
		nvme_cmd_rw(&own.req, sim->ns, NVME_CMD_WRITE, sim->mem.va, 0, 1, 0);
		nvme_qpair_enter(sim->q);
		nvme_qpair_submit(sim->q, &own.req, clock_now_ns());
		nvme_qpair_ring(sim->q);
		while (!atomic_load(&own.done))
			nvme_qpair_poll(sim->q, 1, clock_now_ns());
		nvme_qpair_exit(sim->q);
		for (unsigned int i = own.req.data_bytes; i < PAGE; i++)
			good = good && data[i] == 0xa5;
		judge(good);
	}
	return NULL;
}

static void a_format_meets_writes_that_keep_within_their_buffers(void **state)
{
	_Atomic bool over = false;
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, write_lbas, &over), 0);
	for (unsigned int i = 0; i < 2 * ROUNDS; i++)
		assert_int_equal(sim_admin(sim, NVME_ADMIN_FORMAT, 1, ~i & 1), 0);
	atomic_store(&over, true);
	pthread_join(writer, NULL);

	assert_int_equal(faults, 0);
	assert_true(answers > 0);
}

/* --- one at a time --- */

static int by_poll(void)
{
	return nvme_admin_poll(sim->ctrl, clock_now_ns()) < 0;
}

static int by_post(void)
{
	return nvme_ctrl_post_aers(sim->ctrl);
}

static int by_exec(void)
{
	struct nvme_req req = { 0 };
	uint8_t data[PAGE];

	nvme_cmd_identify(&req, data, NVME_CNS_CTRL, 0);
	return nvme_admin_exec(sim->ctrl, &req, 0);
}

struct use {
	int (*run)(void);
	_Atomic bool ended;
	int rc;
};

static void *use_admin_queue(void *arg)
{
	struct use *use = arg;

	use->rc = use->run();
	atomic_store(&use->ended, true);
	return NULL;
}

static void who_uses_the_admin_queue_waits_for_whoever_has_it(void **state)
{
	struct use uses[] = { { .run = by_poll }, { .run = by_post }, { .run = by_exec } };
	pthread_t thread;

	for (unsigned int i = 0; i < 3; i++) {
		pthread_mutex_lock(&sim->ctrl->admin_lock);
		assert_int_equal(pthread_create(&thread, NULL, use_admin_queue, &uses[i]), 0);
		clock_sleep_until_ns(clock_now_ns() + 50000000);
		assert_false(atomic_load(&uses[i].ended));
		pthread_mutex_unlock(&sim->ctrl->admin_lock);
		pthread_join(thread, NULL);
		assert_int_equal(uses[i].rc, 0);
	}
}

static void all_threads_get_their_answers_of_a_device_with_a_thread(void **state)
{
	all_threads_get_their_answers(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_threads_get_their_answers, open_sim, sim_close),
		cmocka_unit_test_setup_teardown(
			a_format_meets_writes_that_keep_within_their_buffers, open_sim, sim_close),
		cmocka_unit_test_setup_teardown(who_uses_the_admin_queue_waits_for_whoever_has_it,
						open_sim, sim_close),
		cmocka_unit_test_setup_teardown(
			all_threads_get_their_answers_of_a_device_with_a_thread, open_with_a_thread,
			sim_close),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
