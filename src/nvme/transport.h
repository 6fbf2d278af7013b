/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * transport.h - how commands travel: PCIe queues in host memory today.
 *
 * The generic half (qpair.c, req.c, admin.c) owns trackers, CIDs, the software queue, states and
 * completion; a transport owns registers, the data pointer, and how an entry reaches the device.
 */
#ifndef PYNVME_NVME_TRANSPORT_H
#define PYNVME_NVME_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nvme/ctrl.h"

/**
 * struct nvme_transport_ops - one transport
 * @admin_entries: of both rings of the admin queue
 * @connect: reach the device (or take over ctrl->bus, open already); registers work afterwards
 * @disconnect: undo it; every queue is freed
 * @reg_read, @reg_write: width 4 or 8
 * @why_gone: after -ENODEV of @health, what happened
 * @health: 0, -ENODEV the device is gone, -EIO it reports a fatal status; at most 100 Hz
 * @reset: act on the device, all queues frozen; CC.EN is 0 or the reset has failed
 * @wake: whatever happened to the device since, registers and interrupts work again
 * @holds_adminq: whether its admin queue still is the one that @adminq_setup told it of
 * @adminq_setup: tell a disabled controller where the admin queue is, its rings fresh
 * @qpair_alloc: memory of both rings and of what a tracker needs; depths and ntrackers are set
 * @qpair_free: give it back
 * @qpair_connect: create both queues on the device (identifiers, prio, vector are set)
 * @qpair_disconnect: delete them there; what completes on the way is reaped
 * @qpair_free_copy: the same in a child of fork(), where it is nobody's; may be NULL
 * @qpair_cut: commands are given back whose memory the peer could still reach, were it not
 *             for this; may be NULL. Not of a queue that is kept: its memory rests instead
 * @qpair_wait: nothing came in: sleep until something does, a few milliseconds at most; NULL:
 *              whoever polls is to look again
 * @qpair_aim: point the doorbells at the device (@live) or at a dummy word
 * @submit: hot; data pointer, cmdlog entry, entry into the ring. Not visible before @ring.
 *          What cannot be mapped ends in nvme_req_unmappable()
 * @ring: hot; one doorbell a batch
 * @poll: hot; nvme_req_complete() for up to @max completions
 * @answered: whether the completion of a command is there, though not reaped yet; NULL: none ever
 *            is for long
 */
struct nvme_transport_ops {
	unsigned int admin_entries;
	int (*connect)(struct nvme_ctrl *ctrl, const char *addr);
	void (*disconnect)(struct nvme_ctrl *ctrl);
	int (*reg_read)(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t *val);
	int (*reg_write)(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t val);
	int (*health)(struct nvme_ctrl *ctrl);
	void (*why_gone)(struct nvme_ctrl *ctrl, char *text, size_t len);
	int (*reset)(struct nvme_ctrl *ctrl, enum nvme_reset kind);
	int (*wake)(struct nvme_ctrl *ctrl);
	bool (*holds_adminq)(struct nvme_ctrl *ctrl);
	int (*adminq_setup)(struct nvme_ctrl *ctrl);
	int (*qpair_alloc)(struct nvme_qpair *q);
	void (*qpair_free)(struct nvme_qpair *q);
	int (*qpair_connect)(struct nvme_qpair *q, unsigned int prio);
	int (*qpair_disconnect)(struct nvme_qpair *q);
	void (*qpair_free_copy)(struct nvme_qpair *q);
	void (*qpair_cut)(struct nvme_qpair *q);
	void (*qpair_wait)(struct nvme_qpair *q);
	void (*qpair_aim)(struct nvme_qpair *q, bool live);
	void (*submit)(struct nvme_qpair *q, struct nvme_req *req);
	void (*ring)(struct nvme_qpair *q);
	unsigned int (*poll)(struct nvme_qpair *q, unsigned int max, uint64_t now_ns);
	bool (*answered)(const struct nvme_qpair *q, uint16_t cid);
};

extern const struct nvme_transport_ops nvme_pcie_ops;
extern const struct nvme_transport_ops nvme_tcp_ops;

#endif
