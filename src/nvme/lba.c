/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lba.c - the hooks between the queues and what is known of LBAs.
 */
#include "nvme/lba.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "nvme/ctrl.h"
#include "nvme/ns_list.h"
#include "nvme/pi.h"
#include "spec/identify.h"
#include "verify/verify.h"

/* --- locks --- */

static bool is_writer(uint8_t opcode)
{
	return opcode == NVME_CMD_WRITE || opcode == NVME_CMD_WRITE_ZEROES ||
	       opcode == NVME_CMD_WRITE_UNCORRECTABLE;
}

int nvme_lba_lock(struct nvme_req *req)
{
	struct nvme_ns *ns = req->ns;
	struct verify_table *table;
	int err;

	if (!ns || !ns->locks || !req->nlb)
		return 0;
	table = nvme_ns_format(ns)->verify;
	if (!table)
		return 0;
	err = verify_lock(table, req->slba, req->nlb, is_writer(req->sqe.opc));
	if (err == -EBUSY)
		return err;
	/* Without memory for the lock it goes unlocked: a conflict is then reported, not avoided. */
	if (!err) {
		req->verify = table;
		req->flags |= NVME_REQ_LOCKED | NVME_REQ_HOOKED;
	}
	return 0;
}

/* --- submission --- */

static uint64_t sqe_slba(const struct nvme_sqe *sqe)
{
	return sqe->cdw10 | (uint64_t)sqe->cdw11 << 32;
}

/* What is about to change in a way that nobody recorded. @nlb 0: all of the namespace. */
static void forget(struct nvme_qpair *q, struct nvme_req *req, uint64_t slba, uint64_t nlb)
{
	const struct nvme_ns_format *f;

	if (!req->ns) {
		nvme_ns_forget(q->ctrl, req->sqe.nsid, slba, nlb);
		return;
	}
	f = nvme_ns_format(req->ns);
	if (f->verify)
		verify_unmap(f->verify, slba, nlb ? nlb : f->nlbas);
}

static void forget_ranges(struct nvme_qpair *q, struct nvme_req *req)
{
	const uint8_t *data = req->data;
	uint32_t nr = (uint32_t)NVME_GET(req->sqe.cdw10, DSM_NR) + 1;
	struct nvme_dsm_range range; /* the script's are dword aligned, not more */

	if (!(req->sqe.cdw11 & NVME_DSM_AD))
		return;
	if (req->flags & NVME_REQ_RAW_PTR || !data) {
		forget(q, req, 0, 0);
		return;
	}
	for (uint32_t i = 0; i < nr && (i + 1) * sizeof(range) <= req->data_bytes; i++) {
		memcpy(&range, data + i * sizeof(range), sizeof(range));
		if (range.nlb)
			forget(q, req, range.slba, range.nlb);
	}
}

/* The destination of a Copy: as many LBAs as its sources have. */
static void forget_copy(struct nvme_qpair *q, struct nvme_req *req)
{
	bool ext = NVME_GET(req->sqe.cdw12, COPY_DESFMT) & 1;
	size_t bytes = ext ? sizeof(struct nvme_copy_range_ext) : sizeof(struct nvme_copy_range);
	uint32_t nr = (uint32_t)NVME_GET(req->sqe.cdw12, COPY_NR) + 1;
	const uint8_t *data = req->data;
	struct nvme_copy_range range;
	uint64_t nlb = 0;

	if (req->flags & NVME_REQ_RAW_PTR || !data) {
		forget(q, req, 0, 0);
		return;
	}
	/* Both formats have the zero-based NLB at the same place. */
	for (uint32_t i = 0; i < nr && (i + 1) * bytes <= req->data_bytes; i++) {
		memcpy(&range, data + i * bytes, sizeof(range));
		nlb += range.nlb + 1u;
	}
	if (nlb)
		forget(q, req, sqe_slba(&req->sqe), nlb);
}

/* Metadata that the device is going to move although nobody brought memory for it. */
static int provide_meta(const struct nvme_ns_format *f, struct nvme_tracker *t,
			struct nvme_req *req)
{
	int err;

	if (!f->meta_bytes || f->meta_interleaved || req->meta || !req->data_bytes || !req->nlb ||
	    !nvme_pi_moves_meta(f, &req->sqe))
		return 0;
	err = nvme_tracker_extra(t);
	if (!err)
		err = dma_alloc(&t->extra->meta, (size_t)req->nlb * f->meta_bytes);
	if (!err)
		req->sqe.mptr = t->extra->meta.iova;
	return err;
}

