/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl.c - a controller's life: opened once a process, counted references, orderly end.
 */
#include "nvme/ctrl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"
#include "nvme/aer.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/cmdlog/live.h"
#include "nvme/event.h"
#include "nvme/init.h"
#include "nvme/tcp/address.h"
#include "nvme/transport.h"
#include "spec/identify.h"

#define HEALTH_INTERVAL_NS UINT64_C(10000000)

int nvme_process;

static void after_fork_in_child(void)
{
	nvme_process = getpid();
	nvme_cmdlog_forked();
}

static void know_process(void)
{
	nvme_process = getpid();
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* --- registers --- */

int nvme_ctrl_read32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t *val)
{
	uint64_t wide = 0;
	int err = ctrl->transport->reg_read(ctrl, off, 4, &wide);

	*val = (uint32_t)wide;
	return err;
}

int nvme_ctrl_write32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t val)
{
	return ctrl->transport->reg_write(ctrl, off, 4, val);
}

int nvme_ctrl_read64(struct nvme_ctrl *ctrl, uint32_t off, uint64_t *val)
{
	return ctrl->transport->reg_read(ctrl, off, 8, val);
}

/* --- health --- */

int nvme_ctrl_check(struct nvme_ctrl *ctrl)
{
	char why[ERR_TEXT_BYTES];

	if (ctrl->pid != nvme_process)
		return err_set(-EPERM, "%s: opened in process %d: open it again in this one",
			       ctrl->addr, ctrl->pid);
	switch (atomic_load(&ctrl->failed)) {
	case -ENODEV:
		ctrl->transport->why_gone(ctrl, why, sizeof(why));
		return err_set(-ENODEV, "%s: %s", ctrl->addr, why);
	case -EIO:
		return err_set(-EIO,
			       "%s: the controller reports a fatal status (CSTS.CFS): reset it",
			       ctrl->addr);
	}
	return 0;
}

void nvme_ctrl_fail(struct nvme_ctrl *ctrl, int why, uint64_t now_ns)
{
	struct nvme_event ev = {
		.type = why == -ENODEV ? NVME_EVENT_GONE : NVME_EVENT_FATAL,
		.time_ns = now_ns,
	};
	int none = 0;

	if (!atomic_compare_exchange_strong(&ctrl->failed, &none, why))
		return;
	nvme_cmdlog_state(ctrl, NVME_CMDLOG_DOWN);
	nvme_event_push(ctrl, &ev);
}

uint64_t nvme_ctrl_health(struct nvme_ctrl *ctrl, uint64_t now_ns)
{
	uint64_t due = atomic_load(&ctrl->health_ns);
	int err;

	if (now_ns < due)
		return due;
	if (!atomic_compare_exchange_strong(&ctrl->health_ns, &due, now_ns + HEALTH_INTERVAL_NS))
		return due;
	err = ctrl->transport->health(ctrl);
	if (err)
		nvme_ctrl_fail(ctrl, err, now_ns);
	return now_ns + HEALTH_INTERVAL_NS;
}

/* --- open and close --- */

static void init_locks(struct nvme_ctrl *ctrl)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&ctrl->admin_lock, &attr);
	pthread_mutex_init(&ctrl->reset_lock, &attr);
	pthread_mutex_init(&ctrl->ns_lock, NULL);
	pthread_mutex_init(&ctrl->timeout_lock, NULL);
	pthread_mutexattr_destroy(&attr);
}

static void free_memory(struct nvme_ctrl *ctrl)
{
	nvme_aer_fini(ctrl);
	nvme_event_fini(ctrl);
	pthread_mutex_destroy(&ctrl->admin_lock);
	pthread_mutex_destroy(&ctrl->reset_lock);
	pthread_mutex_destroy(&ctrl->ns_lock);
	pthread_mutex_destroy(&ctrl->timeout_lock);
	free(ctrl->fabric);
	free(ctrl->id_ctrl);
	free(ctrl);
	count_dec(COUNT_CTRLS);
}

static int allocate(struct nvme_ctrl **out, const struct nvme_ctrl_opts *opts)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static _Atomic uint32_t opened;
	struct nvme_ctrl *ctrl = calloc(1, sizeof(*ctrl));
	int err;

	pthread_once(&once, know_process);
	if (!ctrl)
		return err_set(-ENOMEM, "no memory for a controller");
	count_inc(COUNT_CTRLS);
	init_locks(ctrl);
	ctrl->transport = &nvme_pcie_ops;
	ctrl->pid = nvme_process;
	ctrl->number = atomic_fetch_add(&opened, 1) + 1;
	ctrl->mdts_bytes = UINT64_MAX;
	atomic_store(&ctrl->refs, 1);
	nvme_timeout_set(ctrl, NVME_CTRL_TIMEOUT_MS);
	if (opts)
		ctrl->opts = *opts;
	ctrl->id_ctrl = calloc(1, sizeof(*ctrl->id_ctrl));
	err = ctrl->id_ctrl ? 0 : err_set(-ENOMEM, "no memory for a controller");
	if (!err)
		err = nvme_event_init(ctrl);
	if (!err)
		err = nvme_aer_init(ctrl);
	if (err) {
		free_memory(ctrl);
		return err;
	}
	*out = ctrl;
	return 0;
}

