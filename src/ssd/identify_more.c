/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Identify of Namespace Management (CNS 10h..13h) and of I/O command sets (05h..08h, 1Ch).
 */
#include <string.h>

#include "ssd/device.h"
#include "ssd/identify.h"

uint16_t ssd_identify_allocated_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	struct nvme_ns_list *list = page;
	unsigned int n = 0;

	if (c->sqe.nsid > NVME_NSID_LIST_MAX)
		return NVME_SC_INVALID_NS;
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		if (ssd->ns[i].exists && i + 1 > c->sqe.nsid)
			list->nsid[n++] = i + 1;
	return 0;
}

uint16_t ssd_identify_allocated_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	if (!c->sqe.nsid || c->sqe.nsid > ssd->opts.ns)
		return NVME_SC_INVALID_NS;
	if (ssd->ns[c->sqe.nsid - 1].exists)
		ssd_identify_fill_ns(ssd, &ssd->ns[c->sqe.nsid - 1], page);
	return 0;
}

static uint16_t ctrl_list(const struct ssd_ctx *c, bool there, struct nvme_ctrl_list *list)
{
	if (there && SSD_CNTLID >= NVME_GET(c->sqe.cdw10, IDENTIFY_CNTID))
		list->cntlid[list->count++] = SSD_CNTLID;
	return 0;
}

uint16_t ssd_identify_ns_ctrl_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	if (!c->sqe.nsid || c->sqe.nsid > ssd->opts.ns)
		return NVME_SC_INVALID_NS;
	return ctrl_list(c, ssd->ns[c->sqe.nsid - 1].attached, page);
}

uint16_t ssd_identify_ctrl_list(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	return ctrl_list(c, true, page);
}

static uint16_t check_csi(const struct ssd_ctx *c)
{
	return NVME_GET(c->sqe.cdw11, IDENTIFY_CSI) == NVME_CSI_NVM ? 0 : NVME_SC_INVALID_IOCS;
}

/* The NVM command set's own fields are all zeros: no storage tags, 16-bit guards. */
uint16_t ssd_identify_iocs_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint16_t sc = check_csi(c);

	return sc ? sc : ssd_ns_check_active(ssd, c, c->sqe.nsid);
}

uint16_t ssd_identify_iocs_ctrl(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	struct nvme_id_ctrl_nvm *id = page;
	uint16_t sc = check_csi(c);

	if (sc)
		return sc;
	id->dmrl = 0xff;
	id->dmrsl = UINT32_MAX;
	return 0;
}

uint16_t ssd_identify_independent_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	struct nvme_id_independent_ns *id = page;
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);

	if (!sc)
		id->nstat = NVME_NSTAT_NRDY;
	return sc;
}

uint16_t ssd_identify_iocs(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	((struct nvme_id_iocs *)page)->vector[0] = 1u << NVME_CSI_NVM;
	return 0;
}
