/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * property.c - registers of a controller that has none: Property Get and Property Set.
 *
 * Without an association a controller is not enabled, and there is nobody to ask.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "nvme/tcp/fabric.h"
#include "spec/names.h"

static bool is_wide(uint32_t off)
{
	return off < 8 || (off >= 0x28 && off < 0x38) || (off >= 0x48 && off < 0x58);
}

/* Under admin_lock. */
static int property(struct nvme_ctrl *ctrl, uint8_t fctype, uint32_t off, int width, uint64_t *val)
{
	struct nvme_property_cmd cmd = {
		.opc = NVME_ADMIN_FABRICS,
		.fctype = fctype,
		.attrib = width == 8 ? NVME_PROPERTY_SIZE_8 : NVME_PROPERTY_SIZE_4,
		.ofst = off,
	};
	struct nvme_tcp_patience p = nvme_tcp_patience(atomic_load(&ctrl->timeout_ms));
	struct nvme_cqe cqe = { 0 };
	struct nvme_sqe sqe;
	int status;

	if (fctype == NVME_FCTYPE_PROPERTY_SET)
		cmd.value = *val;
	memcpy(&sqe, &cmd, sizeof(sqe));
	status = nvme_tcp_exec(ctrl->adminq, &sqe, NULL, 0, &p, &cqe);
	if (status > 0)
		status = err_set(-EPROTO, "%s of %xh: the target answered %02x/%02x (%s)",
				 nvme_fctype_name(fctype), off, (unsigned int)status >> 8,
				 (unsigned int)status & 0xff,
				 nvme_fabrics_status_name((uint16_t)status));
	if (status)
		err_add("%s", ctrl->addr);
	else if (fctype == NVME_FCTYPE_PROPERTY_GET)
		*val = cqe.cdw0 | (width == 8 ? (uint64_t)cqe.cdw1 << 32 : 0);
	return status;
}

/* Under admin_lock: 1 answered without anybody, 0 there is a connection, or an error. */
static int answer_alone(struct nvme_ctrl *ctrl, uint32_t off, uint64_t *val)
{
	if (nvme_tcp_of(ctrl->adminq)->fd >= 0)
		return 0;
	switch (off) {
	case NVME_REG_CAP:
		*val = ctrl->cap;
		return ctrl->cap ? 1 : nvme_tcp_associate(ctrl);
	case NVME_REG_CAP + 4:
		*val = ctrl->cap >> 32;
		return ctrl->cap ? 1 : nvme_tcp_associate(ctrl);
	case NVME_REG_CC:
	case NVME_REG_CSTS:
		*val = 0;
		return 1;
	}
	return nvme_tcp_associate(ctrl);
}

int nvme_tcp_reg_read(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t *val)
{
	bool half = width == 4 && is_wide(off);
	uint32_t from = half ? off & ~7u : off;
	int err;

	*val = UINT64_MAX;
	pthread_mutex_lock(&ctrl->admin_lock);
	err = answer_alone(ctrl, off, val);
	if (!err) {
		err = property(ctrl, NVME_FCTYPE_PROPERTY_GET, from, half ? 8 : width, val);
		if (!err && half)
			*val = off & 4 ? *val >> 32 : *val & UINT32_MAX;
	}
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err < 0 ? err : 0;
}

int nvme_tcp_reg_write(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t val)
{
	struct nvme_tcp_queue *t;
	int err = 0;

	pthread_mutex_lock(&ctrl->admin_lock);
	t = nvme_tcp_of(ctrl->adminq);
	if (t->fd < 0 && off == NVME_REG_CC && !NVME_GET(val, CC_EN)) {
		pthread_mutex_unlock(&ctrl->admin_lock);
		return 0;
	}
	if (t->fd < 0)
		err = nvme_tcp_associate(ctrl);
	if (!err)
		err = property(ctrl, NVME_FCTYPE_PROPERTY_SET, off, width, &val);
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err;
}
