/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h - admin commands and resets on the rig; data of commands is at r->buf.
 */
#ifndef PYNVME_TESTS_SSD_BENCH_H
#define PYNVME_TESTS_SSD_BENCH_H

#include "rig.h"

#include "spec/features.h"

#define SECOND_NS 1000000000ull

struct nvme_sqe bench_sqe(struct rig *r, uint8_t opc, uint32_t nsid, uint32_t cdw10,
			  uint32_t cdw11);
/* To its end; its SCT << 8 | SC. */
uint16_t bench_admin(struct rig *r, uint8_t opc, uint32_t nsid, uint32_t cdw10, uint32_t cdw11);
/* Begin a command that takes time. */
void bench_start(struct rig *r, struct nvme_sqe sqe);
/* The next admin completion, which must be there; its status. */
uint16_t bench_end(struct rig *r, uint32_t *cdw0);
bool bench_idle(struct rig *r);

uint16_t bench_set_feature(struct rig *r, uint8_t fid, uint32_t cdw11);
uint16_t bench_get_feature(struct rig *r, uint8_t fid, uint32_t sel, uint32_t *cdw0);
/* CDW0 of a Get Features that succeeds. */
uint32_t bench_feature(struct rig *r, uint8_t fid, uint32_t sel);
/* Log page at r->buf, which must be readable. */
void *bench_log(struct rig *r, uint8_t lid, uint32_t bytes);
/* Identify data at r->buf, which must be readable. */
void *bench_identify(struct rig *r, uint32_t nsid, uint8_t cns);
/* The newest entry of the Error Log. */
struct nvme_error_entry bench_last_error(struct rig *r);
/* Outstanding Async Event Requests. */
void bench_aers(struct rig *r, unsigned int n);
/* DW0 of the event that arrived, or 0 (no event has LID 0). */
uint32_t bench_event(struct rig *r);
#define BENCH_EVENT(type, info, lid) ((uint32_t)(lid) << 16 | (uint32_t)(info) << 8 | (type))

enum bench_reset {
	BENCH_CONTROLLER,
	BENCH_SUBSYSTEM,
	BENCH_FLR,
	BENCH_HOT,
	BENCH_RESETS, /* the ways to reset without losing power */
	BENCH_POWER = BENCH_RESETS,
	BENCH_WAYS,
};

/* Reset and enable again, with IO queue 1. */
void bench_reset(struct rig *r, enum bench_reset how);

#endif
