/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd.h - one command inside the device, and what its handler may do with it.
 *
 * A handler gets a context, checks the command in the order of the specification, and
 * returns NVME_SC_* (0 is success; ssd_complete() adds DNR, M and the Error Log entry),
 * or SSD_LATER when it will call ssd_complete() itself, from an event for example.
 * The result dwords are c->cdw0 and c->cdw1, zero unless the handler sets them.
 *
 * A new admin command: one handler in a file of its own family (admin_NAME.c), its
 * prototype below, one line in the table of admin.c. The same for IO in io.c.
 */
#ifndef PYNVME_SSD_CMD_H
#define PYNVME_SSD_CMD_H

#include <stddef.h>
#include <stdint.h>

#include "spec/nvme.h"
#include "ssd/event.h"
#include "ssd/ssd.h"

struct ssd;
struct ssd_ctrl;
struct ssd_ns;
struct ssd_sq;
struct ssd_ctx;

/* Handler's answer: the completion comes from a later ssd_complete(). */
#define SSD_LATER 0xffffu

enum ssd_ctx_state {
	SSD_CTX_FREE,
	SSD_CTX_RUNNING, /* inside its handler */
	SSD_CTX_DELAYED, /* done, waits for its time to complete */
	SSD_CTX_WAITING, /* SSD_LATER: somebody completes it (AER, Format, ...) */
	SSD_CTX_POSTING, /* completed, its queue has no room: can no longer be aborted */
};

/**
 * struct ssd_ctx - a command from fetch to completion
 * @sqe: the device's own copy; the host may scribble over the ring
 * @ctrl: the controller it was given to
 * @sq: where it came from, NULL for ssd_exec()
 * @ns: IO commands: the namespace, active and ready
 * @cdw0, @cdw1: result
 * @status: NVME_SC_*, set by completion
 * @flags: SSD_CTX_* below
 * @pad: makes one store of the fields from @status on
 * @latency_ns: what the handler adds to the time of completion
 * @cancel: for WAITING commands: called when the command is aborted or its queue goes away,
 *          to forget it; the context is completed or freed by the caller. NULL: nothing to do
 * @ev: wakes the command up; free for the handler's use while WAITING
 */
struct ssd_ctx {
	struct nvme_sqe sqe;
	struct ssd_ctrl *ctrl;
	struct ssd_sq *sq;
	struct ssd_ns *ns;
	uint32_t cdw0;
	uint32_t cdw1;
	uint16_t status;
	uint16_t error_loc; /* byte and bit of the wrong field (Parameter Error Location) */
	uint8_t state;
	uint8_t flags;
	uint8_t fault; /* enum ssd_fault_action + 1, still to be done */
	uint8_t pad;
	uint64_t latency_ns;
	uint64_t error_lba;  /* of the Error Log entry */
	struct ssd_cmd *ext; /* ssd_exec()'s command */
	void (*cancel)(struct ssd *ssd, struct ssd_ctx *c);
	struct ssd_ctx *next;
	/* cold from here */
	struct ssd_event ev;
	int64_t fault_value;
};

#define SSD_CTX_ADMIN 0x01u
#define SSD_CTX_FUSED 0x02u /* both halves are there */

#define SSD_ERROR_LOC_NONE 0xffffu

typedef uint16_t ssd_cmd_fn(struct ssd *ssd, struct ssd_ctx *c);

/* The command is over, now (a fault or the latency model may still delay its CQE). */
void ssd_complete(struct ssd *ssd, struct ssd_ctx *c, uint16_t status);

/* A free context, NULL when too many commands are inside the device. */
struct ssd_ctx *ssd_ctx_get(struct ssd *ssd);
void ssd_ctx_put(struct ssd *ssd, struct ssd_ctx *c);
/* More contexts: 0, -ENOSPC at the limit, -ENOMEM. */
int ssd_ctx_grow(struct ssd *ssd);
/* Drop every command of @sq (NULL: of all queues of @ctrl) without a completion. */
void ssd_ctx_drop(struct ssd_ctrl *ctrl, const struct ssd_sq *sq);
/* The queue it came from. */
uint16_t ssd_ctx_sqid(const struct ssd_ctx *c);
/* Find a command that is inside the device; NULL: none. */
struct ssd_ctx *ssd_ctx_find(struct ssd_ctrl *ctrl, uint16_t sqid, uint16_t cid);

/*
 * Data of small (admin) commands: copy through the data pointer, whatever it is (PRP, SGL,
 * ssd_exec()'s vectors). 0 or the status to return.
 */
uint16_t ssd_data_to_host(struct ssd *ssd, struct ssd_ctx *c, const void *buf, size_t len);
uint16_t ssd_data_from_host(struct ssd *ssd, struct ssd_ctx *c, void *buf, size_t len);

/*
 * Admin handlers. A handler that finds a wrong field says where before it returns:
 * c->error_loc = SSD_LOC(byte of the SQE, bit).
 */
#define SSD_LOC(byte, bit) ((uint16_t)((bit) << 8 | (byte)))

ssd_cmd_fn ssd_admin_delete_sq, ssd_admin_create_sq, ssd_admin_delete_cq, ssd_admin_create_cq;
ssd_cmd_fn ssd_admin_get_log;
ssd_cmd_fn ssd_admin_identify;
ssd_cmd_fn ssd_admin_abort;
ssd_cmd_fn ssd_admin_set_features, ssd_admin_get_features;
ssd_cmd_fn ssd_admin_async_event;
ssd_cmd_fn ssd_admin_format;
ssd_cmd_fn ssd_admin_fw_download, ssd_admin_fw_commit;
ssd_cmd_fn ssd_admin_self_test;
ssd_cmd_fn ssd_admin_sanitize;
ssd_cmd_fn ssd_admin_ns_management, ssd_admin_ns_attachment;
ssd_cmd_fn ssd_admin_security_send, ssd_admin_security_receive;
ssd_cmd_fn ssd_admin_directive_send, ssd_admin_directive_receive;
ssd_cmd_fn ssd_admin_lba_status;
ssd_cmd_fn ssd_admin_doorbell_buffer;

/* Table-driven dispatch: admin.c, io.c. */
uint16_t ssd_admin_dispatch(struct ssd *ssd, struct ssd_ctx *c);
uint16_t ssd_io_dispatch(struct ssd *ssd, struct ssd_ctx *c);

#endif
