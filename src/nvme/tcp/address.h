/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * address.h - addresses of NVMe/TCP subsystems, and how to connect to one.
 */
#ifndef PYNVME_NVME_TCP_ADDRESS_H
#define PYNVME_NVME_TCP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/fabrics.h"

#define NVME_TCP_KATO_S_DEFAULT	   30u
#define NVME_TCP_TIMEOUT_S_DEFAULT 5u

/**
 * struct nvme_tcp_address - where a subsystem is, and what the host wants of it
 * @host: name or number, without the brackets of IPv6
 * @port: decimal
 * @subnqn: empty: the first NVM subsystem of the discovery log
 * @hostnqn, @hostid: of this host; all of a process have the same by default
 * @hdgst, @ddgst: ask for header and data digests; a target without them is refused
 * @kato_s: Keep Alive Timeout, 0: none
 * @timeout_s: for a connection to come about, the answer to ICReq included
 * @queue_size: entries of an IO queue at most, 0: whatever the controller takes
 * @nr_io_queues: to ask for at most, 0: as many as there are
 */
struct nvme_tcp_address {
	char host[254];
	char port[6];
	char subnqn[NVME_NQN_MAX + 1];
	char hostnqn[NVME_NQN_MAX + 1];
	uint8_t hostid[16];
	bool hdgst;
	bool ddgst;
	uint32_t kato_s;
	uint32_t timeout_s;
	uint32_t queue_size;
	uint32_t nr_io_queues;
};

/* Whether @text has the form of such an address; it may still be wrong in its details. */
bool nvme_tcp_address_is(const char *text);

/**
 * nvme_tcp_address_parse() - "127.0.0.1", "[::1]", "host:4420", "host:4420/nqn.2014-08...",
 * "trtype:TCP adrfam:IPv4 traddr:... trsvcid:... subnqn:..."
 *
 * Options follow as "?hdgst=1&kato_s=5", or in the last form as "hdgst:1 kato_s:5". In NQNs and
 * values of the former, %XX is a character by its two hexadecimal digits: %26 for &, %25 for %.
 * Return: 0, or -EINVAL with a text that shows what is wrong.
 */
int nvme_tcp_address_parse(struct nvme_tcp_address *out, const char *text);

/* More options, "hdgst=1&kato_s=5": later ones win. */
int nvme_tcp_address_options(struct nvme_tcp_address *out, const char *options);

/* The options that a discovery controller at @address is to be opened with, in that form. */
void nvme_tcp_address_options_format(const struct nvme_tcp_address *address, char *text,
				     size_t len);

/* "host:port/nqn"; @len bytes of @text at most, the final zero included. */
void nvme_tcp_address_format(const struct nvme_tcp_address *address, char *text, size_t len);

#endif
