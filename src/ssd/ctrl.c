/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/ctrl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "ssd/device.h"
#include "ssd/step.h"

#define DOORBELL_BYTES 0x1000u
#define SSD_CNTLID_END 0xfff0u /* above are reserved ones, and those that Connect means otherwise */

static int alloc_doorbells(struct ssd_ctrl *ctrl)
{
	void *p = mmap(NULL, DOORBELL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		return err_set(-ENOMEM, "sim: no memory for the doorbells");
	ctrl->doorbells = p;
	return 0;
}

int ssd_ctrl_init(struct ssd *ssd, struct ssd_ctrl *ctrl, uint16_t cntlid)
{
	int rc;

	ctrl->ssd = ssd;
	ctrl->cntlid = cntlid;
	rc = ctrl->fabrics ? 0 : alloc_doorbells(ctrl);
	if (rc)
		return rc;
	ssd_thermal_init(ctrl);
	ssd_features_reset(ctrl);
	ssd_feature_data_reset(ctrl);
	ssd_irq_init(ctrl);
	ssd_pci_init(ctrl);
	ssd_regs_init(ctrl);
	return 0;
}

void ssd_ctrl_fini(struct ssd_ctrl *ctrl)
{
	if (ctrl->doorbells)
		munmap((void *)ctrl->doorbells, DOORBELL_BYTES);
}

bool ssd_ctrl_ready(const struct ssd_ctrl *ctrl)
{
	uint32_t csts = ctrl->regs.csts;

	return NVME_GET(csts, CSTS_RDY) && !NVME_GET(csts, CSTS_CFS) &&
	       !NVME_GET(csts, CSTS_SHST) && ssd_pci_decodes(ctrl);
}

void ssd_update_running(struct ssd_ctrl *ctrl)
{
	ctrl->running = !ctrl->fabrics && ssd_ctrl_ready(ctrl) && ssd_pci_masters(ctrl);
}

struct ssd_ctrl *ssd_ctrl_find(struct ssd *ssd, uint16_t cntlid)
{
	struct ssd_ctrl *ctrl = &ssd->pcie;

	while (ctrl && ctrl->cntlid != cntlid)
		ctrl = ctrl->next;
	return ctrl;
}

bool ssd_ctrl_others(const struct ssd_ctrl *ctrl)
{
	for (const struct ssd_ctrl *other = &ctrl->ssd->pcie; other; other = other->next)
		if (other != ctrl && ssd_ctrl_ready(other))
			return true;
	return false;
}

volatile uint32_t *ssd_doorbells(struct ssd_ctrl *ctrl, size_t *bytes)
{
	*bytes = DOORBELL_BYTES;
	return ctrl->doorbells;
}

int ssd_exec(struct ssd_ctrl *ctrl, struct ssd_cmd *cmd, uint64_t now_ns)
{
	struct ssd *ssd = ctrl->ssd;
	struct ssd_ctx *c;

	ssd->now_ns = now_ns;
	if (!ssd->powered || ssd->removed)
		return -ENODEV;
	c = ssd_ctx_get(ssd);
	if (!c)
		return -EAGAIN;
	c->sqe = cmd->sqe;
	c->ctrl = ctrl;
	c->sq = NULL;
	c->ext = cmd;
	if (!cmd->sqid)
		c->flags |= SSD_CTX_ADMIN;
	else if (ctrl->watch & SSD_WATCH_POWER)
		c->latency_ns = ssd_power_use(ctrl);
	ssd->stats.commands++;
	ssd_execute(ssd, c);
	return 0;
}

/* Identifiers ascend, so that one that is stale is not soon another host's. */
static uint16_t next_cntlid(struct ssd *ssd)
{
	do {
		ssd->last_cntlid++;
		if (ssd->last_cntlid >= SSD_CNTLID_END)
			ssd->last_cntlid = SSD_CNTLID_PCIE + 1;
	} while (ssd_ctrl_find(ssd, ssd->last_cntlid));
	return ssd->last_cntlid;
}

int ssd_ctrl_create(struct ssd_ctrl **out, struct ssd *ssd, const struct ssd_fabrics *fabrics,
		    uint64_t now_ns)
{
	struct ssd_ctrl *ctrl, **link = &ssd->pcie.next;
	int rc;

	ssd->now_ns = now_ns;
	if (!ssd->powered || ssd->removed)
		return err_set(-ENODEV, "sim: without power");
	if (ssd->nctrls == SSD_CTRLS_MAX)
		return err_set(-EBUSY, "sim: %u hosts have a controller each", SSD_CTRLS_MAX);
	ctrl = calloc(1, sizeof(*ctrl));
	if (!ctrl)
		return err_set(-ENOMEM, "sim: no memory");
	ctrl->fabrics = fabrics;
	rc = ssd_ctrl_init(ssd, ctrl, next_cntlid(ssd));
	if (rc) {
		free(ctrl);
		return rc;
	}
	while (*link && (*link)->cntlid < ctrl->cntlid)
		link = &(*link)->next;
	ctrl->next = *link;
	*link = ctrl;
	ssd->nctrls++;
	ssd->shared = true;
	*out = ctrl;
	return 0;
}

void ssd_ctrl_destroy(struct ssd_ctrl *ctrl)
{
	struct ssd *ssd = ctrl->ssd;
	struct ssd_ctrl **link = &ssd->pcie.next;

	ssd_exec_forget(ctrl, -1);
	ssd_event_clear(&ssd->events, &ctrl->regs.enable);
	ssd_event_clear(&ssd->events, &ctrl->regs.shutdown);
	ssd_power_reset(ctrl);
	while (*link != ctrl)
		link = &(*link)->next;
	*link = ctrl->next;
	ssd->nctrls--;
	ssd_ctrl_fini(ctrl);
	free(ctrl);
}

uint16_t ssd_ctrl_id(const struct ssd_ctrl *ctrl)
{
	return ctrl->cntlid;
}

bool ssd_ctrl_lost(const struct ssd_ctrl *ctrl)
{
	return ctrl->lost;
}

unsigned int ssd_ctrl_queues(const struct ssd_ctrl *ctrl)
{
	uint32_t nq = ctrl->feat.current[NVME_FEAT_NUMBER_OF_QUEUES];
	uint32_t nsq = NVME_GET(nq, NQ_NSQ), ncq = NVME_GET(nq, NQ_NCQ);

	return (nsq < ncq ? nsq : ncq) + 1;
}

uint32_t ssd_ctrl_kato_ms(const struct ssd_ctrl *ctrl)
{
	return ctrl->feat.current[NVME_FEAT_KEEP_ALIVE_TIMER];
}

void ssd_ctrl_set_kato_ms(struct ssd_ctrl *ctrl, uint32_t kato_ms)
{
	ctrl->feat.current[NVME_FEAT_KEEP_ALIVE_TIMER] = ssd_kato_round_ms(kato_ms);
}

void ssd_ctrl_set_host_id(struct ssd_ctrl *ctrl, const uint8_t id[16])
{
	memcpy(&ctrl->featdata.host_id, id, sizeof(ctrl->featdata.host_id));
}

void ssd_ctrl_fail(struct ssd_ctrl *ctrl)
{
	ssd_fatal(ctrl);
}
