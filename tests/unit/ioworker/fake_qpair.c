/* SPDX-License-Identifier: BSD-3-Clause */
/* See fake_qpair.h. */
#include "fake_qpair.h"

#include "base/err.h"

struct fake fake;

static struct nvme_qpair queue;
static struct nvme_cmdlog_queue recorded = { .slot = &fake.slot };

struct waiting {
	struct nvme_req *req;
	uint64_t due_ns;
};

static struct nvme_ns_format large_lbas = {
	.lba_bytes = 4096,
	.stride_bytes = 4096,
	.nlbas = 125000,
};
static struct waiting waiting[1024];
static unsigned int nwaiting;

int fake_setup(void **state)
{
	static struct nvme_ns_format format = {
		.lba_bytes = 512,
		.stride_bytes = 512,
		.nlbas = 1000000,
	};

	memset(&fake, 0, sizeof(fake));
	nwaiting = 0;
	fake.latency_ns = 10 * US;
	fake.ctrl.max_entries = 1024;
	fake.ctrl.mdts_bytes = 131072;
	fake.ctrl.timeout_ms = 5000;
	fake.ns = (struct nvme_ns){
		.ctrl = &fake.ctrl,
		.nsid = 1,
		.format = &format,
		.refs = 1,
	};
	return 0;
}

struct ioworker_opts fake_options(void)
{
	static const struct plan_size size = { .nlb = 8, .align = 8, .weight = 1 };
	static const struct plan_op op = { .opcode = NVME_CMD_READ, .weight = 100 };

	return (struct ioworker_opts){
		.ns = &fake.ns,
		.plan = {
			.sizes = &size,
			.nsizes = 1,
			.ops = &op,
			.nops = 1,
			.region_end = UINT64_MAX,
			.random_percent = 100,
			.seed = 3,
		},
		.qdepth = 4,
		.cpu = -1,
	};
}

uint64_t fake_run(struct ioworker *w, uint64_t from_ns, uint64_t tick_ns)
{
	fake.now_ns = from_ns;
	while (ioworker_step(w, fake.now_ns) != IOWORKER_ENDED)
		fake.now_ns += tick_ns;
	return fake.now_ns;
}

struct ioworker *fake_whole_run(const struct ioworker_opts *opts, uint64_t tick_ns)
{
	struct ioworker *w;

	assert_int_equal(ioworker_create(&w, opts), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	fake_run(w, 0, tick_ns);
	ioworker_close(w);
	return w;
}

struct nvme_ns *nvme_ns_get(struct nvme_ns *ns)
{
	ns->refs++;
	return ns;
}

void nvme_ns_put(struct nvme_ns *ns)
{
	ns->refs--;
}

int dma_alloc(struct dma_mem *out, size_t len)
{
	out->va = aligned_alloc(DMA_PAGE_BYTES,
				(len + DMA_PAGE_BYTES - 1) / DMA_PAGE_BYTES * DMA_PAGE_BYTES);
	out->len = len;
	return 0;
}

void dma_free(struct dma_mem *mem)
{
	free(mem->va);
	mem->va = NULL;
}

uint32_t nvme_timeout_ms(struct nvme_ctrl *ctrl, uint64_t submit_ns)
{
	return ctrl->timeout_ms;
}

bool nvme_ctrl_is_initialising(struct nvme_ctrl *ctrl)
{
	return false;
}

int nvme_qpair_create(struct nvme_ctrl *ctrl, unsigned int depth, unsigned int prio,
		      unsigned int vector, struct nvme_qpair **out)
{
	if (fake.create_error)
		return err_set(fake.create_error, "no more queues");
	memset(&queue, 0, sizeof(queue));
	queue.sqid = FAKE_SQID;
	queue.log = &recorded;
	fake.depth = depth;
	fake.created++;
	*out = &queue;
	return 0;
}

static void complete(unsigned int i, uint16_t status)
{
	struct nvme_req *req = waiting[i].req;

	waiting[i] = waiting[--nwaiting];
	queue.inflight--;
	req->cqe.status = (uint16_t)(status << 1);
	req->latency_ns = fake.now_ns - req->submit_ns;
	if (fake.nretired < FAKE_SENT_MAX)
		fake.retired_ns[fake.nretired++] = fake.now_ns;
	req->done(req);
}

static void drain(void)
{
	while (nwaiting)
		complete(0, NVME_SC_ABORTED_SQ_DELETION);
}

int nvme_qpair_delete(struct nvme_qpair *q)
{
	fake.deleted++;
	drain();
	return 0;
}

int nvme_qpair_leave(struct nvme_qpair *q)
{
	fake.left++;
	drain();
	return fake.leave_error;
}

int nvme_qpair_enter(struct nvme_qpair *q)
{
	return fake.refuse ? err_set(fake.refuse, "the controller was reset") : 0;
}

void nvme_qpair_exit(struct nvme_qpair *q)
{
}

bool nvme_qpair_wait(struct nvme_qpair *q)
{
	return false;
}

void nvme_qpair_submit(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	req->submit_ns = now_ns;
	if (fake.nsent < FAKE_SENT_MAX) {
		fake.sent[fake.nsent] = req->sqe;
		fake.sent_ns[fake.nsent] = now_ns;
		fake.data_bytes[fake.nsent] = req->data_bytes;
	}
	fake.nsent++;
	if (fake.nsent == fake.formatted)
		atomic_store(&fake.ns.format, &large_lbas);
	waiting[nwaiting].req = req;
	waiting[nwaiting++].due_ns =
		fake.nsent == fake.lose_at ? UINT64_MAX : now_ns + fake.latency_ns;
	req->cqe.cdw0 = fake.nsent == fake.fail_at;
	if (++queue.inflight > fake.max_inflight)
		fake.max_inflight = queue.inflight;
}

void nvme_qpair_ring(struct nvme_qpair *q)
{
	fake.nrung = fake.nsent;
}

unsigned int nvme_qpair_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nwaiting;) {
		struct nvme_req *req = waiting[i].req;

		if (!fake.patient && now_ns - req->submit_ns > fake.ctrl.timeout_ms * MS)
			req->flags |= NVME_REQ_LATE;
		if (waiting[i].due_ns > now_ns || n == max) {
			i++;
			continue;
		}
		complete(i, req->cqe.cdw0 ? fake.fail_status : 0);
		n++;
	}
	return n;
}
