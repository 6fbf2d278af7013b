/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "spec/fabrics.h"
#include "spec/tcp.h"

bool put(int fd, const void *buf, size_t len)
{
	return send(fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len;
}

bool get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

bool dial(struct queue *q, const struct target *t)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int on = 1;

	at.sin_port = htons((uint16_t)atoi(strchr(target_address(t), ':') + 1));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	q->cid = 0;
	q->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(q->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return !connect(q->fd, (struct sockaddr *)&at, sizeof(at));
}

bool open_queue(struct queue *q, const struct target *t)
{
	struct nvme_tcp_icreq req = { .ch = { NVME_TCP_ICREQ, 0, 128, 0, 128 } };
	struct nvme_tcp_icresp resp;

	return dial(q, t) && put(q->fd, &req, sizeof(req)) && get(q->fd, &resp, sizeof(resp)) &&
	       resp.ch.type == NVME_TCP_ICRESP;
}

/* A capsule and what it is answered with; false: the connection is over. */
static bool command(struct queue *q, struct nvme_sqe sqe, const void *data, uint32_t bytes)
{
	struct nvme_tcp_capsule_cmd c = { .ch = { NVME_TCP_CAPSULE_CMD, 0, 72, 0, 72 } };
	struct nvme_tcp_data d;

	sqe.cid = q->cid++;
	sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
	c.sqe = sqe;
	c.ch.pdo = data ? 72 : 0;
	c.ch.plen = 72 + bytes;
	if (!put(q->fd, &c, sizeof(c)) || (data && !put(q->fd, data, bytes)))
		return false;
	/* headers of data and of responses are equally long */
	if (!get(q->fd, &d, sizeof(d)))
		return false;
	if (d.ch.type == NVME_TCP_C2H_DATA &&
	    (!get(q->fd, q->data, d.datal) || !get(q->fd, &d, sizeof(d))))
		return false;
	memcpy(&q->cqe, (uint8_t *)&d + sizeof(d.ch), sizeof(q->cqe));
	return true;
}

uint16_t connect_queue(struct queue *q, uint16_t qid, uint16_t cntlid, uint32_t kato_ms)
{
	struct nvme_connect_cmd c = { .opc = NVME_ADMIN_FABRICS,
				      .fctype = NVME_FCTYPE_CONNECT,
				      .qid = qid,
				      .sqsize = 31,
				      .kato = kato_ms };
	struct nvme_connect_data d = { .cntlid = cntlid,
				       .subnqn = HOST_NQN,
				       .hostnqn = "nqn.host" };
	struct nvme_sqe sqe;

	memcpy(&sqe, &c, sizeof(sqe));
	sqe.sgl1 = (struct nvme_sgl_desc){ .len = sizeof(d), .type = 0x01 };
	return command(q, sqe, &d, sizeof(d)) ? q->cqe.status >> 1 : UINT16_MAX;
}

bool set_cc(struct queue *q, uint32_t cc)
{
	struct nvme_property_cmd p = { .opc = NVME_ADMIN_FABRICS,
				       .fctype = NVME_FCTYPE_PROPERTY_SET,
				       .ofst = NVME_REG_CC,
				       .value = cc };
	struct nvme_sqe sqe;

	memcpy(&sqe, &p, sizeof(sqe));
	return command(q, sqe, NULL, 0) && !q->cqe.status;
}

bool rw(struct queue *q, uint8_t opc, uint32_t slba, const void *data)
{
	struct nvme_sqe sqe = { .opc = opc, .nsid = 1, .cdw10 = slba, .cdw12 = 7 };

	sqe.sgl1 = (struct nvme_sgl_desc){ .len = 4096, .type = data ? 0x01 : 0x5a };
	return command(q, sqe, data, data ? 4096 : 0) && !q->cqe.status;
}

uint16_t identified(struct queue *q)
{
	struct nvme_sqe id = { .opc = NVME_ADMIN_IDENTIFY, .cdw10 = 1 };
	uint16_t cntlid;

	id.sgl1 = (struct nvme_sgl_desc){ .len = 4096, .type = 0x5a };
	if (!command(q, id, NULL, 0) || q->cqe.status)
		return 0;
	memcpy(&cntlid, q->data + 78, sizeof(cntlid));
	return cntlid;
}
