// SPDX-License-Identifier: BSD-3-Clause
/*
 * Whoever touches the software SSD waits until nobody else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "bus/bus.h"
#include "bus/soft.h"
#include "soft_fixture.h"
#include "spec/pci.h"
#include "spec/reg.h"

#define WAIT_MS 20u /* for what must not happen */

static uint64_t value;

static void read_register(void)
{
	soft_assert_ok(soft_dev->ops->reg_read(soft_dev, NVME_REG_CSTS, 4, &value));
}

static void write_register(void)
{
	soft_assert_ok(soft_dev->ops->reg_write(soft_dev, NVME_REG_INTMS, 4, 0));
}

static void read_config(void)
{
	soft_assert_ok(soft_dev->ops->cfg_read(soft_dev, PCI_CFG_COMMAND, &value, 2));
}

static void write_config(void)
{
	static const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	soft_assert_ok(soft_dev->ops->cfg_write(soft_dev, PCI_CFG_COMMAND, &command, 2));
}

static void reset(void)
{
	soft_assert_ok(soft_dev->ops->reset(soft_dev, BUS_RESET_FLR));
}

static void power(void)
{
	soft_assert_ok(soft_dev->ops->power(soft_dev, true));
}

static void (*const touches[])(void) = { read_register, write_register, read_config,
					 write_config,	reset,		power };

static _Atomic bool touched;

static void *touch(void *arg)
{
	void (*const *one)(void) = arg;

	(*one)();
	atomic_store(&touched, true);
	return NULL;
}

static void each_touch_waits_for_the_one_before(void **state)
{
	for (unsigned int i = 0; i < sizeof(touches) / sizeof(*touches); i++) {
		void (*one)(void) = touches[i];
		pthread_t thread;
		bool early;

		atomic_store(&touched, false);
		soft_lock(soft_dev);
		assert_int_equal(pthread_create(&thread, NULL, touch, &one), 0);
		soft_sleep_ms(WAIT_MS);
		early = atomic_load(&touched);
		soft_unlock(soft_dev);
		pthread_join(thread, NULL);
		if (early)
			fail_msg("touch %u did not wait", i);
		assert_true(atomic_load(&touched));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_touch_waits_for_the_one_before, soft_setup,
						soft_teardown),
	};

	return cmocka_run_group_tests_name("soft_lock", tests, NULL, NULL);
}
