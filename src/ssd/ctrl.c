/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/ctrl.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/err.h"
#include "ssd/device.h"
#include "ssd/step.h"

#define DOORBELL_BYTES 0x1000u

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
	rc = alloc_doorbells(ctrl);
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

void ssd_update_running(struct ssd_ctrl *ctrl)
{
	uint32_t csts = ctrl->regs.csts;

	ctrl->running = NVME_GET(csts, CSTS_RDY) && !NVME_GET(csts, CSTS_CFS) &&
			!NVME_GET(csts, CSTS_SHST) && ssd_pci_decodes(ctrl) &&
			ssd_pci_masters(ctrl);
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
		if (other != ctrl && other->running)
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
	ssd->stats.commands++;
	ssd_execute(ssd, c);
	return 0;
}
