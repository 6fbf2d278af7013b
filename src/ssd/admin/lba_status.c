/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Get LBA Status: NVM 1.1 section 4.2.1. Reports runs of uncorrectable LBAs; both actions scan,
 * so there is nothing that the cheaper one might miss.
 *
 *   NSID			00/0b, inactive 00/02
 *   ATYPE, MNDW		00/02
 *   SLBA			00/80
 *   Format, Sanitize		00/84, 00/1d
 */
#include <stdlib.h>
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define SCAN_MAX      (1u << 20) /* LBAs a command looks at */
#define CMPC_COMPLETE 1
#define CMPC_MORE     2

static bool spoiled(const struct ssd_ns *ns, uint64_t lba)
{
	return ns->media->ops->state(ns->media, lba) == SSD_LBA_UNCORRECTABLE;
}

/* Fill up to @max descriptors; returns the completion condition. */
static uint8_t scan(const struct ssd_ns *ns, uint64_t lba, uint64_t end,
		    struct nvme_lba_status_list *list, uint32_t max)
{
	uint64_t stop = end - lba > SCAN_MAX ? lba + SCAN_MAX : end;
	struct nvme_lba_status_desc *d = NULL;

	for (; lba < stop; lba++) {
		if (!spoiled(ns, lba)) {
			d = NULL;
			continue;
		}
		if (!d && list->nlsd == max)
			return CMPC_MORE;
		if (!d) {
			d = &list->desc[list->nlsd++];
			d->dslba = lba;
		}
		d->nlb++;
	}
	return stop == end ? CMPC_COMPLETE : CMPC_MORE;
}

uint16_t ssd_admin_lba_status(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t slba = (uint64_t)c->sqe.cdw11 << 32 | c->sqe.cdw10;
	uint64_t room = ((uint64_t)c->sqe.cdw12 + 1) * 4, length;
	uint32_t action = NVME_GET(c->sqe.cdw13, LBA_STATUS_ATYPE);
	struct nvme_lba_status_list *list;
	const struct ssd_ns *ns;
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);

	if (sc)
		return sc;
	ns = &ssd->ns[c->sqe.nsid - 1];
	if (action != NVME_LBA_STATUS_ATYPE_SCAN && action != NVME_LBA_STATUS_ATYPE_RETURN) {
		c->error_loc = SSD_LOC(55, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (room > ssd->mdts_bytes || room < sizeof(*list))
		return NVME_SC_INVALID_FIELD;
	if (slba >= ns->nsze)
		return NVME_SC_LBA_OUT_OF_RANGE;
	if (ns->not_ready)
		return ns->not_ready;
	list = calloc(1, room);
	if (!list)
		return NVME_SC_INTERNAL_ERROR;
	length = NVME_GET(c->sqe.cdw13, LBA_STATUS_RL);
	if (!length || length > ns->nsze - slba)
		length = ns->nsze - slba;
	list->cmpc = scan(ns, slba, slba + length, list,
			  (uint32_t)((room - sizeof(*list)) / sizeof(list->desc[0])));
	sc = ssd_data_to_host(ssd, c, list, room);
	free(list);
	return sc;
}
