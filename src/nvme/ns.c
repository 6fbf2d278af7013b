/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns.c - namespaces: opened once a controller and shared, kept up to date with their format.
 *
 * ns_lock is never held while a command is under way: whoever completes one may need it.
 */
#include "nvme/ns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "nvme/cmd_admin.h"
#include "nvme/cmdlog/live.h"
#include "nvme/ctrl.h"
#include "nvme/ns_list.h"
#include "spec/identify.h"
#include "verify/verify.h"

static int identify(struct nvme_ctrl *ctrl, uint32_t nsid, struct nvme_id_ns *id,
		    uint32_t timeout_ms)
{
	struct nvme_req req = { 0 };

	nvme_cmd_identify(&req, id, NVME_CNS_NS, nsid);
	return nvme_admin_must(ctrl, &req, timeout_ms, "Identify Namespace");
}

/* Verification starts afresh with LBAs of another size or number. */
static void find_table(const struct nvme_ns *ns, struct nvme_ns_format *f)
{
	const struct nvme_ns_format *former = f->former;

	if (former && former->nlbas == f->nlbas && former->lba_bytes == f->lba_bytes) {
		f->verify = former->verify;
		return;
	}
	if (verify_create(&f->verify, f->nlbas, f->lba_bytes)) {
		log_warn("%s: namespace %u goes without verification: %s", ns->ctrl->addr, ns->nsid,
			 err_text());
		f->verify = NULL;
	}
}

static struct nvme_ns_format format_of(const struct nvme_id_ns *id)
{
	const struct nvme_lbaf *lbaf = &id->lbaf[nvme_flbas_index(id->flbas)];
	struct nvme_ns_format f = {
		.lba_bytes = 1u << lbaf->ds,
		.meta_bytes = lbaf->ms,
		.meta_interleaved = lbaf->ms && id->flbas & NVME_FLBAS_EXT,
		.pi_type = NVME_GET(id->dps, DPS_PIT),
		.pi_first = id->dps & NVME_DPS_FIRST,
		.nlbas = id->nsze,
	};

	f.stride_bytes = f.lba_bytes + (f.meta_interleaved ? f.meta_bytes : 0);
	return f;
}

static bool is_same(const struct nvme_ns_format *a, const struct nvme_ns_format *b)
{
	return a->lba_bytes == b->lba_bytes && a->meta_bytes == b->meta_bytes &&
	       a->meta_interleaved == b->meta_interleaved && a->pi_type == b->pi_type &&
	       a->pi_first == b->pi_first && a->nlbas == b->nlbas;
}

/* Under ns_lock, or before anybody else knows of @ns. */
static int apply(struct nvme_ns *ns, const struct nvme_id_ns *id)
{
	uint8_t ds = id->lbaf[nvme_flbas_index(id->flbas)].ds;
	struct nvme_ns_format *former = atomic_load(&ns->format), *f;

	if (!id->nsze)
		return err_set(-ENOENT, "%s: namespace %u is not active", ns->ctrl->addr, ns->nsid);
	if (ds < 9 || ds > 16)
		return err_set(-EPROTO, "%s: namespace %u claims LBAs of 2^%u bytes",
			       ns->ctrl->addr, ns->nsid, ds);
	f = malloc(sizeof(*f));
	if (!f)
		return err_set(-ENOMEM, "no memory for a namespace");
	*f = format_of(id);
	*ns->id_ns = *id;
	if (former && is_same(f, former)) {
		free(f);
		return 0;
	}
	f->former = former;
	find_table(ns, f);
	ns->slow = ns->locks || f->meta_bytes;
	atomic_store(&ns->format, f);
	return 0;
}

static void destroy(struct nvme_ns *ns)
{
	struct nvme_ns_format *f, *former;

	for (f = atomic_load(&ns->format); f; f = former) {
		former = f->former;
		if (f->verify && (!former || former->verify != f->verify))
			verify_destroy(f->verify);
		free(f);
	}
	free(ns->id_ns);
	free(ns);
}

