// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "bus/pci.h"
#include "fake_bus.h"
#include "spec/pci.h"

static struct fake_bus fake;
static struct bus *const bus = &fake.bus;

static void put_cap(unsigned int off, uint8_t id, uint8_t next)
{
	fake.cfg[off] = id;
	fake.cfg[off + 1] = next;
}

static void put32(unsigned int off, uint32_t val)
{
	memcpy(fake.cfg + off, &val, sizeof(val));
}

static int setup(void **state)
{
	fake_bus_init(&fake);
	fake.cfg[PCI_CFG_STATUS] = PCI_STATUS_CAP_LIST;
	fake.cfg[PCI_CFG_CAP_PTR] = 0x40;
	put_cap(0x40, PCI_CAP_PM, 0x50);
	put_cap(0x50, PCI_CAP_MSIX, 0x62); /* the low two bits are reserved */
	put_cap(0x60, PCI_CAP_PCIE, 0);
	put32(0x100, PCI_EXT_CAP_AER | 2u << 16 | 0x148u << 20);
	put32(0x148, PCI_EXT_CAP_LTR | 1u << 16);
	return 0;
}

static void capabilities_are_found(void **state)
{
	assert_int_equal(pci_find_cap(bus, PCI_CAP_PM), 0x40);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_MSIX), 0x50);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_PCIE), 0x60);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_AGP), 0);
}

static void without_a_list_there_is_none(void **state)
{
	fake.cfg[PCI_CFG_STATUS] = 0;
	assert_int_equal(pci_find_cap(bus, PCI_CAP_PM), 0);
}

static void a_loop_of_capabilities_ends(void **state)
{
	put_cap(0x60, PCI_CAP_PCIE, 0x40);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_AGP), 0);
}

static void a_capability_inside_the_header_ends_the_list(void **state)
{
	put_cap(0x40, PCI_CAP_PM, 0x10);
	put_cap(0x10, PCI_CAP_AGP, 0);
	assert_int_equal(pci_find_cap(bus, PCI_CAP_AGP), 0);
}

static void a_removed_function_has_nothing(void **state)
{
	memset(fake.cfg, 0xff, sizeof(fake.cfg));
	assert_int_equal(pci_find_cap(bus, PCI_CAP_PM), 0);
	assert_int_equal(pci_find_ext_cap(bus, PCI_EXT_CAP_AER), 0);
	assert_int_equal(pci_present(bus), 0);
}

static void extended_capabilities_are_found(void **state)
{
	assert_int_equal(pci_find_ext_cap(bus, PCI_EXT_CAP_AER), 0x100);
	assert_int_equal(pci_find_ext_cap(bus, PCI_EXT_CAP_LTR), 0x148);
	assert_int_equal(pci_find_ext_cap(bus, PCI_EXT_CAP_SRIOV), 0);
}

static void a_loop_of_extended_capabilities_ends(void **state)
{
	put32(0x148, PCI_EXT_CAP_LTR | 1u << 16 | 0x100u << 20);
	assert_int_equal(pci_find_ext_cap(bus, PCI_EXT_CAP_SRIOV), 0);
}

static void enabling_keeps_the_other_bits(void **state)
{
	fake.cfg[PCI_CFG_COMMAND + 1] = 0x05; /* SERR, INTx disable */
	assert_int_equal(pci_enable(bus), 0);
	assert_int_equal(fake.cfg[PCI_CFG_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(fake.cfg[PCI_CFG_COMMAND + 1], 0x05);
}

static void power_state_is_set_and_read_back(void **state)
{
	fake.cfg[0x44] = PCI_PMCSR_NO_SOFT_RESET;
	assert_int_equal(pci_set_power_state(bus, 3), 0);
	assert_int_equal(pci_get_power_state(bus), 3);
	assert_int_equal(fake.cfg[0x44], PCI_PMCSR_NO_SOFT_RESET | 3);
	assert_int_equal(pci_set_power_state(bus, 0), 0);
	assert_int_equal(pci_get_power_state(bus), 0);
}

static void a_refused_power_state_is_an_error(void **state)
{
	fake.pmcsr_stuck = true;
	assert_int_equal(pci_set_power_state(bus, 1), -EIO);
	assert_non_null(strstr(err_text(), "D0"));
	assert_int_equal(pci_set_power_state(bus, 4), -EINVAL);
	fake.cfg[PCI_CFG_STATUS] = 0;
	assert_int_equal(pci_get_power_state(bus), -EOPNOTSUPP);
}

static void aspm_is_read_from_link_control(void **state)
{
	fake.cfg[0x60 + PCI_EXP_LNKCTL] = 0x42;
	assert_int_equal(pci_get_aspm(bus), 2);
	fake.cfg[PCI_CFG_STATUS] = 0;
	assert_int_equal(pci_get_aspm(bus), -EOPNOTSUPP);
}

static void aspm_out_of_range_is_refused(void **state)
{
	assert_int_equal(pci_set_aspm(bus, 4), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(capabilities_are_found, setup),
		cmocka_unit_test_setup(without_a_list_there_is_none, setup),
		cmocka_unit_test_setup(a_loop_of_capabilities_ends, setup),
		cmocka_unit_test_setup(a_capability_inside_the_header_ends_the_list, setup),
		cmocka_unit_test_setup(a_removed_function_has_nothing, setup),
		cmocka_unit_test_setup(extended_capabilities_are_found, setup),
		cmocka_unit_test_setup(a_loop_of_extended_capabilities_ends, setup),
		cmocka_unit_test_setup(enabling_keeps_the_other_bits, setup),
		cmocka_unit_test_setup(power_state_is_set_and_read_back, setup),
		cmocka_unit_test_setup(a_refused_power_state_is_an_error, setup),
		cmocka_unit_test_setup(aspm_is_read_from_link_control, setup),
		cmocka_unit_test_setup(aspm_out_of_range_is_refused, setup),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
