/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostid.h - who this host is: Host Identifier and Host NQN (Base 2.1 section 4.7).
 */
#ifndef PYNVME_NVME_TCP_HOSTID_H
#define PYNVME_NVME_TCP_HOSTID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 32 hexadecimal digits, with or without hyphens. */
bool nvme_tcp_uuid_parse(uint8_t id[16], const char *text);

/**
 * nvme_tcp_hostid_default() - as /etc/nvme/hostid and /etc/nvme/hostnqn have it, where they exist
 *
 * Else both are made of /etc/machine-id, or of random bytes that the process keeps.
 */
void nvme_tcp_hostid_default(uint8_t id[16], char *nqn, size_t len);

#endif
