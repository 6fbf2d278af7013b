/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker.h - inside of a worker; for the files of this folder.
 */
#ifndef PYNVME_IOWORKER_WORKER_H
#define PYNVME_IOWORKER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/dma.h"
#include "ioworker/ioworker.h"
#include "ioworker/plan.h"
#include "ioworker/rate.h"
#include "ioworker/stats.h"
#include "nvme/qpair.h"
#include "nvme/req.h"

/**
 * struct ioworker_slot - one command in flight
 * @req: first, so that a request is its slot
 * @read_data: memory for what comes from the device
 * @slba, @nlb, @op: as planned
 * @movable: the next command, if of the same kind, needs nothing but another LBA
 * @write_data: filled once with the pattern; writes change its stamps only
 */
struct ioworker_slot {
	struct nvme_req req;
	struct ioworker *w;
	struct ioworker_slot *next;
	void *read_data;
	void *write_data;
	uint64_t slba;
	uint32_t nlb;
	uint8_t op;
	bool movable;
} __attribute__((aligned(64)));

/**
 * struct ioworker
 * @free: slots that have no command
 * @done_now: commands that ended well since the last batch was counted
 * @left: commands that may still be issued
 * @check_ns: time of the next look at what is not worth a look every step
 * @end_ns: no command is issued from then on
 * @ending: no more commands; ends as soon as none is in flight
 * @closing: what completes now is no result
 */
struct ioworker {
	struct nvme_qpair *q;
	struct ioworker_slot *free;
	struct nvme_ns *ns;
	uint64_t done_now;
	uint64_t left;
	uint64_t check_ns;
	uint64_t end_ns;
	uint32_t lba_bytes; /* of the namespace when the worker was made, as is the next */
	uint32_t stride_bytes;
	bool ending;
	bool waiting; /* a step without work left commands in flight */
	bool paced;   /* commands have a time before which they must not go out, or a last one */
	_Atomic bool closing;
	_Atomic bool stop;
	struct rate rate;
	struct plan plan;
	struct stats stats;
	/* cold from here */
	struct ioworker_slot *slots;
	struct dma_mem mem;
	uint64_t start_ns;
	uint64_t ended_ns;
	uint64_t ending_ns; /* since when @ending */
	uint64_t cpu_ns;
	uint64_t stall_ns;
	uint64_t frozen_ns;
	bool fw_debug;
	bool leaves; /* has failed, for somebody to look at: nothing more is done to the device */
	uint16_t left_sqid;
	bool failed;
	uint16_t status;
	enum ioworker_fault fault;
	char why[IOWORKER_WHY_BYTES];
	char lost[IOWORKER_WHY_BYTES]; /* why the queue let nobody in */
	struct ioworker_error errors[IOWORKER_ERRORS_MAX];
	uint64_t nerrors;
	uint64_t failed_commands[4]; /* by the way of their data, bits 1:0 of the opcode */
	struct {
		_Atomic bool running;
		_Atomic uint64_t ios, reads, bytes, elapsed_ns;
		_Atomic uint32_t filled_ppm; /* of the region */
	} live;
	struct {
		pthread_t id;
		pthread_mutex_t mutex;
		pthread_cond_t cond;
		bool started, ended, joined;
	} thread;
	/* of struct ioworker_opts */
	uint64_t time_ns, io_count;
	double iops;
	uint32_t qdepth, qprio, ptype, pvalue;
	int cpu;
	uint64_t seed;
};

void ioworker_thread_init(struct ioworker *w);

/* For others to see, ten times a second: progress, counts, latencies. */
void ioworker_publish(struct ioworker *w, uint64_t now_ns);
/* Into the recorder's file: the parameters, once the queue is there. */
void ioworker_publish_start(const struct ioworker *w);
/* The last counts and why it ended, by who holds the queue: a drain writes the same members. */
void ioworker_publish_end(struct ioworker *w, uint64_t now_ns);
/* That it ended, and why where nobody let it in; the queue is still there. */
void ioworker_publish_closed(const struct ioworker *w);

/* The run starts at @now_ns. */
void ioworker_begin(struct ioworker *w, uint64_t now_ns);

/* Slots and their memory: 0, -ENOMEM, -EINVAL. */
int ioworker_slots_alloc(struct ioworker *w);
void ioworker_slots_free(struct ioworker *w);

/* Fill the request of a slot with a planned command. */
void ioworker_command(struct ioworker *w, struct ioworker_slot *slot, const struct plan_io *io);

/* nvme_req.done of every slot. Hot. */
void ioworker_slot_done(struct nvme_req *req);

/* A command of @slot ended badly; cold. */
void ioworker_fail(struct ioworker *w, struct ioworker_slot *slot);
/* The tool ends the worker; the first reason stays. */
void ioworker_set_fault(struct ioworker *w, enum ioworker_fault fault, const char *why);

#endif
