/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exec.c - commands of the transport itself: Connect, properties, Disconnect.
 *
 * They go around the state of the queue: it is they that make it usable, and registers work while
 * it is frozen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/interrupt.h"
#include "nvme/tcp/fabric.h"
#include "spec/names.h"

#define POLL_MAX 128u
#define DATA_MAX 1024u

/* Belongs to the queue until it is done, however long anybody waits. */
struct exec {
	struct nvme_req req;
	bool done;
	bool abandoned;
	uint8_t data[DATA_MAX];
};

static void exec_free(struct exec *exec)
{
	free(exec);
	count_dec(COUNT_REQUESTS);
}

static void exec_done(struct nvme_req *req)
{
	struct exec *exec = req->owner;

	exec->done = true;
	if (exec->abandoned)
		exec_free(exec);
}

static struct exec *exec_create(const struct nvme_sqe *sqe, const void *data, uint32_t len)
{
	struct exec *exec = calloc(1, sizeof(*exec));

	if (!exec)
		return NULL;
	count_inc(COUNT_REQUESTS);
	exec->req.sqe = *sqe;
	exec->req.done = exec_done;
	exec->req.owner = exec;
	exec->req.flags = NVME_REQ_INTERNAL;
	if (len) {
		memcpy(exec->data, data, len);
		exec->req.data = exec->data;
		exec->req.data_bytes = len;
	}
	return exec;
}

static const char *name_of(const struct nvme_sqe *sqe)
{
	const struct nvme_fabrics_cmd *cmd = (const struct nvme_fabrics_cmd *)sqe;

	return nvme_fctype_name(cmd->fctype);
}

/* Why it will never be done, 0: it may. */
static int hopeless(struct nvme_tcp_queue *t, const struct exec *exec,
		    const struct nvme_tcp_patience *p)
{
	const char *name = name_of(&exec->req.sqe);

	if (t->lost)
		return err_set(-ENODEV, "%s: the connection is lost: %s", name, t->why);
	if (interrupt_check(t->q->ctrl->addr)) {
		nvme_tcp_lose(t, "interrupted while %s was outstanding", name);
		return err_set(-EINTR, "%s: interrupted after %.0f ms", name,
			       nvme_tcp_waited_ms(p));
	}
	if (clock_now_ns() < p->until_ns)
		return 0;
	nvme_tcp_lose(t, "no answer to %s after %.0f ms", name, nvme_tcp_waited_ms(p));
	return err_set(-ETIMEDOUT, "no answer to %s after %.0f ms", name, nvme_tcp_waited_ms(p));
}

static int wait(struct nvme_qpair *q, struct exec *exec, const struct nvme_tcp_patience *p)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	unsigned int looks = 0;
	int err = 0;

	while (!exec->done && !err) {
		if (nvme_qpair_poll(q, POLL_MAX, clock_now_ns()))
			continue;
		nvme_tcp_wait(q);
		if (++looks % 16 == 0 || t->lost)
			err = hopeless(t, exec, p);
	}
	return exec->done ? 0 : err;
}

int nvme_tcp_exec(struct nvme_qpair *q, const struct nvme_sqe *sqe, const void *data, uint32_t len,
		  const struct nvme_tcp_patience *p, struct nvme_cqe *cqe)
{
	struct exec *exec = exec_create(sqe, data, len);
	int err;

	if (!exec)
		return err_set(-ENOMEM, "no memory for a command");
	nvme_qpair_submit(q, &exec->req, clock_now_ns());
	nvme_qpair_ring(q);
	err = wait(q, exec, p);
	if (err) {
		exec->abandoned = true;
		if (nvme_qpair_unqueue(q, &exec->req))
			exec_free(exec);
		return err;
	}
	*cqe = exec->req.cqe;
	err = nvme_req_status(&exec->req);
	exec_free(exec);
	return err;
}
