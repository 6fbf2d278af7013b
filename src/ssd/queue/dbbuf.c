/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doorbell Buffer Config (Base 2.1 section 5.2.5):
 *
 *   over fabrics				00/01
 *   PRP1, PRP2 not page aligned, not mapped	00/02
 */
#include "ssd/queue/dbbuf.h"

#include <sys/mman.h>

#include "ssd/device.h"

static void copy_one(struct ssd_ctrl *ctrl, unsigned int i)
{
	struct ssd_dbbuf *d = &ctrl->dbbuf;
	uint32_t value = __atomic_load_n(&d->shadow[i], __ATOMIC_ACQUIRE);

	for (;;) {
		if (value != d->seen[i]) {
			d->seen[i] = value;
			ctrl->doorbells[i] = value;
		}
		if (d->event[i] == ctrl->doorbells[i])
			return;
		d->event[i] = ctrl->doorbells[i];
		/* the host stores, then reads EventIdx: look again after ours is there */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		value = __atomic_load_n(&d->shadow[i], __ATOMIC_ACQUIRE);
		if (value == d->seen[i])
			return;
	}
}

void ssd_dbbuf_poll(struct ssd_ctrl *ctrl)
{
	for (uint64_t left = ctrl->sq_live; left; left &= left - 1) {
		unsigned int q = (unsigned int)__builtin_ctzll(left);

		copy_one(ctrl, 2 * q);
		copy_one(ctrl, 2 * ctrl->sq[q].cq->id + 1u);
	}
}

void ssd_dbbuf_reset(struct ssd_ctrl *ctrl)
{
	ctrl->dbbuf = (struct ssd_dbbuf){ 0 };
	ctrl->watch &= (uint8_t)~SSD_WATCH_DBBUF;
}

static volatile uint32_t *map_page(struct ssd *ssd, struct ssd_ctx *c, uint64_t iova, uint16_t loc)
{
	const size_t bytes = SSD_DBBUF_WORDS * sizeof(uint32_t);
	struct iovec iov;

	if (!(iova & (c->ctrl->page_bytes - 1)) &&
	    c->ctrl->ops->map(c->ctrl->host, iova, bytes, PROT_READ | PROT_WRITE, &iov, 1) == 1 &&
	    iov.iov_len >= bytes)
		return iov.iov_base;
	c->error_loc = loc;
	return NULL;
}

/* Queues that are there already go on where they are. */
static void adopt(struct ssd_ctrl *ctrl)
{
	struct ssd_dbbuf *d = &ctrl->dbbuf;

	for (unsigned int i = 0; i < SSD_DBBUF_WORDS; i++) {
		bool live = i & 1 ? ctrl->cq[i / 2].live : ctrl->sq[i / 2].live;

		if (live)
			d->shadow[i] = ctrl->doorbells[i];
		d->seen[i] = d->shadow[i];
	}
}

uint16_t ssd_admin_doorbell_buffer(struct ssd *ssd, struct ssd_ctx *c)
{
	volatile uint32_t *shadow, *event;

	if (c->ext)
		return NVME_SC_INVALID_OPCODE;
	shadow = map_page(ssd, c, c->sqe.prp1, SSD_LOC(24, 0));
	if (!shadow)
		return NVME_SC_INVALID_FIELD;
	event = map_page(ssd, c, c->sqe.prp2, SSD_LOC(32, 0));
	if (!event)
		return NVME_SC_INVALID_FIELD;
	c->ctrl->dbbuf.shadow = shadow;
	c->ctrl->dbbuf.event = event;
	c->ctrl->watch |= SSD_WATCH_DBBUF;
	adopt(c->ctrl);
	return 0;
}