static struct nvme_ns *find(struct nvme_ctrl *ctrl, uint32_t nsid)
{
	struct nvme_ns *ns = ctrl->namespaces;

	while (ns && ns->nsid != nsid)
		ns = ns->next;
	return ns;
}

/* Under ns_lock: the one that is open, or a new one. */
static int open_locked(struct nvme_ctrl *ctrl, uint32_t nsid, const struct nvme_id_ns *id,
		       struct nvme_ns **out)
{
	struct nvme_ns *ns = find(ctrl, nsid);
	int err = -ENOMEM;

	if (ns) {
		err = apply(ns, id);
		if (err)
			return err;
		ns->refs++;
		*out = ns;
		return 0;
	}
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return err_set(err, "no memory for a namespace");
	ns->ctrl = ctrl;
	ns->nsid = nsid;
	ns->refs = 1;
	ns->id_ns = calloc(1, sizeof(*ns->id_ns));
	err = ns->id_ns ? apply(ns, id) : err_set(err, "no memory for a namespace");
	if (err) {
		destroy(ns);
		return err;
	}
	nvme_ctrl_get(ctrl);
	ns->next = ctrl->namespaces;
	ctrl->namespaces = ns;
	*out = ns;
	return 0;
}

/* Under ns_lock: a controller that does not know how much it has, has what its namespaces have. */
static void note_capacity(struct nvme_ctrl *ctrl)
{
	uint64_t bytes = 0;

	for (const struct nvme_ns *ns = ctrl->namespaces; ns; ns = ns->next)
		bytes += nvme_ns_format(ns)->nlbas * nvme_ns_format(ns)->lba_bytes;
	nvme_cmdlog_capacity(ctrl, bytes);
}

int nvme_ns_open(struct nvme_ctrl *ctrl, uint32_t nsid, struct nvme_ns **out)
{
	struct nvme_id_ns *id;
	int err;

	if (!nsid || nsid > NVME_NSID_LIST_MAX + 1)
		return err_set(-ENOENT, "%s: there is no namespace %u", ctrl->addr, nsid);
	id = calloc(1, sizeof(*id));
	if (!id)
		return err_set(-ENOMEM, "no memory for a namespace");
	err = identify(ctrl, nsid, id, 0);
	/* A device that knows no such namespace says "invalid namespace or format". */
	if (err == -EPROTO)
		err_add("namespace %u", nsid);
	if (!err) {
		pthread_mutex_lock(&ctrl->ns_lock);
		err = open_locked(ctrl, nsid, id, out);
		if (!err)
			note_capacity(ctrl);
		pthread_mutex_unlock(&ctrl->ns_lock);
	}
	free(id);
	return err;
}

struct nvme_ns *nvme_ns_get(struct nvme_ns *ns)
{
	pthread_mutex_lock(&ns->ctrl->ns_lock);
	ns->refs++;
	pthread_mutex_unlock(&ns->ctrl->ns_lock);
	return ns;
}

void nvme_ns_put(struct nvme_ns *ns)
{
	struct nvme_ctrl *ctrl;
	struct nvme_ns **link;

	if (!ns)
		return;
	ctrl = ns->ctrl;
	/* After fork its locks and its table are another process's business. */
	if (ctrl->pid != nvme_process) {
		nvme_ctrl_put(ctrl);
		return;
	}
	pthread_mutex_lock(&ctrl->ns_lock);
	if (--ns->refs) {
		pthread_mutex_unlock(&ctrl->ns_lock);
		return;
	}
	for (link = &ctrl->namespaces; *link != ns; link = &(*link)->next)
		;
	*link = ns->next;
	pthread_mutex_unlock(&ctrl->ns_lock);
	destroy(ns);
	nvme_ctrl_put(ctrl);
}

