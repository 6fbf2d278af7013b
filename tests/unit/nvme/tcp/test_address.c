// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "nvme/tcp/address.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NQN	     "nqn.2014-08.org.nvmexpress:uuid:1"

static void every_form_is_understood(void **state)
{
	static const struct {
		const char *text, *host, *port, *nqn;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", "4420", "" },
		{ "127.0.0.1:8009", "127.0.0.1", "8009", "" },
		{ "127.0.0.1/" NQN, "127.0.0.1", "4420", NQN },
		{ "[::1]", "::1", "4420", "" },
		{ "[fe80::1%eth0]:4420/" NQN, "fe80::1%eth0", "4420", NQN },
		{ "localhost", "localhost", "4420", "" },
		{ "a.b", "a.b", "4420", "" },
		{ "host:4420", "host", "4420", "" },
		{ "host:65535/" NQN, "host", "65535", NQN },
		{ "host/" NQN, "host", "4420", NQN },
		{ "host?hdgst=0", "host", "4420", "" },
		{ "host:100?kato_s=1", "host", "100", "" },
		{ "trtype:TCP adrfam:IPv4 traddr:1.2.3.4 trsvcid:4421 subnqn:" NQN, "1.2.3.4",
		  "4421", NQN },
		{ "trtype:tcp traddr:::1 adrfam:ipv6", "::1", "4420", "" },
		{ "traddr:host\ttrsvcid:1", "host", "1", "" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address address;

		if (!nvme_tcp_address_is(rows[i].text) ||
		    nvme_tcp_address_parse(&address, rows[i].text))
			fail_msg("\"%s\": %s", rows[i].text, err_text());
		assert_string_equal(address.host, rows[i].host);
		assert_string_equal(address.port, rows[i].port);
		assert_string_equal(address.subnqn, rows[i].nqn);
	}
}

static void addresses_of_other_things_are_none(void **state)
{
	static const char *const rows[] = {
		"",
		"sim",
		"sim:size=1G",
		"01:00.0",
		"0000:01:00.0",
		"01:00",
		"nvme0",
		"nonsense",
		"host:12",
		"host:x",
		"host:4420x",
		"/run/socket",
		"host/x",
		"host:123456",
		"trtype:RDMA",
		":4420",
		"-",
		"vfio-user:/x",
		"0000:01",
		"trtype:PCIE traddr:01:00.0",
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (nvme_tcp_address_is(rows[i]))
			fail_msg("\"%s\" was taken", rows[i]);
	}
}

static void options_are_set_by_either_form(void **state)
{
	static const char *const rows[] = {
		"host:4420/" NQN "?hdgst=1&ddgst=1&kato_s=0&timeout_s=1&queue_size=2"
		"&nr_io_queues=3&hostnqn=nqn.h&hostid=000102030405060708090a0b0c0d0e0f",
		"trtype:TCP traddr:host subnqn:" NQN " hdgst:1 ddgst:1 kato_s:0 timeout_s:1 "
		"queue_size:2 nr_io_queues:3 hostnqn:nqn.h "
		"hostid:00010203-0405-0607-0809-0A0B0C0D0E0F",
	};
	static const uint8_t id[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address a;

		assert_int_equal(nvme_tcp_address_parse(&a, rows[i]), 0);
		assert_true(a.hdgst && a.ddgst);
		assert_int_equal(a.kato_s, 0);
		assert_int_equal(a.timeout_s, 1);
		assert_int_equal(a.queue_size, 2);
		assert_int_equal(a.nr_io_queues, 3);
		assert_string_equal(a.hostnqn, "nqn.h");
		assert_memory_equal(a.hostid, id, sizeof(id));
	}
}

/* Both ways: what is in an address is what another controller is opened with. */
static void a_quoted_name_survives_the_way_through_an_address(void **state)
{
	struct nvme_tcp_address a, b;
	char text[1100], options[1000];

	assert_int_equal(nvme_tcp_address_parse(&a, "host:4420/nqn.a%3Fb%25c&d?"
						    "hostnqn=nqn.e%26f%2525&hdgst=1"),
			 0);
	assert_string_equal(a.subnqn, "nqn.a?b%c&d");
	assert_string_equal(a.hostnqn, "nqn.e&f%25");
	assert_true(a.hdgst);
	nvme_tcp_address_format(&a, text, sizeof(text));
	nvme_tcp_address_options_format(&a, options, sizeof(options));
	assert_int_equal(nvme_tcp_address_parse(&b, text), 0);
	assert_int_equal(nvme_tcp_address_options(&b, options), 0);
	assert_string_equal(b.subnqn, a.subnqn);
	assert_string_equal(b.hostnqn, a.hostnqn);
	assert_true(b.hdgst);
}

static void the_longest_names_are_formatted_whole(void **state)
{
	struct nvme_tcp_address a = { .port = "65535" }, b = { 0 };
	char text[1100], options[1000];

	memset(a.host, 'h', sizeof(a.host) - 1);
	memset(a.subnqn, '?', sizeof(a.subnqn) - 1);
	memcpy(a.subnqn, "nqn.", 4);
	memset(a.hostnqn, '&', sizeof(a.hostnqn) - 1);
	memcpy(a.hostnqn, "nqn.", 4);
	nvme_tcp_address_format(&a, text, sizeof(text));
	a.timeout_s = 3600;
	nvme_tcp_address_options_format(&a, options, sizeof(options));
	assert_int_equal(nvme_tcp_address_parse(&b, text), 0);
	assert_int_equal(nvme_tcp_address_options(&b, options), 0);
	assert_string_equal(b.subnqn, a.subnqn);
	assert_string_equal(b.hostnqn, a.hostnqn);
	nvme_tcp_address_format(&a, text, 8);
	assert_string_equal(text, "hhhhhhh");
}

static void without_options_there_are_defaults(void **state)
{
	struct nvme_tcp_address a;

	assert_int_equal(nvme_tcp_address_parse(&a, "host:4420"), 0);
	assert_false(a.hdgst || a.ddgst);
	assert_int_equal(a.kato_s, 30);
	assert_int_equal(a.timeout_s, 5);
	assert_int_equal(a.queue_size, 0);
	assert_int_equal(a.nr_io_queues, 0);
	assert_int_equal(strncmp(a.hostnqn, "nqn.", 4), 0);
}

/* What is compared by its whole field over the wire keeps nothing of what was there. */
static void a_shorter_name_leaves_no_rest(void **state)
{
	struct nvme_tcp_address a;

	assert_int_equal(nvme_tcp_address_parse(&a, "host:4420?hostnqn=nqn.x"), 0);
	for (size_t i = strlen("nqn.x"); i < sizeof(a.hostnqn); i++)
		assert_int_equal(a.hostnqn[i], 0);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "host:65536", "65535" },
		{ "host:000", "no port" },
		{ "[::1", "no ]" },
		{ "[]", "empty" },
		{ "host:4420?", NULL },
		{ "host:4420?hdgst", "no value" },
		{ "host:4420?hdgst=", "0 to 1" },
		{ "host:4420?hdgst=2", "0 to 1" },
		{ "host:4420?kato_s=-1", "number" },
		{ "host:4420?kato_s=4294968", "number" },
		{ "host:4420?kato_s=4294967", NULL },
		{ "host:4420?timeout_s=0", "at least 1" },
		{ "host:4420?queue_size=65536", NULL },
		{ "host:4420?queue_size=65537", "65536" },
		{ "host:4420?hostid=00", "UUID" },
		{ "host:4420?hostid=000102030405060708090a0b0c0d0e0f0", "UUID" },
		{ "host:4420?hostnqn=x", "nqn." },
		{ "host:4420?what=1", "what" },
		{ "[::1]x", "what is" },
		{ "trtype:TCP", "traddr" },
		{ "trtype:TCP traddr:h adrfam:IB", "adrfam" },
		{ "traddr:h trtype:FC", "trtype" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address a;
		int err = nvme_tcp_address_parse(&a, rows[i].text);

		if ((err != 0) != (rows[i].said != NULL))
			fail_msg("\"%s\": %d %s", rows[i].text, err, err ? err_text() : "");
		if (rows[i].said && !strstr(err_text(), rows[i].said))
			fail_msg("\"%s\": %s", rows[i].text, err_text());
	}
}