static void *meta_of(const struct nvme_tracker *t, const struct nvme_req *req)
{
	if (req->meta)
		return req->meta;
	return t->extra ? t->extra->meta.va : NULL;
}

/* A command waits or is out for a while: the namespace may have grown larger LBAs since. */
static bool fits(const struct nvme_ns_format *f, const struct nvme_tracker *t,
		 const struct nvme_req *req)
{
	uint64_t room = req->meta_bytes;

	if ((uint64_t)req->nlb * nvme_ns_stride(f, req->sqe.cdw12) > req->data_bytes)
		return false;
	if (f->meta_interleaved || !meta_of(t, req))
		return true;
	if (!req->meta)
		room = t->extra->meta.len;
	return (uint64_t)req->nlb * f->meta_bytes <= room;
}

static void prepare_write(const struct nvme_ns_format *f, struct nvme_qpair *q,
			  struct nvme_tracker *t, struct nvme_req *req)
{
	if (!(req->flags & NVME_REQ_STAMP) || !req->data_bytes) {
		forget(q, req, req->slba, req->nlb);
		return;
	}
	if (f->verify) {
		verify_stamp(f->verify, req->data, req->slba, req->nlb,
			     nvme_ns_stride(f, req->sqe.cdw12));
		req->verify = f->verify;
		req->flags |= NVME_REQ_HOOKED;
	}
	nvme_pi_generate(f, req, meta_of(t, req));
}

/* In the table of a former format, where it has to be unlocked again. */
static bool is_locked_elsewhere(const struct nvme_ns_format *f, const struct nvme_req *req)
{
	return req->flags & NVME_REQ_LOCKED && req->verify != f->verify;
}

/* The memory that a command of a namespace moves its data and metadata through. */
static int prepare_memory(const struct nvme_ns_format *f, struct nvme_tracker *t,
			  struct nvme_req *req)
{
	int err = 0;

	if (!(req->flags & NVME_REQ_RAW_PTR))
		err = provide_meta(f, t, req);
	/* Not only stamps would end up elsewhere: what the device moves would, too. */
	if (!err &&
	    (is_locked_elsewhere(f, req) || (req->nlb && req->data_bytes && !fits(f, t, req))))
		err = err_set(-EMSGSIZE, "namespace %u was formatted: its LBAs are %u bytes now",
			      req->ns->nsid, nvme_ns_stride(f, req->sqe.cdw12));
	return err;
}

static int prepare_io(struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req)
{
	const struct nvme_ns_format *f = req->ns ? nvme_ns_format(req->ns) : NULL;
	const struct nvme_sqe *sqe = &req->sqe;
	int err = f ? prepare_memory(f, t, req) : 0;

	if (err)
		return err;
	switch (sqe->opc) {
	case NVME_CMD_WRITE:
		if (f)
			prepare_write(f, q, t, req);
		else
			forget(q, req, sqe_slba(sqe), NVME_GET(sqe->cdw12, RW_NLB) + 1);
		break;
	case NVME_CMD_READ:
		if (f && f->pi_type && req->flags & NVME_REQ_CHECK)
			req->flags |= NVME_REQ_HOOKED;
		break;
	case NVME_CMD_FLUSH:
		if (f && f->verify) {
			req->verify = f->verify;
			req->verify_cookie = verify_flush_begin(req->verify);
			req->flags |= NVME_REQ_HOOKED;
		}
		break;
	case NVME_CMD_WRITE_ZEROES:
	case NVME_CMD_WRITE_UNCORRECTABLE:
		forget(q, req, sqe_slba(sqe), NVME_GET(sqe->cdw12, RW_NLB) + 1);
		break;
	case NVME_CMD_DSM:
		forget_ranges(q, req);
		break;
	case NVME_CMD_COPY:
		forget_copy(q, req);
		break;
	}
	return 0;
}

static void prepare_admin(struct nvme_req *req)
{
	switch (req->sqe.opc) {
	case NVME_ADMIN_FORMAT:
	case NVME_ADMIN_SANITIZE:
	case NVME_ADMIN_SANITIZE_NS:
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_NS_ATTACHMENT:
		req->flags |= NVME_REQ_HOOKED;
		break;
	}
}

