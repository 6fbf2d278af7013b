/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * discovery.h - the discovery controller: Base 2.1 sections 3.1.3.3 and 5.1.12.3.1.
 */
#ifndef PYNVME_TARGET_DISCOVERY_H
#define PYNVME_TARGET_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>

struct assoc;
struct ssd_cmd;

#define DISCOVERY_AERS 4

/**
 * struct discovery - one host's discovery controller
 * @aen_config: feature 0Bh
 * @naers: Asynchronous Event Requests that wait; nothing ever happens to subsystems here
 */
struct discovery {
	uint32_t kato_ms;
	uint32_t cc;
	uint32_t csts;
	uint32_t aen_config;
	unsigned int naers;
};

/* Properties; width 4 or 8, the offset was checked. */
uint64_t discovery_reg_read(const struct discovery *d, uint32_t off);
void discovery_reg_write(struct discovery *d, uint32_t off, uint32_t val);
bool discovery_ready(const struct discovery *d);

/**
 * discovery_exec() - an admin command
 * @local: where the host reached us, "address" and "port" for the log page
 * Return: true: done, @cmd->cqe is filled in; false: it waits for good (AER)
 */
bool discovery_exec(struct assoc *as, struct ssd_cmd *cmd, const char *address, const char *port,
		    bool ipv6);

#endif