static void who_mistypes_an_option_is_told_which_there_are(void **state)
{
	static const char *const options[] = {
		"hostnqn", "hostid",	"hdgst",      "ddgst",
		"kato_s",  "timeout_s", "queue_size", "nr_io_queues"
	};
	struct nvme_tcp_address a;

	assert_int_equal(nvme_tcp_address_parse(&a, "host:4420?nr_queues=1"), -EINVAL);
	for (size_t i = 0; i < LENGTH(options); i++)
		if (!strstr(err_text(), options[i]))
			fail_msg("%s: %s", options[i], err_text());
}

static void a_name_has_223_bytes_at_most(void **state)
{
	char text[300] = "host:4420/nqn.";
	struct nvme_tcp_address a;

	memset(text + strlen(text), 'x', NVME_NQN_MAX - 4);
	assert_int_equal(nvme_tcp_address_parse(&a, text), 0);
	assert_int_equal(strlen(a.subnqn), NVME_NQN_MAX);
	text[strlen(text)] = 'x';
	assert_int_equal(nvme_tcp_address_parse(&a, text), -EINVAL);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const rows[] = { "host:4420", "[::1]:4420/" NQN, "1.2.3.4:80/" NQN };

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct nvme_tcp_address a;
		char text[600];

		assert_int_equal(nvme_tcp_address_parse(&a, rows[i]), 0);
		nvme_tcp_address_format(&a, text, sizeof(text));
		assert_string_equal(text, rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_understood),
		cmocka_unit_test(addresses_of_other_things_are_none),
		cmocka_unit_test(options_are_set_by_either_form),
		cmocka_unit_test(a_quoted_name_survives_the_way_through_an_address),
		cmocka_unit_test(the_longest_names_are_formatted_whole),
		cmocka_unit_test(without_options_there_are_defaults),
		cmocka_unit_test(a_shorter_name_leaves_no_rest),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(who_mistypes_an_option_is_told_which_there_are),
		cmocka_unit_test(a_name_has_223_bytes_at_most),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