int nvme_lba_prepare(struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req)
{
	if (q->sqid)
		return prepare_io(q, t, req);
	prepare_admin(req);
	return 0;
}

/* --- completion --- */

static void report_miss(struct nvme_qpair *q, struct nvme_req *req, const struct verify_miss *miss,
			uint64_t now_ns)
{
	struct nvme_event ev = {
		.type = NVME_EVENT_VERIFY,
		.sqid = q->sqid,
		.cid = req->cid,
		.time_ns = now_ns,
		.cqe = req->cqe,
		.sqe = req->sqe,
		.nsid = req->ns->nsid,
		.lba = miss->lba,
		.stamp = miss->stamp,
		.token = miss->token,
		.crc_expected = miss->crc_expected,
		.crc_got = miss->crc_got,
		.bad_lbas = miss->bad_lbas,
	};

	nvme_event_push(q->ctrl, &ev);
}

static void judge(struct nvme_req *req, uint16_t sc11)
{
	req->flags |= NVME_REQ_JUDGED;
	req->cqe.status =
		(uint16_t)((req->cqe.status & NVME_STATUS_P_MASK) | NVME_SET(sc11, STATUS_SC11));
}

static void check_read(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	const struct nvme_ns_format *f = nvme_ns_format(req->ns);
	struct verify_miss miss;
	uint16_t bad;

	if (!fits(f, &q->trackers[req->cid], req))
		return;
	if (f->pi_type) {
		bad = nvme_pi_check(f, req, meta_of(&q->trackers[req->cid], req));
		if (bad) {
			judge(req, bad);
			return;
		}
	}
	if (!f->verify || !(nvme_config.verify || req->ns->locks))
		return;
	if (!verify_check(f->verify, req->data, req->slba, req->nlb,
			  nvme_ns_stride(f, req->sqe.cdw12), &miss))
		return;
	judge(req, NVME_SC_UNRECOVERED_READ);
	req->flags |= NVME_REQ_MISS;
	req->miss.crc_expected = miss.crc_expected;
	req->miss.crc_got = miss.crc_got;
	req->miss_lba = miss.lba;
	report_miss(q, req, &miss, now_ns);
}

/* A command that changes namespaces ended: what it covered is unknown, if it did its work. */
static void settle_admin(struct nvme_qpair *q, const struct nvme_req *req)
{
	uint16_t status = nvme_req_status(req);
	uint32_t nsid = req->sqe.nsid;

	if (status && status != NVME_SC_ABORT_REQUESTED && !(req->flags & NVME_REQ_SYNTHETIC))
		return;
	switch (req->sqe.opc) {
	case NVME_ADMIN_FORMAT:
		/* A device may format or erase all namespaces at once. */
		if (q->ctrl->id_ctrl->fna & 3)
			nsid = NVME_NSID_ALL;
		nvme_ns_forget(q->ctrl, nsid, 0, 0);
		break;
	case NVME_ADMIN_SANITIZE:
		nvme_ns_forget(q->ctrl, NVME_NSID_ALL, 0, 0);
		break;
	case NVME_ADMIN_SANITIZE_NS:
		nvme_ns_forget(q->ctrl, nsid, 0, 0);
		break;
	}
	atomic_store(&q->ctrl->ns_stale, true);
}

void nvme_lba_settle(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	bool ok = !nvme_req_status(req);

	if (!q->sqid) {
		settle_admin(q, req);
		return;
	}
	if (ok && req->sqe.opc == NVME_CMD_READ && req->flags & NVME_REQ_CHECK)
		check_read(q, req, now_ns);
	if (!(req->flags & NVME_REQ_HOOKED) || !req->verify)
		return;
	if (req->sqe.opc == NVME_CMD_WRITE && req->flags & NVME_REQ_STAMP)
		verify_written(req->verify, req->slba, req->nlb, ok,
			       NVME_GET(req->sqe.cdw12, RW_FUA));
	else if (req->sqe.opc == NVME_CMD_FLUSH)
		verify_flush_end(req->verify, req->verify_cookie, ok);
	if (req->flags & NVME_REQ_LOCKED)
		verify_unlock(req->verify, req->slba, req->nlb, is_writer(req->sqe.opc));
}
