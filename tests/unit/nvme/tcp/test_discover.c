// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nvme/tcp/discover.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NQN	     "nqn.2014-08.org.nvmexpress:uuid:1"

static struct nvme_discovery_entry entry(const char *host, const char *port, const char *nqn)
{
	struct nvme_discovery_entry e = { .trtype = NVME_TRTYPE_TCP };

	memset(e.trsvcid, ' ', sizeof(e.trsvcid));
	memcpy(e.trsvcid, port, strlen(port));
	memset(e.traddr, ' ', sizeof(e.traddr));
	memcpy(e.traddr, host, strlen(host));
	memcpy(e.subnqn, nqn, strlen(nqn));
	return e;
}

static struct nvme_tcp_address found_at(const char *host)
{
	struct nvme_tcp_address address = { .port = "8009" };

	snprintf(address.host, sizeof(address.host), "%s", host);
	return address;
}

static void an_entry_leads_to_its_host(void **state)
{
	static const struct {
		const char *from, *traddr, *host;
	} rows[] = {
		{ "127.0.0.1", "192.0.2.7", "192.0.2.7" },
		{ "127.0.0.1", "a.example", "a.example" },
		{ "192.0.2.7", "0.0.0.0", "192.0.2.7" },
		{ "2001:db8::1", "::", "2001:db8::1" },
		{ "192.0.2.7", "", "192.0.2.7" },
		{ "fe80::1%eth0", "fe80::2", "fe80::2%eth0" },
		{ "fe80::1%eth0", "FE80::2", "FE80::2%eth0" },
		{ "fe80::1%eth0", "fe80::2%eth1", "fe80::2%eth1" },
		{ "fe80::1%eth0", "2001:db8::1", "2001:db8::1" },
		{ "2001:db8::1", "fe80::2", "fe80::2" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address to = found_at(rows[i].from);
		const struct nvme_discovery_entry e = entry(rows[i].traddr, "4420", NQN);

		assert_true(nvme_tcp_lead(&to, &e));
		assert_string_equal(to.host, rows[i].host);
		assert_string_equal(to.port, "4420");
		assert_string_equal(to.subnqn, NQN);
	}
}

static void the_ends_of_what_a_field_may_hold_are_taken(void **state)
{
	char nqn[NVME_NQN_MAX + 1], host[254];
	struct nvme_tcp_address to = found_at("127.0.0.1");
	struct nvme_discovery_entry e;

	memset(nqn, 'n', sizeof(nqn) - 1);
	nqn[sizeof(nqn) - 1] = '\0';
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	e = entry(host, "65535", nqn);
	assert_true(nvme_tcp_lead(&to, &e));
	assert_string_equal(to.host, host);
	assert_string_equal(to.port, "65535");
	assert_string_equal(to.subnqn, nqn);
	e = entry("h", "1", "n");
	assert_true(nvme_tcp_lead(&to, &e));
	assert_string_equal(to.subnqn, "n");
	/* Nothing of the longer name is left in what goes over the wire. */
	assert_int_equal(to.subnqn[sizeof(to.subnqn) - 2], 0);
}

static void a_field_that_no_address_can_have_leads_nowhere(void **state)
{
	char nqn[256], host[254 + 1];
	const struct {
		const char *host, *port, *nqn;
	} rows[] = {
		{ "h", "", NQN },	    { "h", "0", NQN },
		{ "h", "65536", NQN },	    { "h", "-1", NQN },
		{ "h", "44 20", NQN },	    { "h", "http", NQN },
		{ "h", "4420x", NQN },	    { "h", "00000000000000000000000004420", NQN },
		{ "h", "4420", "" },	    { "h", "4420", nqn },
		{ host, "4420", NQN },	    { "h?hdgst=1", "4420", NQN },
		{ "h/nqn.x", "4420", NQN }, { "[::1]", "4420", NQN },
		{ "a b", "4420", NQN },
	};

	memset(nqn, 'n', NVME_NQN_MAX + 1);
	nqn[NVME_NQN_MAX + 1] = '\0';
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address to = found_at("127.0.0.1");
		struct nvme_discovery_entry e = entry(rows[i].host, rows[i].port, rows[i].nqn);

		if (nvme_tcp_lead(&to, &e))
			fail_msg("\"%s\" \"%s\" was taken", rows[i].host, rows[i].port);
		assert_string_equal(to.host, "127.0.0.1");
		assert_string_equal(to.port, "8009");
	}
}

static void a_name_without_an_end_is_none(void **state)
{
	struct nvme_tcp_address to = found_at("127.0.0.1");
	struct nvme_discovery_entry e = entry("h", "4420", "");

	memset(e.subnqn, 'n', sizeof(e.subnqn));
	assert_false(nvme_tcp_lead(&to, &e));
}

static void another_transport_is_of_no_use(void **state)
{
	struct nvme_tcp_address to = found_at("127.0.0.1");
	struct nvme_discovery_entry e = entry("h", "4420", NQN);

	e.trtype = NVME_TRTYPE_RDMA;
	assert_false(nvme_tcp_lead(&to, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_leads_to_its_host),
		cmocka_unit_test(the_ends_of_what_a_field_may_hold_are_taken),
		cmocka_unit_test(a_field_that_no_address_can_have_leads_nowhere),
		cmocka_unit_test(a_name_without_an_end_is_none),
		cmocka_unit_test(another_transport_is_of_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