int nvme_ctrl_alloc_adminq(struct nvme_ctrl *ctrl)
{
	unsigned int entries = ctrl->transport->admin_entries;
	struct nvme_qpair *q;
	int err;

	if (ctrl->adminq)
		return 0;
	/* As on every queue, one entry stays empty. */
	err = nvme_qpair_alloc(ctrl, 0, entries,
			       entries > NVME_ADMIN_CIDS ? NVME_ADMIN_CIDS : entries - 1, &q);
	if (err)
		return err;
	atomic_store(&q->state, NVME_QPAIR_DEAD);
	ctrl->adminq = q;
	err = nvme_aer_reserve(q);
	if (!err)
		nvme_qpair_rewind(q);
	return err;
}

/* The bus closes last: it is what keeps the device off our memory, should all else fail. */
static void destroy(struct nvme_ctrl *ctrl)
{
	if (ctrl->adminq) {
		pthread_mutex_lock(&ctrl->admin_lock);
		atomic_store(&ctrl->adminq->state, NVME_QPAIR_DEAD);
		nvme_qpair_drain(ctrl->adminq, NVME_SC_ABORTED_SQ_DELETION);
		pthread_mutex_unlock(&ctrl->admin_lock);
	}
	ctrl->transport->disconnect(ctrl);
	nvme_qpair_free_graves(ctrl);
	if (ctrl->adminq)
		nvme_qpair_free(ctrl->adminq);
	free_memory(ctrl);
}

static int bring_up(struct nvme_ctrl *ctrl, const char *addr)
{
	int err;

	err = ctrl->transport->connect(ctrl, addr);
	if (!err)
		err = nvme_ctrl_read_caps(ctrl);
	if (!err)
		err = nvme_ctrl_alloc_adminq(ctrl);
	if (!err)
		err = nvme_ctrl_init(ctrl);
	return err;
}

/* Queues and namespaces that an init of the caller's own has made keep it until they go. */
static void abandon(struct nvme_ctrl *ctrl)
{
	if (atomic_load(&ctrl->refs) > 1)
		nvme_ctrl_quiesce(ctrl, "it could not be initialised");
	if (ctrl->adminq)
		nvme_ctrl_write32(ctrl, NVME_REG_CC, 0);
	if (atomic_fetch_sub(&ctrl->refs, 1) == 1)
		destroy(ctrl);
}

static int open_common(struct nvme_ctrl **out, struct bus *bus, const char *addr,
		       const struct nvme_ctrl_opts *opts)
{
	struct nvme_ctrl *ctrl = NULL;
	int err;

	err = allocate(&ctrl, opts);
	if (err) {
		if (bus)
			bus_close(bus);
		return err;
	}
	ctrl->bus = bus;
	if (!bus && nvme_tcp_address_is(addr))
		ctrl->transport = &nvme_tcp_ops;
	snprintf(ctrl->addr, sizeof(ctrl->addr), "%s", addr);
	err = bring_up(ctrl, addr);
	if (err) {
		/* Best effort: what is said about the failure must stay the first error's text. */
		char text[ERR_TEXT_BYTES];

		snprintf(text, sizeof(text), "%s", err_text());
		abandon(ctrl);
		return err_set(err, "%s", text);
	}
	*out = ctrl;
	return 0;
}

int nvme_ctrl_open(struct nvme_ctrl **out, const char *addr, const struct nvme_ctrl_opts *opts)
{
	return open_common(out, NULL, *addr ? addr : "sim", opts);
}

int nvme_ctrl_open_bus(struct nvme_ctrl **out, struct bus *bus, const struct nvme_ctrl_opts *opts)
{
	return open_common(out, bus, bus->addr, opts);
}

struct nvme_ctrl *nvme_ctrl_get(struct nvme_ctrl *ctrl)
{
	atomic_fetch_add(&ctrl->refs, 1);
	return ctrl;
}

void nvme_ctrl_put(struct nvme_ctrl *ctrl)
{
	if (!ctrl || atomic_fetch_sub(&ctrl->refs, 1) != 1)
		return;
	if (ctrl->pid != nvme_process) {
		/* The parent's device, queues and recorder: only this process's own copy goes. */
		if (ctrl->adminq)
			nvme_qpair_free_copy(ctrl->adminq);
		free_memory(ctrl);
		return;
	}
	if (!atomic_load(&ctrl->failed) && !ctrl->down)
		nvme_ctrl_shutdown(ctrl, false);
	nvme_ctrl_disable(ctrl);
	destroy(ctrl);
}
