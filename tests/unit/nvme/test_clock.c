// SPDX-License-Identifier: BSD-3-Clause
/* How long the driver waits for a controller, on a clock of the test's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixture.h"
#include "nvme/time.h"

static uint64_t clock_of_the_test(void *priv)
{
	return *(uint64_t *)priv;
}

static void nap_of_the_test(void *priv, uint64_t ns)
{
	*(uint64_t *)priv += ns ? ns : 1;
}

static const struct nvme_time_ops time_of_the_test = { clock_of_the_test, nap_of_the_test };

static enum fake_verdict hold_identify(struct fake_ctrl *fake, uint16_t qid,
				       const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	return sqe->opc == NVME_ADMIN_IDENTIFY ? FAKE_HOLD : FAKE_COMPLETE;
}

/* Real time is not allowed to matter: two minutes would end the test program. */
static void waiting_goes_by_the_clock_that_is_given(void **state)
{
	uint64_t now_ns = UINT64_C(7) << 60;
	struct nvme_ctrl_opts opts = { .time = &time_of_the_test, .time_priv = &now_ns };
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->cap |= NVME_SET(255, CAP_TO);
	fake->never_ready = true;
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), -ETIMEDOUT);

	assert_in_range(now_ns - (UINT64_C(7) << 60), UINT64_C(127500000000),
			UINT64_C(127600000000));
	fake_destroy(fake);
}

/* How long a controller that never becomes ready is waited for. */
static void assert_ready_within(uint32_t to, bool crwms, uint32_t crwmt, uint64_t ms)
{
	uint64_t now_ns = 1;
	struct nvme_ctrl_opts opts = { .time = &time_of_the_test, .time_priv = &now_ns };
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->cap &= ~NVME_FIELD_MASK(CAP_TO);
	fake->cap |= NVME_SET(to, CAP_TO) | NVME_SET(crwms, CAP_CRWMS);
	/* independent of media, in the upper half: no such controller is asked for */
	fake->crto = 0xffff0000 | crwmt;
	fake->never_ready = true;
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), -ETIMEDOUT);

	assert_in_range(now_ns, ms * 1000000, (ms + 10) * 1000000);
	fake_destroy(fake);
}

static void ready_may_take_the_longer_of_to_and_crto(void **state)
{
	assert_ready_within(4, true, 40, 20000);
	assert_ready_within(255, true, 600, 300000);
	assert_ready_within(40, true, 4, 20000);
	assert_ready_within(4, true, 0, 2000);
	/* 0 is none, and gets one unit */
	assert_ready_within(0, true, 0, 500);
}

static void crto_means_nothing_without_crwms(void **state)
{
	assert_ready_within(4, false, 40, 2000);
}

static void commands_wait_by_the_clock_that_is_given(void **state)
{
	uint64_t now_ns = UINT64_C(7) << 60;
	struct nvme_ctrl_opts opts = { .time = &time_of_the_test, .time_priv = &now_ns };
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->script = hold_identify;
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), -ETIMEDOUT);

	assert_in_range(now_ns - (UINT64_C(7) << 60), UINT64_C(5000000000), UINT64_C(5100000000));
	fake_destroy(fake);
}

static void a_shutdown_has_the_time_that_the_device_asks_for(void **state)
{
	uint64_t now_ns = 1, begin_ns;
	struct nvme_ctrl_opts opts = { .time = &time_of_the_test, .time_priv = &now_ns };
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->id.rtd3e = 30000000;
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), 0);
	fake->cc |= NVME_SET(NVME_CC_SHN_NORMAL, CC_SHN); /* one that does not end */
	begin_ns = now_ns;
	assert_int_equal(nvme_ctrl_shutdown(ctrl, false), -ETIMEDOUT);

	assert_in_range(now_ns - begin_ns, UINT64_C(30000000000), UINT64_C(30100000000));
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_goes_by_the_clock_that_is_given),
		cmocka_unit_test(ready_may_take_the_longer_of_to_and_crto),
		cmocka_unit_test(crto_means_nothing_without_crwms),
		cmocka_unit_test(commands_wait_by_the_clock_that_is_given),
		cmocka_unit_test(a_shutdown_has_the_time_that_the_device_asks_for),
	};

	return cmocka_run_group_tests_name("nvme/clock", tests, NULL, NULL);
}
