/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * req.h - one command, from submission to completion.
 *
 * A request is memory of its submitter; the driver never allocates one. It belongs to
 * the driver from nvme_qpair_submit() until its done() is called, exactly once, by the
 * thread that reaps it (or drains its queue). done() must be short: no submit, no wait.
 */
#ifndef PYNVME_NVME_REQ_H
#define PYNVME_NVME_REQ_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme.h"

struct nvme_ns;
struct nvme_qpair;
struct nvme_req;
struct verify_table;

typedef void nvme_req_done_fn(struct nvme_req *req);

/* nvme_req.flags */
#define NVME_REQ_STAMP	  0x01u /* Namespace.write and workers: stamp and record CRCs at submit */
#define NVME_REQ_CHECK	  0x02u /* read: check at completion when verify is on */
#define NVME_REQ_RAW_PTR  0x04u /* PRP/SGL of the SQE are the script's own: do not touch */
#define NVME_REQ_AER	  0x08u /* takes one of the CIDs kept for AERs; never times out */
#define NVME_REQ_INTERNAL 0x10u /* a command of the tool, not of the script */
#define NVME_REQ_LOCKED	  0x20u /* holds LBA locks (driver) */
#define NVME_REQ_LATE	  0x40u /* its timeout has been reported (driver) */
#define NVME_REQ_MISS	  0x80u /* the host read other data than was written, see @miss (driver) */
#define NVME_REQ_SYNTHETIC \
	0x100u		       /* completed without the device: drained, or never sent (driver) */
#define NVME_REQ_HOOKED 0x200u /* completion changes what is known of LBAs (driver) */
#define NVME_REQ_JUDGED 0x400u /* the status is the host's, the drive's was another (driver) */
#define NVME_REQ_QUIET	0x800u /* its submitter looks for NVME_REQ_LATE itself: no event */
#define NVME_REQ_COUNTED \
	0x1000u /* its submitter publishes what it counts, in nvme/cmdlog/live.h; not with AER */

/* Flags of the driver; submission clears them. */
#define NVME_REQ_DRIVER_FLAGS                                                                     \
	(NVME_REQ_LOCKED | NVME_REQ_LATE | NVME_REQ_MISS | NVME_REQ_SYNTHETIC | NVME_REQ_HOOKED | \
	 NVME_REQ_JUDGED)

/**
 * struct nvme_req - one command
 * @sqe: the command; CID and data pointer are filled in at submission
 * @data: host address in the DMA pool, dword aligned, or NULL
 * @data_bytes: length of the transfer (0: no data pointer)
 * @meta, @meta_bytes: separate metadata buffer in the DMA pool or NULL
 * @ns, @slba, @nlb: for verification and format refresh; ns NULL for raw commands.
 *       Reads, writes and all that change the state of LBAs set them (one-based nlb)
 * @done: called once at completion
 * @cqe: valid in done(); status without a device behind it is synthetic
 * @submit_ns, @latency_ns: base/clock.h time of the batch; ns until it was reaped
 * @miss, @miss_lba: with NVME_REQ_MISS, the first LBA that did not match, and its CRCs
 * @owner: submitter's cookie
 */
struct nvme_req {
	struct nvme_sqe sqe;
	void *data;
	uint32_t data_bytes;
	uint32_t nlb;
	uint64_t slba;
	struct nvme_ns *ns;
	nvme_req_done_fn *done;
	uint64_t submit_ns;
	struct nvme_cqe cqe;
	union {
		struct nvme_req *next; /* in the software queue; after done() the submitter's */
		uint64_t miss_lba;     /* completed with NVME_REQ_MISS */
	};
	uint16_t cid;
	uint16_t flags;
	uint32_t meta_bytes;
	/* cold from here */
	uint64_t latency_ns;

	void *meta;
	struct nvme_qpair *qpair;
	void *owner;
	struct verify_table *verify; /* of @ns at submission (driver) */
	union {
		uint64_t verify_cookie; /* verify_flush_begin() of a Flush */
		struct {
			uint32_t crc_expected, crc_got;
		} miss; /* NVME_REQ_MISS; the event has more */
	};
};

/* SCT << 8 | SC of a completed request. */
static inline uint16_t nvme_req_status(const struct nvme_req *req)
{
	return (req->cqe.status >> 1) & 0x7ff;
}

/**
 * nvme_req_complete() - the one way a command ends, for every transport
 *
 * Takes the tracker back, settles verification, writes the cmdlog, calls done(). The caller
 * has filled @req->cqe.
 */
void nvme_req_complete(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns);

/* The same without a device: @status is SCT << 8 | SC. The command holds a tracker. */
void nvme_req_abort(struct nvme_qpair *q, struct nvme_req *req, uint16_t status, uint64_t now_ns);

/* The same for one whose data the transport cannot map: 00/13 for -EINVAL, else 00/04. */
void nvme_req_unmappable(struct nvme_qpair *q, struct nvme_req *req, int err);

/* The same for a command that never got a tracker. */
void nvme_req_reject(struct nvme_qpair *q, struct nvme_req *req, uint16_t status, uint64_t now_ns);

/* Report every command that is outstanding longer than the controller's timeout, once. */
void nvme_req_scan(struct nvme_qpair *q, uint64_t now_ns);

#endif
