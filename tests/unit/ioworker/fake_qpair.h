/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_qpair.h - the calls of nvme/qpair.h without a driver: what is submitted completes
 * after a latency, on the clock of the test.
 */
#ifndef PYNVME_TESTS_IOWORKER_FAKE_QPAIR_H
#define PYNVME_TESTS_IOWORKER_FAKE_QPAIR_H

#include "fixture.h"

#include "ioworker/ioworker.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/cmdlog/format.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define FAKE_SENT_MAX 100000u
#define FAKE_SQID     7u

/**
 * struct fake - how the queue behaves, and what it saw
 * @fail_at: the command of this number (from 1) ends with @fail_status
 * @lose_at: the command of this number never ends
 * @patient: no command is ever late
 * @refuse: nvme_qpair_enter() fails
 * @create_error: what nvme_qpair_create() returns
 * @leave_error: what nvme_qpair_leave() returns
 * @formatted: the command of this number (from 1) is the last before LBAs have 4096 bytes
 * @slot: what the worker publishes
 * @sent: the commands, with the time of their doorbell in @sent_ns, and @data_bytes
 */
struct fake {
	struct nvme_ctrl ctrl;
	struct nvme_ns ns;
	uint64_t now_ns;
	uint64_t latency_ns;
	uint64_t fail_at;
	uint16_t fail_status;
	uint64_t lose_at;
	bool patient;
	int refuse;
	int create_error;
	int leave_error;
	uint64_t formatted;
	struct nvme_cmdlog_slot slot;
	unsigned int depth, created, deleted, left, max_inflight;
	uint64_t nsent, nrung;
	struct nvme_sqe sent[FAKE_SENT_MAX];
	uint32_t data_bytes[FAKE_SENT_MAX];
	uint64_t sent_ns[FAKE_SENT_MAX];
	uint64_t retired_ns[FAKE_SENT_MAX];
	uint64_t nretired;
};

extern struct fake fake;

/* 1,000,000 LBAs of 512 bytes, MQES 1023, 10 us latency. */
int fake_setup(void **state);

/* Random reads of 8 LBAs at depth 4, without an end. */
struct ioworker_opts fake_options(void);

/* Steps from @from_ns on, every @tick_ns, until the worker ends. Return: the time of the end. */
uint64_t fake_run(struct ioworker *w, uint64_t from_ns, uint64_t tick_ns);

/* Create, open, run to the end at @tick_ns, close. */
struct ioworker *fake_whole_run(const struct ioworker_opts *opts, uint64_t tick_ns);

#endif
