/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

struct nvme_sqe bench_sqe(struct rig *r, uint8_t opc, uint32_t nsid, uint32_t cdw10, uint32_t cdw11)
{
	return (struct nvme_sqe){
		.opc = opc,
		.nsid = nsid,
		.prp1 = (uintptr_t)r->buf,
		.prp2 = (uintptr_t)r->buf + 4096,
		.cdw10 = cdw10,
		.cdw11 = cdw11,
	};
}

uint16_t bench_admin(struct rig *r, uint8_t opc, uint32_t nsid, uint32_t cdw10, uint32_t cdw11)
{
	return rig_run(r, 0, bench_sqe(r, opc, nsid, cdw10, cdw11), NULL);
}

void bench_start(struct rig *r, struct nvme_sqe sqe)
{
	rig_put(r, 0, sqe);
	rig_ring(r, 0);
	rig_step(r);
}

uint16_t bench_end(struct rig *r, uint32_t *cdw0)
{
	struct nvme_cqe cqe;

	rig_step(r);
	assert_true(rig_reap(r, 0, &cqe));
	if (cdw0)
		*cdw0 = cqe.cdw0;
	return NVME_GET(cqe.status, STATUS_SC11);
}

bool bench_idle(struct rig *r)
{
	struct nvme_cqe cqe;

	rig_step(r);
	return !rig_reap(r, 0, &cqe);
}

uint16_t bench_set_feature(struct rig *r, uint8_t fid, uint32_t cdw11)
{
	return bench_admin(r, NVME_ADMIN_SET_FEATURES, NVME_NSID_ALL, fid, cdw11);
}

uint16_t bench_get_feature(struct rig *r, uint8_t fid, uint32_t sel, uint32_t *cdw0)
{
	return rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, 1, fid | sel << 8, 0), cdw0);
}

uint32_t bench_feature(struct rig *r, uint8_t fid, uint32_t sel)
{
	uint32_t cdw0;

	assert_int_equal(bench_get_feature(r, fid, sel, &cdw0), 0);
	return cdw0;
}

void *bench_log(struct rig *r, uint8_t lid, uint32_t bytes)
{
	assert_int_equal(rig_log(r, lid, r->buf, bytes), 0);
	return r->buf;
}

void *bench_identify(struct rig *r, uint32_t nsid, uint8_t cns)
{
	assert_int_equal(rig_identify(r, nsid, cns, r->buf), 0);
	return r->buf;
}

struct nvme_error_entry bench_last_error(struct rig *r)
{
	return *(struct nvme_error_entry *)bench_log(r, NVME_LOG_ERROR, 64);
}

void bench_aers(struct rig *r, unsigned int n)
{
	while (n--)
		bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_true(bench_idle(r));
}

uint32_t bench_event(struct rig *r)
{
	struct nvme_cqe cqe;

	rig_step(r);
	if (!rig_reap(r, 0, &cqe))
		return 0;
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), 0);
	return cqe.cdw0;
}

void bench_reset(struct rig *r, enum bench_reset how)
{
	switch (how) {
	case BENCH_CONTROLLER:
		rig_set_reg(r, NVME_REG_CC, 0);
		break;
	case BENCH_SUBSYSTEM:
		rig_set_reg(r, NVME_REG_NSSR, NVME_NSSR_NSSRC);
		break;
	case BENCH_FLR:
		assert_int_equal(ssd_flr(ssd_pcie(r->ssd), r->now_ns), 0);
		break;
	case BENCH_HOT:
		assert_int_equal(ssd_hot_reset(ssd_pcie(r->ssd), r->now_ns), 0);
		break;
	default:
		assert_int_equal(ssd_power(r->ssd, false, r->now_ns), 0);
		r->now_ns += 10 * SECOND_NS;
		assert_int_equal(ssd_power(r->ssd, true, r->now_ns), 0);
		break;
	}
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);
}