static int refresh(struct nvme_ns *ns, uint32_t timeout_ms)
{
	struct nvme_id_ns *id = calloc(1, sizeof(*id));
	int err;

	if (!id)
		return err_set(-ENOMEM, "no memory for a namespace");
	err = identify(ns->ctrl, ns->nsid, id, timeout_ms);
	if (!err) {
		pthread_mutex_lock(&ns->ctrl->ns_lock);
		err = apply(ns, id);
		pthread_mutex_unlock(&ns->ctrl->ns_lock);
	}
	free(id);
	return err;
}

int nvme_ns_refresh(struct nvme_ns *ns)
{
	return refresh(ns, 0);
}

void nvme_ns_set_locks(struct nvme_ns *ns, bool on)
{
	pthread_mutex_lock(&ns->ctrl->ns_lock);
	ns->locks = on;
	ns->slow = ns->locks || nvme_ns_format(ns)->meta_bytes;
	pthread_mutex_unlock(&ns->ctrl->ns_lock);
}

/* --- all of a controller --- */

/* The open namespace that comes after @nsid in order of identifiers, referenced; NULL: none. */
static struct nvme_ns *get_after(struct nvme_ctrl *ctrl, uint32_t nsid)
{
	struct nvme_ns *best = NULL;

	pthread_mutex_lock(&ctrl->ns_lock);
	for (struct nvme_ns *ns = ctrl->namespaces; ns; ns = ns->next) {
		if (ns->nsid > nsid && (!best || ns->nsid < best->nsid))
			best = ns;
	}
	if (best)
		best->refs++;
	pthread_mutex_unlock(&ctrl->ns_lock);
	return best;
}

void nvme_ns_refresh_all(struct nvme_ctrl *ctrl, uint32_t timeout_ms)
{
	uint32_t nsid = 0;
	struct nvme_ns *ns;

	while ((ns = get_after(ctrl, nsid))) {
		nsid = ns->nsid;
		if (refresh(ns, timeout_ms) < 0)
			log_warn("%s: namespace %u keeps its old format: %s", ctrl->addr, nsid,
				 err_text());
		nvme_ns_put(ns);
	}
}

uint32_t nvme_ns_stride_of(struct nvme_ctrl *ctrl, uint32_t nsid, uint32_t cdw12)
{
	const struct nvme_ns *ns;
	uint32_t stride = 0;

	pthread_mutex_lock(&ctrl->ns_lock);
	ns = find(ctrl, nsid);
	if (ns)
		stride = nvme_ns_stride(nvme_ns_format(ns), cdw12);
	pthread_mutex_unlock(&ctrl->ns_lock);
	return stride;
}

void nvme_ns_forget(struct nvme_ctrl *ctrl, uint32_t nsid, uint64_t slba, uint64_t nlb)
{
	pthread_mutex_lock(&ctrl->ns_lock);
	for (struct nvme_ns *ns = ctrl->namespaces; ns; ns = ns->next) {
		const struct nvme_ns_format *f = nvme_ns_format(ns);

		if (f->verify && (nsid == NVME_NSID_ALL || nsid == ns->nsid))
			verify_unmap(f->verify, slba, nlb ? nlb : f->nlbas);
	}
	pthread_mutex_unlock(&ctrl->ns_lock);
}

void nvme_ns_flushed(struct nvme_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->ns_lock);
	for (struct nvme_ns *ns = ctrl->namespaces; ns; ns = ns->next) {
		struct verify_table *table = nvme_ns_format(ns)->verify;

		if (table)
			verify_flush_end(table, verify_flush_begin(table), true);
	}
	pthread_mutex_unlock(&ctrl->ns_lock);
}

void nvme_ns_power_lost(struct nvme_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->ns_lock);
	for (struct nvme_ns *ns = ctrl->namespaces; ns; ns = ns->next) {
		struct verify_table *table = nvme_ns_format(ns)->verify;

		if (table)
			verify_power_lost(table);
	}
	pthread_mutex_unlock(&ctrl->ns_lock);
}
