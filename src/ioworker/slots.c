/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slots.c - requests and buffers of a worker, and the commands that are put into them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/pattern.h"
#include "ioworker/worker.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "spec/io.h"

/* Timeouts are the worker's to see, and it publishes its counts itself. */
#define FLAGS (NVME_REQ_QUIET | NVME_REQ_COUNTED)

/* Bits 1:0 of an opcode: which way its data goes (NVMe base 2.0, figure 88). */
static bool to_device(uint8_t opcode)
{
	return opcode & 1;
}

static bool any_to_device(const struct ioworker *w)
{
	for (uint32_t i = 0; i < w->plan.nops; i++) {
		if (to_device(w->plan.opcodes[i]))
			return true;
	}
	return false;
}

static size_t page_up(size_t bytes)
{
	return (bytes + DMA_PAGE_BYTES - 1) / DMA_PAGE_BYTES * DMA_PAGE_BYTES;
}

int ioworker_slots_alloc(struct ioworker *w)
{
	/* Range lists need a page. */
	size_t bytes = page_up(w->plan.max_nlb ? (size_t)w->plan.max_nlb * w->stride_bytes : 1);
	bool writes = any_to_device(w);
	size_t each = writes ? 2 * bytes : bytes;
	struct rand rand;
	int err;

	w->slots = aligned_alloc(64, w->qdepth * sizeof(*w->slots));
	if (!w->slots)
		return err_set(-ENOMEM, "no memory for %u commands", w->qdepth);
	memset(w->slots, 0, w->qdepth * sizeof(*w->slots));
	err = dma_alloc(&w->mem, each * w->qdepth);
	if (err)
		return err;
	rand_seed(&rand, rand_derive(w->seed, UINT32_MAX));
	for (uint32_t i = w->qdepth; i--;) {
		struct ioworker_slot *slot = &w->slots[i];

		slot->read_data = (uint8_t *)w->mem.va + i * each;
		slot->write_data = writes ? (uint8_t *)slot->read_data + bytes : NULL;
		slot->w = w;
		slot->req.done = ioworker_slot_done;
		slot->next = w->free;
		w->free = slot;
		err = writes ? pattern_fill(slot->write_data, bytes, w->ptype, w->pvalue, &rand) :
			       0;
		if (err)
			return err;
	}
	return 0;
}

void ioworker_slots_free(struct ioworker *w)
{
	dma_free(&w->mem);
	free(w->slots);
	w->slots = NULL;
	w->free = NULL;
}

/* The LBAs of the plan as a range list in the slot's memory. */
static void __attribute__((noinline))
command_dsm(struct ioworker *w, struct ioworker_slot *slot, const struct plan_io *io)
{
	struct nvme_dsm_range *range = slot->read_data;

	*range = (struct nvme_dsm_range){ .slba = io->slba, .nlb = io->nlb };
	nvme_cmd_dsm(&slot->req, w->ns, range, 1, NVME_DSM_AD);
}

/* Onto the LBAs of the plan, from the ones before them, or at the start of the region after them. */
static void __attribute__((noinline))
command_copy(struct ioworker *w, struct ioworker_slot *slot, const struct plan_io *io)
{
	struct nvme_copy_range *range = slot->read_data;
	bool before = io->slba - w->plan.low >= io->nlb;
	uint64_t from = before ? io->slba - io->nlb : io->slba + io->nlb;

	*range = (struct nvme_copy_range){ .slba = from, .nlb = (uint16_t)(io->nlb - 1) };
	nvme_cmd_copy(&slot->req, w->ns, range, 1, io->slba, 0, 0);
}

/*
 * A Format may be noticed by another thread in the middle of a batch. What has more data than its
 * slot has room for is refused by the driver then.
 */
static void command_rw(struct ioworker *w, struct nvme_req *req, const struct plan_io *io,
		       void *data)
{
	uint32_t room = io->nlb * w->stride_bytes;

	nvme_cmd_rw(req, w->ns, io->opcode, data, io->slba, io->nlb, 0);
	if (req->data_bytes > room)
		req->data_bytes = room;
}

void ioworker_command(struct ioworker *w, struct ioworker_slot *slot, const struct plan_io *io)
{
	struct nvme_req *req = &slot->req;
	void *data = NULL;

	slot->op = io->op;
	slot->slba = io->slba;
	slot->nlb = io->nlb;
	slot->movable = false;
	switch (io->opcode) {
	case NVME_CMD_READ:
		req->flags = FLAGS | NVME_REQ_CHECK;
		command_rw(w, req, io, slot->read_data);
		slot->movable = !nvme_config.fua_read && !nvme_ns_format(w->ns)->pi_type;
		break;
	case NVME_CMD_WRITE:
		req->flags = FLAGS | NVME_REQ_STAMP;
		command_rw(w, req, io, slot->write_data);
		slot->movable = !nvme_config.fua_write && !nvme_ns_format(w->ns)->pi_type;
		break;
	case NVME_CMD_FLUSH:
		req->flags = FLAGS;
		nvme_cmd_flush(req, w->ns);
		break;
	case NVME_CMD_DSM:
		req->flags = FLAGS;
		command_dsm(w, slot, io);
		break;
	case NVME_CMD_COPY:
		req->flags = FLAGS;
		command_copy(w, slot, io);
		break;
	default:
		if (plan_moves_lbas(io->opcode))
			data = to_device(io->opcode) ? slot->write_data : slot->read_data;
		req->flags = FLAGS;
		command_rw(w, req, io, data);
	}
}
