/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that has lost its mind: random commands, registers, config space, doorbells and
 * faults. The drive may refuse, stop or go away; it may not crash, hang or leak.
 */
#include "rig.h"

#include "base/rand.h"

struct storm {
	struct rig *r;
	struct rand rand;
};

static uint64_t below(struct storm *s, uint64_t n)
{
	return rand_below(&s->rand, n);
}

/* Small numbers, edges, and anything. */
static uint32_t value(struct storm *s)
{
	const uint32_t edges[] = { 0, 1, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0xffffffff };

	switch (below(s, 3)) {
	case 0:
		return (uint32_t)below(s, 32);
	case 1:
		return edges[below(s, 8)];
	default:
		return (uint32_t)rand_next(&s->rand);
	}
}

static uint64_t address(struct storm *s)
{
	uint64_t base = (uintptr_t)(below(s, 2) ? s->r->buf : s->r->buf2);

	switch (below(s, 8)) {
	case 0:
		return rand_next(&s->rand);
	case 1:
		return base + below(s, RIG_BUF_BYTES);
	case 2:
		return base + below(s, RIG_BUF_BYTES) / 4 * 4;
	default:
		return base + below(s, RIG_BUF_BYTES) / 4096 * 4096;
	}
}

static struct nvme_sqe command(struct storm *s, bool admin)
{
	const uint8_t known[] = { 0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09,
				  0x0a, 0x0c, 0x0d, 0x10, 0x11, 0x14, 0x15, 0x19,
				  0x1a, 0x7c, 0x80, 0x81, 0x82, 0x84, 0x86 };
	struct nvme_sqe sqe = { 0 };

	sqe.opc = below(s, 8) ? known[below(s, sizeof(known))] : (uint8_t)value(s);
	sqe.flags = below(s, 4) ? 0 : (uint8_t)below(s, 256);
	if (!admin && below(s, 3) == 0)
		sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
	sqe.nsid = below(s, 4) ? 1 + (uint32_t)below(s, 2) : value(s);
	sqe.mptr = address(s);
	sqe.prp1 = address(s);
	sqe.prp2 = below(s, 2) ? address(s) : (uint64_t)below(s, 5) << 60 | below(s, 70000);
	sqe.cdw10 = value(s);
	sqe.cdw11 = below(s, 2) ? 0 : value(s);
	sqe.cdw12 = value(s);
	sqe.cdw13 = below(s, 2) ? 0 : value(s);
	sqe.cdw14 = value(s);
	sqe.cdw15 = value(s);
	return sqe;
}

static void submit(struct storm *s)
{
	uint16_t q = (uint16_t)below(s, 3);
	struct nvme_cqe cqe;

	if (!s->r->q[q].sq)
		return;
	for (uint64_t n = 1 + below(s, 8); n; n--)
		rig_put(s->r, q, command(s, !q));
	rig_ring(s->r, q);
	ssd_step(s->r->ssd, s->r->now_ns);
	while (rig_reap(s->r, q, &cqe))
		;
}

static void poke_registers(struct storm *s)
{
	const uint64_t regs[] = { 0x0c,	  0x10,	  0x14,	  0x1c,	  0x20,	  0x24,	  0x28,	  0x30,
				  0x1000, 0x1004, 0x1008, 0x100c, 0x1010, 0x2000, 0x200c, 0x3000 };
	uint64_t off = below(s, 2) ? regs[below(s, 16)] : below(s, 0x5000);

	ssd_reg_write(ssd_pcie(s->r->ssd), off, below(s, 2) ? 4 : 8, value(s), s->r->now_ns);
	ssd_reg_read(ssd_pcie(s->r->ssd), below(s, 0x5000), below(s, 2) ? 4 : 8, s->r->now_ns);
}

static void poke_config(struct storm *s)
{
	uint32_t v = value(s);

	ssd_cfg_write(ssd_pcie(s->r->ssd), (unsigned int)below(s, below(s, 2) ? 256 : 4096), &v,
		      1 + (unsigned int)below(s, 4), s->r->now_ns);
}

