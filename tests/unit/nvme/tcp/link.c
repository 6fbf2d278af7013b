// SPDX-License-Identifier: BSD-3-Clause
#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/crc32c.h"
#include "nvme/event.h"
#include "nvme/ns.h"
#include "nvme/transport.h"
#include "spec/identify.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void done(struct nvme_req *req)
{
	struct link *link = req->owner;

	link->completed++;
	link->last = req;
}

static struct nvme_ctrl *make_ctrl(void)
{
	struct nvme_ctrl *ctrl = calloc(1, sizeof(*ctrl));
	struct nvme_tcp_fabric *fabric = calloc(1, sizeof(*fabric));

	must(ctrl && fabric);
	nvme_process = getpid();
	ctrl->pid = nvme_process;
	ctrl->transport = &nvme_tcp_ops;
	ctrl->fabric = fabric;
	fabric->ctrl = ctrl;
	pthread_mutex_init(&fabric->lock, NULL);
	pthread_mutex_init(&ctrl->ns_lock, NULL);
	atomic_store(&ctrl->timeout_ms, 60000);
	ctrl->id_ctrl = calloc(1, sizeof(*ctrl->id_ctrl));
	must(ctrl->id_ctrl && !nvme_event_init(ctrl));
	return ctrl;
}

void link_open(struct link *link, uint16_t sqid, unsigned int depth, uint8_t head_digest,
	       uint8_t data_digest)
{
	int fds[2];

	memset(link, 0, sizeof(*link));
	link->ctrl = make_ctrl();
	must(!nvme_qpair_alloc(link->ctrl, sqid, depth, depth - 1, &link->q));
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	link->t = nvme_tcp_of(link->q);
	if (!sqid)
		link->ctrl->adminq = link->q;
	link->t->fd = fds[0];
	count_inc(COUNT_FDS);
	link->peer = fds[1];
	link->t->head_digest = head_digest;
	link->t->data_digest = data_digest;
	link->t->maxh2cdata = 8192;
	link->t->capsule_data = 4096;
	link->format = (struct nvme_ns_format){ .lba_bytes = 512, .stride_bytes = 512 };
	link->ns.ctrl = link->ctrl;
	atomic_store(&link->ns.format, &link->format);
}

void link_close(struct link *link)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(link->ctrl);

	nvme_qpair_drain(link->q, NVME_SC_ABORTED_SQ_DELETION);
	nvme_qpair_free(link->q);
	nvme_event_fini(link->ctrl);
	close(link->peer);
	pthread_mutex_destroy(&fabric->lock);
	pthread_mutex_destroy(&link->ctrl->ns_lock);
	free(fabric);
	free(link->ctrl->id_ctrl);
	free(link->ctrl);
}

struct nvme_req *link_submit(struct link *link, unsigned int i, uint8_t opcode, void *data,
			     uint32_t bytes)
{
	struct nvme_req *req = &link->reqs[i];

	*req = (struct nvme_req){ .done = done, .owner = link, .data = data, .data_bytes = bytes };
	req->sqe.opc = opcode;
	req->sqe.nsid = 1;
	if (opcode == NVME_CMD_READ || opcode == NVME_CMD_WRITE) {
		req->ns = &link->ns;
		req->nlb = bytes / 512;
		req->sqe.cdw12 = req->nlb - 1;
	}
	nvme_qpair_submit(link->q, req, clock_now_ns());
	return req;
}

/* --- PDUs --- */

static size_t put(const struct link *link, uint8_t *out, struct nvme_tcp_ch *ch, const void *data,
		  uint32_t len)
{
	uint32_t crc, n = ch->hlen;

	if (link->t->head_digest)
		ch->flags |= NVME_TCP_FLAG_HDGST;
	if (data && link->t->data_digest)
		ch->flags |= NVME_TCP_FLAG_DDGST;
	ch->plen = n + link->t->head_digest;
	if (data) {
		ch->pdo = (uint8_t)ch->plen;
		ch->plen += len + link->t->data_digest;
	}
	memcpy(out, ch, n);
	if (link->t->head_digest) {
		crc = crc32c(0, out, n);
		memcpy(out + n, &crc, sizeof(crc));
		n += (uint32_t)sizeof(crc);
	}
	if (!data)
		return n;
	memcpy(out + n, data, len);
	n += len;
	if (link->t->data_digest) {
		crc = crc32c(0, data, len);
		memcpy(out + n, &crc, sizeof(crc));
		n += (uint32_t)sizeof(crc);
	}
	return n;
}

size_t link_data_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint32_t at,
		     const void *data, uint32_t len, uint8_t flags)
{
	struct nvme_tcp_data pdu = {
		.ch = { .type = NVME_TCP_C2H_DATA, .hlen = sizeof(pdu), .flags = flags },
		.cccid = cid,
		.datao = at,
		.datal = len,
	};

	return put(link, out, &pdu.ch, data, len);
}

size_t link_response_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint16_t status)
{
	struct nvme_tcp_capsule_resp pdu = {
		.ch = { .type = NVME_TCP_CAPSULE_RESP, .hlen = sizeof(pdu) },
		.cqe = { .cid = cid, .status = (uint16_t)(status << 1) },
	};

	return put(link, out, &pdu.ch, NULL, 0);
}

size_t link_r2t_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint32_t at, uint32_t len)
{
	struct nvme_tcp_r2t pdu = {
		.ch = { .type = NVME_TCP_R2T, .hlen = sizeof(pdu) },
		.cccid = cid,
		.ttag = 5,
		.r2to = at,
		.r2tl = len,
	};

	return put(link, out, &pdu.ch, NULL, 0);
}

void link_send(struct link *link, const void *bytes, size_t len)
{
	must(send(link->peer, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

void link_read(struct link *link, void *bytes, size_t len)
{
	must(recv(link->peer, bytes, len, MSG_WAITALL) == (ssize_t)len);
}
