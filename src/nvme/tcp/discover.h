/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * discover.h - the discovery log page of an NVMe/TCP target (Base 2.1 section 5.1.12.3).
 */
#ifndef PYNVME_NVME_TCP_DISCOVER_H
#define PYNVME_NVME_TCP_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "nvme/ctrl.h"
#include "nvme/tcp/address.h"
#include "spec/fabrics.h"

/** struct nvme_tcp_log - @n entries; free(@entry) */
struct nvme_tcp_log {
	struct nvme_discovery_entry *entry;
	size_t n;
};

/**
 * nvme_tcp_discover() - the log of the discovery controller at @addr, referrals followed once
 * @addr: as of a controller; its NQN does not matter
 * @opts: fabric counts
 *
 * Entries of a referral stand in the place of it; one that cannot be reached stays, and so do
 * those behind the first 16.
 * Return: 0, or as nvme_ctrl_open().
 */
int nvme_tcp_discover(struct nvme_tcp_log *log, const char *addr,
		      const struct nvme_ctrl_opts *opts);

/* The first NVM subsystem in the log of @target: host, port and subnqn are set. -ENOENT: none. */
int nvme_tcp_find_subsystem(struct nvme_tcp_address *target, const struct nvme_ctrl_opts *opts);

/**
 * nvme_tcp_lead() - where an entry leads to
 * @target: where the log was found; host, port and subnqn become those of the entry
 *
 * Return: false, and nothing is changed: not over TCP, or a field that no address can have.
 */
bool nvme_tcp_lead(struct nvme_tcp_address *target, const struct nvme_discovery_entry *entry);

/* An ASCII field of an entry, without its padding. @text has @len + 1 bytes. */
void nvme_tcp_log_text(char *text, const char *field, size_t len);

#endif
