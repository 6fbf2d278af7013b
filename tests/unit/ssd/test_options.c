/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sim: address says, and what it is told when it is wrong. */
#include "rig.h"

#include <errno.h>

#include "base/err.h"
#include "ssd/options.h"

static void refused(const char *text, const char *because)
{
	struct ssd_options opts;

	err_clear();
	assert_int_equal(ssd_options_parse(&opts, text), -EINVAL);
	if (!strstr(err_text(), because))
		fail_msg("%s: '%s' does not say '%s'", text, err_text(), because);
}

static void defaults_are_those_of_the_profile(void **state)
{
	struct ssd_options o;

	assert_int_equal(ssd_options_parse(&o, ""), 0);
	assert_int_equal(o.size_bytes, 41943288ull * 512);
	assert_int_equal(o.lba_bytes, 512);
	assert_int_equal(o.mdts_bytes, 128 * 1024);
	assert_int_equal(o.ioqueues, 32);
	assert_int_equal(o.aerl, 3);
	assert_int_equal(o.read_ns, 20000);
	assert_int_equal(o.erase_ns, 6000000000);
	assert_int_equal(o.cache_bytes, 16 << 20);
	assert_int_equal(o.version, NVME_VS(1, 3, 0));
}

static void mdts_is_8_kib_to_64_mib_or_no_limit(void **state)
{
	struct ssd_options o;

	assert_int_equal(ssd_options_parse(&o, "mdts=8K"), 0);
	assert_int_equal(o.mdts_bytes, 8192);
	assert_int_equal(ssd_options_parse(&o, "mdts=64M"), 0);
	assert_int_equal(o.mdts_bytes, 64 << 20);
	assert_int_equal(ssd_options_parse(&o, "mdts=0"), 0);
	assert_int_equal(o.mdts_bytes, 0);
	/* a page alone is the value that Identify has for "no limit" */
	refused("mdts=4K", "power of two");
	refused("mdts=96K", "power of two");
	refused("mdts=128M", "out of range");
}

static void values_have_units(void **state)
{
	struct ssd_options o;

	assert_int_equal(ssd_options_parse(&o, "size=2G,erase_s=0.1,read_us=1.5ms,dst_s=250ms,"
					       "mem=1.5M,lba=4K,vs=2.0,seed=0x10"),
			 0);
	assert_int_equal(o.size_bytes, 2ull << 30);
	assert_int_equal(o.erase_ns, 100000000);
	assert_int_equal(o.read_ns, 1500000);
	assert_int_equal(o.dst_ns, 250000000);
	assert_int_equal(o.mem_bytes, 3 << 19);
	assert_int_equal(o.lba_bytes, 4096);
	assert_int_equal(o.version, NVME_VS(2, 0, 0));
	assert_int_equal(o.seed, 16);
}

static void an_unknown_option_lists_the_known(void **state)
{
	refused("sise=20G", "unknown option 'sise'");
	refused("sise=20G", "mdts");
	refused("size", "wants a value");
}

static void wrong_values_are_named(void **state)
{
	refused("size=lots", "size=lots: not bytes (K M G T)");
	refused("size=-1", "size=-1");
	refused("size=0", "out of range");
	refused("size=2000001", "4096");
	refused("lba=520", "512=512");
	refused("read_us=3h", "not microseconds (s ms us)");
	refused("erase_s=3h", "not seconds (s ms us)");
	refused("seed=x", "not number");
	refused("ns=33", "out of range");
	refused("aerl=1e3", "aerl");
	refused("sn=123456789012345678901", "characters");
	refused("media=file", "file=PATH");
}

static void help_names_every_option_with_its_default(void **state)
{
	const char *help = ssd_options_help();

	assert_non_null(strstr(help, "size "));
	assert_non_null(strstr(help, "default 128K"));
	assert_non_null(strstr(help, "thread "));
}

static void drives_are_independent(void **state)
{
	struct rig *a = rig_ready("sn=A,latency=none"), *b = rig_ready("sn=B,size=1M");

	memset(a->buf, 1, 512);
	assert_int_equal(rig_write(a, 0, 1, a->buf), 0);
	assert_int_equal(rig_read(b, 0, 1, b->buf), 0);
	assert_int_equal(b->buf[0], 0);
	rig_destroy(a);
	rig_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_profile),
		cmocka_unit_test(mdts_is_8_kib_to_64_mib_or_no_limit),
		cmocka_unit_test(values_have_units),
		cmocka_unit_test(an_unknown_option_lists_the_known),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(help_names_every_option_with_its_default),
		cmocka_unit_test(drives_are_independent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
