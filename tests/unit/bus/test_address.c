// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "bus/address.h"

static void addresses_have_one_canonical_form(void **state)
{
	static const struct {
		const char *addr;
		enum bus_address_kind kind;
		const char *text;
	} rows[] = {
		{ "", BUS_ADDRESS_SIM, "sim" },
		{ "sim", BUS_ADDRESS_SIM, "sim" },
		{ "sim:", BUS_ADDRESS_SIM, "sim:" },
		{ "sim:size=20G,mdts=5", BUS_ADDRESS_SIM, "sim:size=20G,mdts=5" },
		{ "01:00.0", BUS_ADDRESS_PCI, "0000:01:00.0" },
		{ "0000:01:00.0", BUS_ADDRESS_PCI, "0000:01:00.0" },
		{ "1:0.0", BUS_ADDRESS_PCI, "0000:01:00.0" },
		{ "ABCD:EF:1f.7", BUS_ADDRESS_PCI, "abcd:ef:1f.7" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_address address;

		assert_int_equal(bus_address_parse(&address, rows[i].addr), 0);
		assert_int_equal(address.kind, rows[i].kind);
		assert_string_equal(address.text, rows[i].text);
	}
}

static void what_is_no_pci_function_is_said(void **state)
{
	static const struct {
		const char *addr;
		const char *said; /* NULL: nothing of the kind */
	} rows[] = {
		{ "127.0.0.1", "an NVMe/TCP controller is no PCI function" },
		{ "127.0.0.1:4420", "an NVMe/TCP controller is no PCI function" },
		{ "127.0.0.1/nqn.x", "an NVMe/TCP controller is no PCI function" },
		{ "[::1]", "an NVMe/TCP controller is no PCI function" },
		{ "host:4420", "an NVMe/TCP controller is no PCI function" },
		{ "host:65535/nqn.2014-08.org.nvmexpress:uuid:1",
		  "an NVMe/TCP controller is no PCI function" },
		{ "vfio-user:/run/x", "vfio-user" },
		{ "/run/x", "vfio-user" },
		{ "/dev/nvme0", NULL },
		{ "01:00", NULL },
		{ "01:00.8", NULL },
		{ "host:4420x", NULL },
		{ "host:123456", NULL },
		{ "nonsense", NULL },
		{ "255.255.255.255.255.255", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_address address;

		assert_int_equal(bus_address_parse(&address, rows[i].addr), -EINVAL);
		if (rows[i].said)
			assert_ptr_equal(strstr(err_text(), rows[i].said), err_text());
		else {
			assert_null(strstr(err_text(), "not supported"));
			assert_null(strstr(err_text(), "no PCI function"));
		}
	}
}

static void other_texts_are_refused_with_the_forms_there_are(void **state)
{
	static const char *const rows[] = {
		"simulator",	  "SIM",	   "01:00",	"01:00.8",   "01:20.0",
		"01:00.0 ",	  " 01:00.0",	   "01:00.00",	"g1:00.0",   "0000:01:00.0:1",
		"00000:01:00.0",  "-1:00.0",	   "+1:00.0",	"01: 0.0",   "/dev/nvme0",
		"0000:0001:00.0", "0000:01:00.0x", "nvme0",	"1.0",	     ":::.",
		"0x1:00.0",	  "01:00.-1",	   "\n01:00.0", "127.0.0.1",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_address address;

		if (bus_address_parse(&address, rows[i]) != -EINVAL)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_non_null(strstr(err_text(), "0000:01:00.0"));
		assert_non_null(strstr(err_text(), "sim"));
	}
}

static void a_name_of_the_kernel_leads_to_the_list_of_drives(void **state)
{
	static const struct {
		const char *addr;
		bool hint;
	} rows[] = {
		{ "/dev/nvme0", true }, { "/dev/nvme0n1", true }, { "nvme12", true },
		{ "/dev/sda", false },	{ "/run/nvme0", false },  { "01:00", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_address address;

		assert_int_equal(bus_address_parse(&address, rows[i].addr), -EINVAL);
		assert_int_equal(strstr(err_text(), "`pynvme status`") != NULL, rows[i].hint);
	}
}

static void an_endless_address_is_refused(void **state)
{
	struct bus_address address;
	char addr[BUS_ADDRESS_BYTES + 1] = "sim:";

	memset(addr + 4, 'x', sizeof(addr) - 5);
	addr[sizeof(addr) - 1] = '\0';
	assert_int_equal(bus_address_parse(&address, addr), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_canonical_form),
		cmocka_unit_test(what_is_no_pci_function_is_said),
		cmocka_unit_test(other_texts_are_refused_with_the_forms_there_are),
		cmocka_unit_test(a_name_of_the_kernel_leads_to_the_list_of_drives),
		cmocka_unit_test(an_endless_address_is_refused),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