static void add_fault(struct storm *s)
{
	struct ssd_fault f = { .admin = (int)below(s, 3) - 1,
			       .opcode = below(s, 2) ? -1 : (int)below(s, 256),
			       .action = (enum ssd_fault_action)below(s, SSD_FAULT_ACTIONS),
			       .probability = 0.1,
			       .times = 3,
			       .status = (uint16_t)value(s),
			       .delay_ns = below(s, 1000000),
			       .value = (int64_t)rand_next(&s->rand) };

	for (int id = 0;
	     below(s, 2) && !ssd_fault_get(s->r->ssd, 0, &id, &(struct ssd_fault){ 0 });)
		ssd_fault_del(s->r->ssd, id);
	/* removal is for good */
	if (f.action == SSD_FAULT_REMOVE)
		f.action = SSD_FAULT_POWER;
	assert_true(ssd_fault_add(s->r->ssd, &f) > 0);
}

/* Make it work again, or nothing more would be tried. */
static void revive(struct storm *s)
{
	struct rig *r = s->r;

	ssd_power(r->ssd, true, r->now_ns);
	rig_set_cfg(r, 0x44, 0, 2);
	rig_set_cfg(r, 4, 6, 2);
	rig_set_reg(r, NVME_REG_CC, 0);
	rig_enable(r);
	for (uint16_t q = 1; q < 3; q++) {
		struct nvme_sqe sqe = { .opc = NVME_ADMIN_CREATE_CQ };
		struct nvme_cqe cqe;

		rig_make_rings(r, q, RIG_DEPTH);
		sqe.prp1 = (uintptr_t)r->q[q].cq;
		sqe.cdw10 = (RIG_DEPTH - 1) << 16 | q;
		sqe.cdw11 = NVME_QUEUE_PC;
		rig_put(r, 0, sqe);
		sqe.opc = NVME_ADMIN_CREATE_SQ;
		sqe.prp1 = (uintptr_t)r->q[q].sq;
		sqe.cdw11 = (uint32_t)q << 16 | NVME_QUEUE_PC;
		rig_put(r, 0, sqe);
		rig_ring(r, 0);
		rig_step(r);
		while (rig_reap(r, 0, &cqe))
			;
	}
}

static void act(struct storm *s)
{
	switch (below(s, 200)) {
	case 0:
		ssd_power(s->r->ssd, below(s, 2), s->r->now_ns);
		break;
	case 1:
		below(s, 2) ? ssd_flr(ssd_pcie(s->r->ssd), s->r->now_ns) :
			      ssd_hot_reset(ssd_pcie(s->r->ssd), s->r->now_ns);
		break;
	case 2:
		poke_config(s);
		break;
	case 3:
	case 4:
		poke_registers(s);
		break;
	case 5:
		s->r->db[below(s, 1024)] = value(s);
		break;
	case 6:
		add_fault(s);
		break;
	case 7:
		ssd_set_temperature(s->r->ssd, value(s), s->r->now_ns);
		break;
	case 8:
	case 9:
		revive(s);
		break;
	case 10:
		s->r->split = below(s, 2) ? 0 : 64 * (1 + below(s, 100));
		break;
	default:
		submit(s);
		break;
	}
	s->r->now_ns += below(s, 100000);
	ssd_step(s->r->ssd, s->r->now_ns);
}

static void weather(const char *options, uint64_t seed, unsigned int acts)
{
	struct storm s = { .r = rig_create(options) };

	rand_seed(&s.rand, seed);
	revive(&s);
	for (unsigned int i = 0; i < acts; i++)
		act(&s);
	rig_destroy(s.r);
}

static void nothing_crashes_the_drive(void **state)
{
	weather("size=4M,ns=2,erase_s=0.01,dst_s=0.01,sanitize_s=0.01", 1, 20000);
	weather("size=4M,ns=2,ms=8,latency=none,erase_s=0,dst_s=0,sanitize_s=0,vs=2.0", 2, 20000);
	weather("size=1M,ns=2,mdts=8K,ioqueues=2,mem=64K,vs=1.4,hmpre=1M", 3, 20000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_crashes_the_drive),
	};

	/* by hand: a seed and a number of acts */
	if (argc == 3) {
		weather("size=4M,ns=2,ms=8,erase_s=0.01,dst_s=0.01,sanitize_s=0.01",
			strtoull(argv[1], NULL, 0), (unsigned int)strtoul(argv[2], NULL, 0));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
