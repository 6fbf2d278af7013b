/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fabric.h - the transport's part of a controller: its association with the host.
 */
#ifndef PYNVME_NVME_TCP_FABRIC_H
#define PYNVME_NVME_TCP_FABRIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "nvme/ctrl.h"
#include "nvme/tcp/address.h"
#include "nvme/tcp/queue.h"
#include "nvme/tcp/socket.h"

/**
 * struct nvme_tcp_fabric
 * @target: where the subsystem is
 * @cntlid: of the controller that the host was given
 * @lock: guards @lost
 * @lost: why the association ended, "" while it has not
 * @alive_*: keep alive (keepalive.c), under admin_lock
 * @node: in the list of those that keepalive.c looks after
 */
struct nvme_tcp_fabric {
	struct nvme_ctrl *ctrl;
	struct nvme_tcp_address target;
	uint16_t cntlid;
	pthread_mutex_t lock;
	char lost[512];
	struct nvme_req alive_req;
	struct nvme_req csts_req;
	bool alive_busy;
	bool csts_busy;
	uint64_t alive_ns; /* when the last one was sent */
	struct list_node node;
};

static inline struct nvme_tcp_fabric *nvme_tcp_fabric_of(const struct nvme_ctrl *ctrl)
{
	return ctrl->fabric;
}

/* For something that begins now. */
struct nvme_tcp_patience nvme_tcp_patience(uint64_t ms);

/**
 * nvme_tcp_queue_open() - connection, ICReq and Fabrics Connect of a queue that has none
 * @prio: priority class
 *
 * Return: 0, or with a text as nvme_tcp_dial(), and -EPROTO: the peer is no NVMe/TCP controller,
 * or refuses.
 */
int nvme_tcp_queue_open(struct nvme_qpair *q, unsigned int prio);

/* The same for the admin queue, under admin_lock: the association begins anew. */
int nvme_tcp_associate(struct nvme_ctrl *ctrl);

/* ICReq and ICResp, and what was agreed on goes into @t. */
int nvme_tcp_greet(struct nvme_tcp_queue *t, const struct nvme_tcp_address *target,
		   const struct nvme_tcp_patience *p);

/**
 * nvme_tcp_exec() - a command of the transport on any queue, whatever its state: submit and wait
 * @sqe: flags, CID and data pointer are filled in
 * @data, @len: goes to the controller, inside of the capsule
 *
 * On the admin queue under its lock. Without an answer the connection is lost.
 * Return: 0, a positive NVMe status, or with a text -ENODEV, -ETIMEDOUT, -EINTR, -ENOMEM.
 */
int nvme_tcp_exec(struct nvme_qpair *q, const struct nvme_sqe *sqe, const void *data, uint32_t len,
		  const struct nvme_tcp_patience *p, struct nvme_cqe *cqe);

/* --- registers are properties --- */

int nvme_tcp_reg_read(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t *val);
int nvme_tcp_reg_write(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t val);

/* --- keep alive --- */

/* Look after @ctrl from now on, a thread of its own included. -ENOMEM, -EAGAIN no thread. */
int nvme_tcp_alive_start(struct nvme_ctrl *ctrl);
void nvme_tcp_alive_stop(struct nvme_ctrl *ctrl);
/* Under admin_lock: send what is due, notice that nothing comes back. */
void nvme_tcp_alive_tick(struct nvme_ctrl *ctrl, uint64_t now_ns);

#endif
