/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd.h - fill requests with commands. The only place that knows the zero-based NLB.
 *
 * Every function here starts from a request whose done, owner and flags are the caller's
 * and sets sqe, data, data_bytes, ns, slba and nlb. No errors but those named.
 */
#ifndef PYNVME_NVME_CMD_H
#define PYNVME_NVME_CMD_H

#include <stdint.h>

#include "nvme/ns.h"
#include "nvme/req.h"

/**
 * nvme_cmd_rw() - Read, Write, Compare, and by @data NULL Write Zeroes, Write Uncorrectable, Verify
 * @nlb: one-based, 1..65536
 * @cdw12_hi: CDW12 bits 31:16 (PRINFO, FUA, LR, DTYPE) already in place; config's FUA is added
 */
void nvme_cmd_rw(struct nvme_req *req, struct nvme_ns *ns, uint8_t opcode, void *data,
		 uint64_t slba, uint32_t nlb, uint32_t cdw12_hi);

/* Hot: what nvme_cmd_rw() made, once more on other LBAs; not with reference tags. */
static inline void nvme_cmd_move(struct nvme_req *req, uint64_t slba)
{
	req->sqe.cdw10 = (uint32_t)slba;
	req->sqe.cdw11 = (uint32_t)(slba >> 32);
	req->slba = slba;
}

void nvme_cmd_flush(struct nvme_req *req, struct nvme_ns *ns);
/* @ranges: buffer of @nr ranges (16 bytes each), one-based count 1..256 */
void nvme_cmd_dsm(struct nvme_req *req, struct nvme_ns *ns, void *ranges, uint32_t nr,
		  uint32_t attr);
/* @format: descriptor format 0..3, 32 or 40 bytes a range */
void nvme_cmd_copy(struct nvme_req *req, struct nvme_ns *ns, void *ranges, uint32_t nr,
		   uint64_t sdlba, uint32_t cdw12_hi, unsigned int format);
/* Anything, as given. Bytes of the data pointer are all of the buffer. */
void nvme_cmd_raw(struct nvme_req *req, uint8_t opcode, uint32_t nsid, void *data,
		  uint32_t data_bytes, const uint32_t cdw10_15[6]);

#endif
