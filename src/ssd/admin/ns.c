/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Namespace Management and Attachment: Base 2.1 sections 5.1.21 and 5.1.20, NVM 1.1 4.1.6.
 *
 *   Management	SEL reserved	00/02	Attachment	SEL reserved	00/02
 *   create	CSI not NVM	01/29			NSID invalid	00/0b
 *		LBA format, PI	01/0a			not allocated	00/02
 *		NSZE, NCAP	00/02			list		01/1c
 *		thin (NCAP)	01/1b	attach		attached	01/18
 *		no capacity	01/15	detach		not attached	01/1a
 *		no identifier	01/16
 *   delete	NSID invalid	00/0b
 *		not allocated	00/02
 *		being formatted	00/84
 */
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

void ssd_ns_changed(struct ssd *ssd, uint32_t nsid)
{
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		ctrl->nsid_changed |= 1ull << (nsid - 1);
	ssd_aer_raise_all(ssd, NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_NS_CHANGED,
			  NVME_LOG_CHANGED_NS);
}

static uint16_t check_create(const struct ssd *ssd, const struct nvme_id_ns *want,
			     const struct ssd_lbaf *f)
{
	uint8_t pi = want->dps & NVME_DPS_PIT_MASK;

	if (pi > 3 || (pi && f->ms_bytes < 8))
		return NVME_SC_INVALID_FORMAT;
	if (!want->nsze || want->ncap > want->nsze)
		return NVME_SC_INVALID_FIELD;
	if (want->ncap < want->nsze)
		return NVME_SC_THIN_PROVISIONING_NOT_SUPPORTED;
	if (want->nsze > ssd_ns_unallocated_bytes(ssd) / f->lba_bytes)
		return NVME_SC_NS_INSUFFICIENT_CAPACITY;
	return 0;
}

static uint16_t create(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t page[NVME_IDENTIFY_BYTES / 8];
	const struct nvme_id_ns *want = (const void *)page;
	struct ssd_lbaf lbaf[SSD_LBAF_MAX];
	unsigned int n = ssd_ns_lbafs(ssd, lbaf), index;
	struct ssd_ns *ns = NULL;
	uint16_t sc;

	if (NVME_GET(c->sqe.cdw11, NS_MGMT_CSI) != NVME_CSI_NVM)
		return NVME_SC_IOCS_NOT_SUPPORTED;
	sc = ssd_data_from_host(ssd, c, page, sizeof(page));
	if (sc)
		return sc;
	index = nvme_flbas_index(want->flbas);
	if (index >= n)
		return NVME_SC_INVALID_FORMAT;
	sc = check_create(ssd, want, &lbaf[index]);
	if (sc)
		return sc;
	for (uint32_t i = 0; i < ssd->opts.ns && !ns; i++)
		if (!ssd->ns[i].exists)
			ns = &ssd->ns[i];
	if (!ns)
		return NVME_SC_NSID_UNAVAILABLE;
	ns->bytes = want->nsze * lbaf[index].lba_bytes;
	if (ssd_ns_format(ssd, ns, (uint8_t)index, want->flbas & NVME_FLBAS_EXT,
			  want->dps & NVME_DPS_PIT_MASK, want->dps & NVME_DPS_FIRST)) {
		ns->bytes = 0;
		return NVME_SC_INTERNAL_ERROR;
	}
	ns->exists = true;
	c->cdw0 = ns->nsid;
	return 0;
}

static void detach(struct ssd *ssd, struct ssd_ns *ns)
{
	ns->attached = false;
	ssd_ns_update(ssd, ns);
	ssd_ns_changed(ssd, ns->nsid);
}

static void delete_one(struct ssd *ssd, struct ssd_ns *ns)
{
	if (!ns->exists)
		return;
	ssd_cache_forget(ssd, ns);
	if (ns->attached)
		detach(ssd, ns);
	ns->media->ops->erase(ns->media);
	ssd_media_destroy(ns->media);
	ns->media = NULL;
	ns->exists = false;
	ns->error_recovery = 0;
	memset(&ssd->ranges[ns->nsid - 1], 0, sizeof(ssd->ranges[0]));
	ns->nsze = 0;
	ns->ncap = 0;
	ns->bytes = 0;
}

/* Commands on namespaces that exist, attached or not. */
static uint16_t check_allocated(const struct ssd *ssd, struct ssd_ctx *c, uint32_t nsid)
{
	c->error_loc = SSD_LOC(4, 0);
	if (!nsid || nsid > ssd->opts.ns)
		return NVME_SC_INVALID_NS;
	if (!ssd->ns[nsid - 1].exists)
		return NVME_SC_INVALID_FIELD;
	c->error_loc = SSD_ERROR_LOC_NONE;
	return 0;
}

static uint16_t delete_ns(struct ssd *ssd, struct ssd_ctx *c)
{
	const uint32_t nsid = c->sqe.nsid;
	const bool all = nsid == NVME_NSID_ALL;
	uint16_t sc = all ? 0 : check_allocated(ssd, c, nsid);

	if (sc)
		return sc;
	if (all ? ssd->format.nsids : ssd_format_runs(&ssd->format, nsid))
		return NVME_SC_FORMAT_IN_PROGRESS;
	ssd_self_test_end(ssd, NVME_DST_RESULT_ABORTED_NS);
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		if (all || nsid == i + 1)
			delete_one(ssd, &ssd->ns[i]);
	return 0;
}

uint16_t ssd_admin_ns_management(struct ssd *ssd, struct ssd_ctx *c)
{
	switch (NVME_GET(c->sqe.cdw10, NS_MGMT_SEL)) {
	case NVME_NS_MGMT_CREATE:
		return create(ssd, c);
	case NVME_NS_MGMT_DELETE:
		return delete_ns(ssd, c);
	default:
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
}

uint16_t ssd_admin_ns_attachment(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t page[sizeof(struct nvme_ctrl_list) / 8];
	const struct nvme_ctrl_list *list = (const void *)page;
	uint32_t sel = NVME_GET(c->sqe.cdw10, NS_MGMT_SEL), nsid = c->sqe.nsid;
	struct ssd_ns *ns;
	uint16_t sc;

	if (sel > NVME_NS_DETACH) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	sc = check_allocated(ssd, c, nsid);
	if (!sc)
		sc = ssd_data_from_host(ssd, c, page, sizeof(page));
	if (sc)
		return sc;
	ns = &ssd->ns[nsid - 1];
	/* attached is attached to all controllers, named by any of them */
	if (list->count != 1 || !ssd_ctrl_find(ssd, list->cntlid[0]))
		return NVME_SC_CONTROLLER_LIST_INVALID;
	if (sel == NVME_NS_DETACH) {
		if (!ns->attached)
			return NVME_SC_NS_NOT_ATTACHED;
		detach(ssd, ns);
		return 0;
	}
	if (ns->attached)
		return NVME_SC_NS_ALREADY_ATTACHED;
	ns->attached = true;
	ssd_ns_update(ssd, ns);
	ssd_ns_changed(ssd, nsid);
	return 0;
}

/* Log page 04h: cleared by being read without RAE. */
uint16_t ssd_log_changed_ns(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_ns_list *l;
	unsigned int n = 0;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_ns_list *)log->data;
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		if (c->ctrl->nsid_changed >> i & 1)
			l->nsid[n++] = i + 1;
	return 0;
}
