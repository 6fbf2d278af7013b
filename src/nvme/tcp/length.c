/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/length.h"

#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/ns_list.h"
#include "nvme/qpair.h"
#include "spec/fabrics.h"
#include "spec/features.h"
#include "spec/identify.h"

#define UNKNOWN UINT64_MAX

static uint64_t feature_length(const struct nvme_sqe *sqe)
{
	switch (NVME_GET(sqe->cdw10, FEAT_FID)) {
	case NVME_FEAT_LBA_RANGE:
		return (NVME_GET(sqe->cdw11, LBA_RANGE_NUM) + 1) * sizeof(struct nvme_lba_range);
	case NVME_FEAT_APST:
		return sizeof(struct nvme_apst);
	case NVME_FEAT_TIMESTAMP:
		return sizeof(struct nvme_timestamp);
	case NVME_FEAT_HOST_BEHAVIOR:
		return sizeof(struct nvme_host_behavior);
	case NVME_FEAT_HOST_ID:
		return sqe->cdw11 & NVME_HOSTID_EXHID ? 16 : 8;
	}
	return UNKNOWN;
}

static uint64_t admin_length(const struct nvme_sqe *sqe)
{
	switch (sqe->opc) {
	case NVME_ADMIN_IDENTIFY:
		return NVME_IDENTIFY_BYTES;
	case NVME_ADMIN_GET_LOG_PAGE:
		return ((NVME_GET(sqe->cdw11, LOG_NUMDU) << 16 | NVME_GET(sqe->cdw10, LOG_NUMDL)) +
			1) *
		       4;
	case NVME_ADMIN_GET_FEATURES:
	case NVME_ADMIN_SET_FEATURES:
		return feature_length(sqe);
	case NVME_ADMIN_FW_DOWNLOAD:
	case NVME_ADMIN_DIRECTIVE_SEND:
	case NVME_ADMIN_DIRECTIVE_RECEIVE:
		return ((uint64_t)sqe->cdw10 + 1) * 4;
	case NVME_ADMIN_SECURITY_SEND:
	case NVME_ADMIN_SECURITY_RECEIVE:
		return sqe->cdw11;
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_NS_ATTACHMENT:
		return NVME_IDENTIFY_BYTES;
	}
	return UNKNOWN;
}

static uint64_t io_length(const struct nvme_qpair *q, const struct nvme_req *req)
{
	const struct nvme_sqe *sqe = &req->sqe;
	uint32_t stride;

	switch (sqe->opc) {
	case NVME_CMD_READ:
	case NVME_CMD_WRITE:
	case NVME_CMD_COMPARE:
	case NVME_CMD_ZONE_APPEND:
		/* What a namespace made is as long as it says. */
		if (req->ns)
			return req->data_bytes;
		stride = nvme_ns_stride_of(q->ctrl, sqe->nsid, sqe->cdw12);
		return stride ? (NVME_GET(sqe->cdw12, RW_NLB) + 1) * stride : UNKNOWN;
	case NVME_CMD_DSM:
		return (NVME_GET(sqe->cdw10, DSM_NR) + 1) * sizeof(struct nvme_dsm_range);
	case NVME_CMD_COPY:
		return (NVME_GET(sqe->cdw12, COPY_NR) + 1) *
		       (NVME_GET(sqe->cdw12, COPY_DESFMT) & 1 ? sizeof(struct nvme_copy_range_ext) :
								sizeof(struct nvme_copy_range));
	case NVME_CMD_RESERVATION_REPORT:
	case NVME_CMD_ZONE_MGMT_RECEIVE:
		return ((uint64_t)(sqe->opc == NVME_CMD_RESERVATION_REPORT ? sqe->cdw10 :
									     sqe->cdw12) +
			1) *
		       4;
	case NVME_CMD_RESERVATION_REGISTER:
	case NVME_CMD_RESERVATION_ACQUIRE:
		return 16;
	case NVME_CMD_RESERVATION_RELEASE:
		return 8;
	}
	return UNKNOWN;
}

uint32_t nvme_tcp_length(const struct nvme_qpair *q, const struct nvme_req *req, int *exact)
{
	uint64_t bytes = q->sqid ? io_length(q, req) : admin_length(&req->sqe);

	*exact = bytes <= req->data_bytes;
	return *exact ? (uint32_t)bytes : req->data_bytes;
}

unsigned int nvme_tcp_direction(const struct nvme_req *req)
{
	const struct nvme_fabrics_cmd *cmd = (const struct nvme_fabrics_cmd *)&req->sqe;

	return nvme_opcode_dir(cmd->opc == NVME_ADMIN_FABRICS ? cmd->fctype : cmd->opc);
}
