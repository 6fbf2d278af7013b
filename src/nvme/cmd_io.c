/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_io.c - IO commands (NVM 1.1 section 3.3). The only place with the zero-based NLB.
 */
#include "nvme/cmd.h"

struct nvme_config nvme_config;

static uint32_t config_fua(uint8_t opcode)
{
	bool fua = (opcode == NVME_CMD_READ && nvme_config.fua_read) ||
		   (opcode == NVME_CMD_WRITE && nvme_config.fua_write);

	return fua ? (uint32_t)NVME_FIELD_MASK(RW_FUA) : 0;
}

/* More than there can be ends as "not in a Buffer" instead of wrapping around. */
static inline uint32_t data_bytes(uint32_t nlb, uint32_t stride)
{
	uint64_t bytes = (uint64_t)nlb * stride;

	return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

void nvme_cmd_rw(struct nvme_req *req, struct nvme_ns *ns, uint8_t opcode, void *data,
		 uint64_t slba, uint32_t nlb, uint32_t cdw12_hi)
{
	const struct nvme_ns_format *f = nvme_ns_format(ns);
	struct nvme_sqe *sqe = &req->sqe;

	*sqe = (struct nvme_sqe){ 0 };
	sqe->opc = opcode;
	sqe->nsid = ns->nsid;
	sqe->cdw10 = (uint32_t)slba;
	sqe->cdw11 = (uint32_t)(slba >> 32);
	sqe->cdw12 = ((nlb - 1) & NVME_RW_NLB_MASK) | cdw12_hi | config_fua(opcode);
	/* The reference tag that types 1 and 2 expect of LBA slba. */
	if (f->pi_type == 1 || f->pi_type == 2)
		sqe->cdw14 = (uint32_t)slba;
	req->ns = ns;
	req->slba = slba;
	req->nlb = nlb;
	req->data = data;
	req->data_bytes = data ? data_bytes(nlb, nvme_ns_stride(f, sqe->cdw12)) : 0;
}

void nvme_cmd_flush(struct nvme_req *req, struct nvme_ns *ns)
{
	req->sqe = (struct nvme_sqe){ .opc = NVME_CMD_FLUSH, .nsid = ns->nsid };
	req->ns = ns;
	req->data = NULL;
	req->data_bytes = 0;
	req->nlb = 0;
}

void nvme_cmd_dsm(struct nvme_req *req, struct nvme_ns *ns, void *ranges, uint32_t nr,
		  uint32_t attr)
{
	req->sqe = (struct nvme_sqe){
		.opc = NVME_CMD_DSM,
		.nsid = ns->nsid,
		.cdw10 = (nr - 1) & NVME_DSM_NR_MASK,
		.cdw11 = attr,
	};
	req->ns = ns;
	req->data = ranges;
	req->data_bytes = nr * (uint32_t)sizeof(struct nvme_dsm_range);
	req->nlb = 0;
}

void nvme_cmd_copy(struct nvme_req *req, struct nvme_ns *ns, void *ranges, uint32_t nr,
		   uint64_t sdlba, uint32_t cdw12_hi, unsigned int format)
{
	size_t range =
		format & 1 ? sizeof(struct nvme_copy_range_ext) : sizeof(struct nvme_copy_range);

	req->sqe = (struct nvme_sqe){
		.opc = NVME_CMD_COPY,
		.nsid = ns->nsid,
		.cdw10 = (uint32_t)sdlba,
		.cdw11 = (uint32_t)(sdlba >> 32),
		.cdw12 = (uint32_t)(NVME_SET(nr - 1, COPY_NR) | NVME_SET(format, COPY_DESFMT)) |
			 cdw12_hi,
	};
	req->ns = ns;
	req->slba = sdlba;
	req->nlb = 0;
	req->data = ranges;
	req->data_bytes = nr * (uint32_t)range;
}

void nvme_cmd_raw(struct nvme_req *req, uint8_t opcode, uint32_t nsid, void *data,
		  uint32_t data_bytes, const uint32_t cdw10_15[6])
{
	req->sqe = (struct nvme_sqe){
		.opc = opcode,
		.nsid = nsid,
		.cdw10 = cdw10_15[0],
		.cdw11 = cdw10_15[1],
		.cdw12 = cdw10_15[2],
		.cdw13 = cdw10_15[3],
		.cdw14 = cdw10_15[4],
		.cdw15 = cdw10_15[5],
	};
	req->ns = NULL;
	req->data = data;
	req->data_bytes = data_bytes;
	req->nlb = 0;
}
