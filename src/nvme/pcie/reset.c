/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reset.c - resets of a PCI function, and how one is found well or not.
 */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "bus/bus.h"
#include "bus/irq.h"
#include "bus/pci.h"
#include "nvme/pcie/pcie.h"
#include "nvme/time.h"

#define COMEBACK_MS 10000u /* of a device that reset its link */
#define POLL_NS	    UINT64_C(200000)

int nvme_pcie_health(struct nvme_ctrl *ctrl)
{
	struct bus *bus = ctrl->bus;
	uint32_t csts;

	if (nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts) < 0 || csts == NVME_REG_REMOVED)
		return -ENODEV;
	if (NVME_GET(csts, CSTS_CFS))
		return -EIO;
	return bus->ops->health && bus->ops->health(bus) < 0 ? -ENODEV : 0;
}

void nvme_pcie_why_gone(struct nvme_ctrl *ctrl, char *text, size_t len)
{
	snprintf(text, len, "the device is gone: its registers read all-ones");
}

static int bus_reset(struct nvme_ctrl *ctrl, enum bus_reset kind)
{
	int err;

	if (!ctrl->bus->ops->reset)
		return err_set(-EOPNOTSUPP, "%s: no such reset here", ctrl->addr);
	err = ctrl->bus->ops->reset(ctrl->bus, kind);
	if (!err)
		err = bus_irq_replay(ctrl->bus);
	return err;
}

/* A subsystem reset may take the link down and config space with it. */
static int subsystem_reset(struct nvme_ctrl *ctrl)
{
	struct nvme_deadline deadline;
	uint32_t csts = NVME_REG_REMOVED;
	int err;

	nvme_deadline_init(&deadline, nvme_time_now_ns(ctrl), COMEBACK_MS * UINT64_C(1000000));
	err = nvme_ctrl_write32(ctrl, NVME_REG_NSSR, NVME_NSSR_NSSRC);
	while (!err) {
		nvme_time_nap(ctrl, POLL_NS);
		pci_enable(ctrl->bus);
		err = nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts);
		if (err || csts != NVME_REG_REMOVED)
			break;
		if (nvme_deadline_passed(&deadline, nvme_time_now_ns(ctrl)))
			err = err_set(-ENODEV, "%s: gone since the subsystem reset, for %u ms",
				      ctrl->addr, COMEBACK_MS);
		else
			err = interrupt_check(ctrl->addr);
	}
	if (!err)
		err = bus_irq_replay(ctrl->bus);
	return err;
}

int nvme_pcie_reset(struct nvme_ctrl *ctrl, enum nvme_reset kind)
{
	switch (kind) {
	case NVME_RESET_CTRL:
		return nvme_ctrl_disable(ctrl);
	case NVME_RESET_FLR:
		return bus_reset(ctrl, BUS_RESET_FLR);
	case NVME_RESET_HOT:
		return bus_reset(ctrl, BUS_RESET_HOT);
	case NVME_RESET_SUBSYSTEM:
		return subsystem_reset(ctrl);
	}
	return err_set(-EINVAL, "no such reset: %d", (int)kind);
}

int nvme_pcie_wake(struct nvme_ctrl *ctrl)
{
	int err = pci_enable(ctrl->bus);

	if (!err)
		err = bus_irq_replay(ctrl->bus);
	return err;
}
