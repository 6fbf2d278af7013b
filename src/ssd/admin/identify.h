/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * identify.h - builders of Identify data, one a CNS; @page is 4 KiB of zeros.
 */
#ifndef PYNVME_SSD_ADMIN_IDENTIFY_H
#define PYNVME_SSD_ADMIN_IDENTIFY_H

#include <stdint.h>

#include "spec/identify.h"

struct ssd;
struct ssd_ctx;
struct ssd_ns;

typedef uint16_t ssd_identify_fn(struct ssd *ssd, struct ssd_ctx *c, void *page);

ssd_identify_fn ssd_identify_active_list;
ssd_identify_fn ssd_identify_allocated_list, ssd_identify_allocated_ns;
ssd_identify_fn ssd_identify_ns_ctrl_list, ssd_identify_ctrl_list;
ssd_identify_fn ssd_identify_iocs_ns, ssd_identify_iocs_ctrl;
ssd_identify_fn ssd_identify_iocs_active_list, ssd_identify_iocs_allocated_list;
ssd_identify_fn ssd_identify_iocs_allocated_ns, ssd_identify_iocs;
ssd_identify_fn ssd_identify_independent_ns, ssd_identify_independent_allocated_ns;

void ssd_identify_fill_ns(struct ssd *ssd, const struct ssd_ns *ns, struct nvme_id_ns *id);
/* Format Progress Indicator: supported, and what per cent is left. */
uint8_t ssd_identify_fpi(struct ssd *ssd, const struct ssd_ns *ns);
/* The fields that other places repeat. */
void ssd_identify_names(const struct ssd *ssd, char sn[20], char mn[40], char subnqn[256]);

#endif
