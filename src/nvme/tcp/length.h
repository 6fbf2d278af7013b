/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * length.h - how much data a command moves, and which way.
 *
 * Over a fabric an SGL descriptor has the length of the transfer: targets refuse a longer one,
 * while a PRP entry over PCIe has no length at all.
 */
#ifndef PYNVME_NVME_TCP_LENGTH_H
#define PYNVME_NVME_TCP_LENGTH_H

#include <stdint.h>

struct nvme_qpair;
struct nvme_req;

/**
 * nvme_tcp_length() - bytes that a command moves
 * @exact: set to whether a command that succeeds moves all of them
 *
 * At most the submitter's data; all of it where the command does not say.
 */
uint32_t nvme_tcp_length(const struct nvme_qpair *q, const struct nvme_req *req, int *exact);

/* The data transfer direction of the opcode (Base 2.1 figure 91): 1 H2C, 2 C2H, 3 both. */
unsigned int nvme_tcp_direction(const struct nvme_req *req);

#endif
