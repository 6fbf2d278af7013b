// SPDX-License-Identifier: BSD-3-Clause
/*
 * Admin and IO commands with arbitrary fields, data pointers and memory, through queues and
 * through ssd_exec().
 *
 * The input is a list of commands: a byte for the queue, a byte for what is bent into a plausible
 * shape, and the 64 bytes of the SQE.
 */
#include <stdlib.h>

#include "bench.h"
#include "spec/nvme.h"

#define QUEUES	  3
#define ENTRIES	  32u
#define DATA_PAGE 8u /* behind the rings */

#define BEND_POINTERS 0x01u /* data pointers into memory that is mapped */
#define BEND_ALIGN    0x02u /* PRPs without an offset */
#define BEND_LBA      0x04u /* an LBA that exists, and few of them */
#define BEND_NSID     0x08u
#define BEND_SGL      0x10u
#define BEND_HOLD     0x20u /* more commands before the doorbell */
#define BEND_MEMORY   0x40u /* memory is written first */
#define BEND_EVENT    0x80u

static uint64_t into_memory(uint64_t addr, bool align)
{
	uint64_t off = addr % (BENCH_BYTES - DATA_PAGE * 4096);

	return BENCH_IOVA + DATA_PAGE * 4096 + (align ? off & ~UINT64_C(4095) : off & ~UINT64_C(3));
}

static void bend(struct nvme_sqe *sqe, uint8_t how)
{
	if (how & BEND_POINTERS) {
		sqe->prp1 = into_memory(sqe->prp1, how & BEND_ALIGN);
		if (how & BEND_SGL) {
			sqe->flags = 0x40;
			sqe->sgl1.len %= 65536;
		} else {
			sqe->flags &= 0x3f;
			sqe->prp2 = into_memory(sqe->prp2, how & BEND_ALIGN);
		}
		sqe->mptr = into_memory(sqe->mptr, false);
	}
	if (how & BEND_LBA) {
		sqe->cdw10 &= 0xff;
		sqe->cdw11 = 0;
		sqe->cdw12 &= 0xffff001f;
	}
	if (how & BEND_NSID)
		sqe->nsid = sqe->nsid % 4;
}

/* A command of ssd_exec(), kept until the end: it completes once, or never. */
struct exec {
	struct ssd_cmd cmd;
	struct iovec data[2], meta[1];
	unsigned int completions;
	struct exec *next;
};

struct queues {
	struct bench b;
	uint32_t tail[QUEUES];
	struct exec *execs;
};

static void put(struct queues *q, unsigned int id, const struct nvme_sqe *sqe)
{
	memcpy(q->b.mem + 4096 * (2 * id) + 64 * q->tail[id], sqe, sizeof(*sqe));
	q->tail[id] = (q->tail[id] + 1) % ENTRIES;
}

static void ring(struct queues *q)
{
	for (unsigned int id = 0; id < QUEUES; id++)
		q->b.db[2 * id] = q->tail[id];
	bench_step(&q->b);
	/* completions are taken without a look at them */
	for (unsigned int id = 0; id < QUEUES; id++)
		q->b.db[2 * id + 1] = q->tail[id];
	bench_step(&q->b);
}

static void create_queues(struct queues *q)
{
	for (unsigned int id = 1; id < QUEUES; id++) {
		struct nvme_sqe sqe = { .opc = NVME_ADMIN_CREATE_CQ };

		sqe.prp1 = BENCH_IOVA + 4096 * (2 * id + 1);
		sqe.cdw10 = (ENTRIES - 1) << 16 | id;
		sqe.cdw11 = NVME_QUEUE_PC | NVME_CQ_IEN;
		put(q, 0, &sqe);
		sqe.opc = NVME_ADMIN_CREATE_SQ;
		sqe.prp1 = BENCH_IOVA + 4096 * (2 * id);
		sqe.cdw11 = id << 16 | NVME_QUEUE_PC;
		put(q, 0, &sqe);
	}
	ring(q);
}

/* CDW10 of Format NVM: formats with metadata, apart and extended, and types of protection. */
static void format(struct queues *q)
{
	static const uint32_t cdw10[] = { 0, 0x001, 0x012, 0x022, 0x133, 0x042, 0x172, 0x063 };
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_FORMAT, .nsid = NVME_NSID_ALL };

	sqe.cdw10 = cdw10[q->b.format];
	put(q, 0, &sqe);
	ring(q);
	bench_advance(&q->b, UINT64_C(10000000000));
}

static void exec_done(struct ssd_cmd *cmd)
{
	struct exec *e = cmd->priv;

	if (++e->completions > 1)
		abort();
}

/* Through the other front door: vectors instead of data pointers. */
static void exec(struct queues *q, const struct nvme_sqe *sqe, uint8_t shape)
{
	struct exec *e = calloc(1, sizeof(*e));

	e->data[0] = (struct iovec){ q->b.mem + DATA_PAGE * 4096, (shape & 15) * 512u };
	e->data[1] = (struct iovec){ q->b.mem + 40 * 4096, (shape >> 4) * 512u + 24 };
	e->meta[0] = (struct iovec){ q->b.mem + 60 * 4096, shape * 8u };
	e->cmd = (struct ssd_cmd){ .sqe = *sqe,
				   .sqid = (uint16_t)(sqe->cid & 3),
				   .data = e->data,
				   .data_n = 1 + (shape & 1),
				   .meta = e->meta,
				   .meta_n = shape >> 7,
				   .done = exec_done,
				   .priv = e };
	e->next = q->execs;
	q->execs = e;
	ssd_exec(ssd_pcie(q->b.ssd), &e->cmd, q->b.now_ns);
}

static void act(struct queues *q, struct input *in)
{
	uint8_t where = input_u8(in), how = input_u8(in);
	struct nvme_sqe sqe;

	if (how & BEND_MEMORY)
		bench_write_memory(&q->b, in);
	if ((how & BEND_EVENT) && !(where & 0xf0)) {
		bench_event(&q->b, in);
		return;
	}
	input_bytes(in, &sqe, sizeof(sqe));
	bend(&sqe, how);
	if (where % 4 == 3) {
		exec(q, &sqe, where);
		bench_step(&q->b);
		return;
	}
	put(q, where % 4, &sqe);
	if (how & BEND_HOLD)
		return;
	ring(q);
	bench_advance(&q->b, UINT64_C(1) << (where >> 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct queues q = { 0 };

	bench_open(&q.b, &in);
	bench_enable(&q.b);
	create_queues(&q);
	if (q.b.format)
		format(&q);
	while (in.left)
		act(&q, &in);
	ring(&q);
	bench_advance(&q.b, UINT64_C(10000000000));
	bench_close(&q.b);
	while (q.execs) {
		struct exec *next = q.execs->next;

		free(q.execs);
		q.execs = next;
	}
	return 0;
}
