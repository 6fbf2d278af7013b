/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Identify beyond the four that every drive has: lists of namespaces, Namespace Management
 * (CNS 10h..13h) and I/O command sets (05h..08h, 1Ah..1Ch, 1Fh). What they check is said in
 * admin_identify.c.
 */
#include <string.h>

#include "ssd/device.h"
#include "ssd/admin/identify.h"

#define FPI_SUPPORTED 0x80u

static uint16_t check_csi(struct ssd_ctx *c)
{
	if (NVME_GET(c->sqe.cdw11, IDENTIFY_CSI) == NVME_CSI_NVM)
		return 0;
	c->error_loc = SSD_LOC(47, 0);
	return NVME_SC_INVALID_IOCS;
}

static uint16_t check_nsid(const struct ssd *ssd, struct ssd_ctx *c)
{
	if (c->sqe.nsid && c->sqe.nsid <= ssd->opts.ns)
		return 0;
	c->error_loc = SSD_LOC(4, 0);
	return NVME_SC_INVALID_NS;
}

/* Namespaces above the command's NSID, in order. */
static uint16_t list_ns(struct ssd *ssd, struct ssd_ctx *c, struct nvme_ns_list *list,
			bool attached_only)
{
	unsigned int n = 0;

	if (c->sqe.nsid > NVME_NSID_LIST_MAX) {
		c->error_loc = SSD_LOC(4, 0);
		return NVME_SC_INVALID_NS;
	}
	for (uint32_t i = 0; i < SSD_NS_MAX; i++) {
		const struct ssd_ns *ns = &ssd->ns[i];

		if (ns->nsid > c->sqe.nsid && (attached_only ? ns->attached : ns->exists))
			list->nsid[n++] = ns->nsid;
	}
	return 0;
}

uint16_t ssd_identify_active_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return list_ns(ssd, c, page, true);
}

uint16_t ssd_identify_allocated_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return list_ns(ssd, c, page, false);
}

uint16_t ssd_identify_iocs_active_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_csi(c);

	return sc ? sc : list_ns(ssd, c, page, true);
}

uint16_t ssd_identify_iocs_allocated_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_csi(c);

	return sc ? sc : list_ns(ssd, c, page, false);
}

uint16_t ssd_identify_allocated_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_nsid(ssd, c);

	if (!sc && ssd->ns[c->sqe.nsid - 1].exists)
		ssd_identify_fill_ns(ssd, &ssd->ns[c->sqe.nsid - 1], page);
	return sc;
}

/* In order of their identifiers; ssd->pcie is followed by the others in order of theirs. */
static uint16_t ctrl_list(struct ssd *ssd, const struct ssd_ctx *c, bool there,
			  struct nvme_ctrl_list *list)
{
	for (const struct ssd_ctrl *ctrl = &ssd->pcie; ctrl && there; ctrl = ctrl->next)
		if (ctrl->cntlid >= NVME_GET(c->sqe.cdw10, IDENTIFY_CNTID))
			list->cntlid[list->count++] = ctrl->cntlid;
	return 0;
}

uint16_t ssd_identify_ns_ctrl_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_nsid(ssd, c);

	return sc ? sc : ctrl_list(ssd, c, ssd->ns[c->sqe.nsid - 1].attached, page);
}

uint16_t ssd_identify_ctrl_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return ctrl_list(ssd, c, true, page);
}

/* The NVM command set's own fields are all zeros: no storage tags, 16-bit guards. */
uint16_t ssd_identify_iocs_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_csi(c);

	return sc ? sc : check_nsid(ssd, c);
}

uint16_t ssd_identify_iocs_allocated_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return ssd_identify_iocs_ns(ssd, c, page);
}

/* And so are the controller's: no limits of its own on sizes and ranges. */
uint16_t ssd_identify_iocs_ctrl(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return check_csi(c);
}

uint8_t ssd_identify_fpi(struct ssd *ssd, const struct ssd_ns *ns)
{
	uint8_t left = 0;

	if (ns->not_ready == NVME_SC_FORMAT_IN_PROGRESS)
		left = (uint8_t)(100 - ssd_background_done(ssd, &ssd->format.bg, 100));
	return FPI_SUPPORTED | left;
}

static uint16_t independent(struct ssd *ssd, const struct ssd_ns *ns, bool there,
			    struct nvme_id_independent_ns *id)
{
	if (!there)
		return 0;
	id->fpi = ssd_identify_fpi(ssd, ns);
	id->nstat = ns->not_ready ? 0 : NVME_NSTAT_NRDY;
	return 0;
}

uint16_t ssd_identify_independent_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_nsid(ssd, c);
	const struct ssd_ns *ns = &ssd->ns[sc ? 0 : c->sqe.nsid - 1];

	return sc ? sc : independent(ssd, ns, ns->attached, page);
}

uint16_t ssd_identify_independent_allocated_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_nsid(ssd, c);
	const struct ssd_ns *ns = &ssd->ns[sc ? 0 : c->sqe.nsid - 1];

	return sc ? sc : independent(ssd, ns, ns->exists, page);
}

uint16_t ssd_identify_iocs(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	((struct nvme_id_iocs *)page)->vector[0] = 1u << NVME_CSI_NVM;
	return 0;
}
