/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "spec/fabrics.h"
#include "spec/features.h"
#include "spec/identify.h"
#include "spec/logs.h"
#include "ssd/ssd.h"
#include "target/assoc.h"
#include "target/server.h"
#include "target/subsys.h"

#define VERSION	     NVME_VS(2, 1, 0)
#define MQES	     127u
#define GENCTR	     1 /* subsystems do not change while the target runs */
#define TO_500MS     1u
#define ADMIN_QUEUES 32 /* what a host should ask for there: entries */

uint64_t discovery_reg_read(const struct discovery *d, uint32_t off)
{
	switch (off) {
	case NVME_REG_CAP:
		return NVME_SET(MQES, CAP_MQES) | NVME_SET(1, CAP_CQR) |
		       NVME_SET(TO_500MS, CAP_TO) | NVME_SET(NVME_CAP_CSS_NVM, CAP_CSS);
	case NVME_REG_VS:
		return VERSION;
	case NVME_REG_CC:
		return d->cc;
	case NVME_REG_CSTS:
		return d->csts;
	default:
		return 0;
	}
}

void discovery_reg_write(struct discovery *d, uint32_t off, uint32_t val)
{
	if (off != NVME_REG_CC)
		return;
	if (NVME_GET(d->cc, CC_EN) && !NVME_GET(val, CC_EN)) {
		d->aen_config = 0;
		d->naers = 0;
	}
	d->cc = val;
	d->csts = NVME_GET(val, CC_EN) ? (uint32_t)NVME_FIELD_MASK(CSTS_RDY) : 0;
	if (NVME_GET(val, CC_SHN))
		d->csts |= (uint32_t)NVME_SET(NVME_CSTS_SHST_COMPLETE, CSTS_SHST);
}

bool discovery_ready(const struct discovery *d)
{
	return NVME_GET(d->csts, CSTS_RDY) && !NVME_GET(d->csts, CSTS_SHST);
}

/* To the host, whose room was made for it. */
static uint16_t give(struct ssd_cmd *cmd, const void *data, size_t len)
{
	if (!cmd->data_n || cmd->data->iov_len < len)
		return NVME_SC_SGL_INVALID_DATA_LENGTH;
	memcpy(cmd->data->iov_base, data, len);
	cmd->moved = len;
	return 0;
}

static uint16_t identify(const struct assoc *as, struct ssd_cmd *cmd)
{
	struct nvme_id_ctrl id = { .cntlid = as->cntlid };

	if (NVME_GET(cmd->sqe.cdw10, IDENTIFY_CNS) != NVME_CNS_CTRL)
		return NVME_SC_INVALID_FIELD;
	memset(id.sn, ' ', sizeof(id.sn));
	memset(id.mn, ' ', sizeof(id.mn));
	memset(id.fr, ' ', sizeof(id.fr));
	memcpy(id.mn, "pynvme discovery", 16);
	memcpy(id.fr, "1", 1);
	id.ver = VERSION;
	id.mdts = 5;
	id.oaes = NVME_OAES_DISCOVERY_CHANGE;
	id.ctratt = NVME_CTRATT_TBKAS;
	id.cntrltype = NVME_CNTRLTYPE_DISCOVERY;
	id.aerl = DISCOVERY_AERS - 1;
	id.lpa = NVME_LPA_EXTENDED;
	id.kas = SSD_KAS_MS / 100;
	id.maxcmd = MQES + 1;
	id.sgls = (uint32_t)NVME_SET(1, SGLS_SUPPORT) | NVME_SGLS_OFFSET | NVME_SGLS_TRANSPORT;
	id.ioccsz = sizeof(struct nvme_sqe) / 16;
	id.iorcsz = sizeof(struct nvme_cqe) / 16;
	id.msdbd = 1;
	memcpy(id.subnqn, NVME_DISCOVERY_NQN, sizeof(NVME_DISCOVERY_NQN));
	return give(cmd, &id, sizeof(id));
}

/* ASCII, padded with spaces. */
static void pad(char *field, size_t bytes, const char *text)
{
	size_t n = strnlen(text, bytes);

	memset(field, ' ', bytes);
	memcpy(field, text, n);
}

static void fill_entry(struct nvme_discovery_entry *e, const struct subsys *sub,
		       const char *address, const char *port, bool ipv6)
{
	e->trtype = NVME_TRTYPE_TCP;
	e->adrfam = ipv6 ? NVME_ADRFAM_IPV6 : NVME_ADRFAM_IPV4;
	e->subtype = NVME_SUBTYPE_NVM;
	e->treq = 2 | NVME_TREQ_NO_SQFLOW; /* no secure channel */
	e->portid = 1;
	e->cntlid = NVME_CNTLID_DYNAMIC;
	e->asqsz = ADMIN_QUEUES;
	pad(e->trsvcid, sizeof(e->trsvcid), port);
	pad(e->traddr, sizeof(e->traddr), address);
	memcpy(e->subnqn, sub->nqn, sizeof(e->subnqn));
	e->tsas[0] = NVME_TSAS_TCP_NONE;
}

/* Log page 70h; what a host asks beyond its end reads as zeros. */
static uint16_t get_log(const struct assoc *as, struct ssd_cmd *cmd, const char *address,
			const char *port, bool ipv6)
{
	const struct nvme_sqe *sqe = &cmd->sqe;
	uint64_t off = (uint64_t)sqe->cdw13 << 32 | sqe->cdw12, whole;
	uint64_t high = NVME_GET(sqe->cdw11, LOG_NUMDU);
	uint64_t want = (high << 16 | NVME_GET(sqe->cdw10, LOG_NUMDL)) * 4 + 4;
	unsigned int n = 0;
	struct nvme_discovery_log *log;

	if (NVME_GET(sqe->cdw10, LOG_LID) != NVME_LOG_DISCOVERY)
		return NVME_SC_INVALID_LOG_PAGE;
	while (server_subsys(as->target, n))
		n++;
	whole = sizeof(*log) + n * sizeof(log->entry[0]);
	if (off & 3 || off > whole)
		return NVME_SC_INVALID_FIELD;
	if (!cmd->data_n || cmd->data->iov_len < want)
		return NVME_SC_SGL_INVALID_DATA_LENGTH;
	log = calloc(1, whole);
	if (!log)
		return NVME_SC_INTERNAL_ERROR;
	log->genctr = GENCTR;
	log->numrec = n;
	for (unsigned int i = 0; i < n; i++)
		fill_entry(&log->entry[i], server_subsys(as->target, i), address, port, ipv6);
	memset(cmd->data->iov_base, 0, want);
	memcpy(cmd->data->iov_base, (char *)log + off, want < whole - off ? want : whole - off);
	cmd->moved = want;
	free(log);
	return 0;
}

/* 0Bh and 0Fh, one dword each. */
static uint16_t feature(struct discovery *d, struct ssd_cmd *cmd, bool set)
{
	uint8_t fid = (uint8_t)NVME_GET(cmd->sqe.cdw10, FEAT_FID);
	uint32_t *value = fid == NVME_FEAT_ASYNC_EVENT	    ? &d->aen_config :
			  fid == NVME_FEAT_KEEP_ALIVE_TIMER ? &d->kato_ms :
							      NULL;

	if (!value || (!set && NVME_GET(cmd->sqe.cdw10, FEAT_SEL) != NVME_SEL_CURRENT))
		return NVME_SC_INVALID_FIELD;
	if (set)
		*value = fid == NVME_FEAT_ASYNC_EVENT ? cmd->sqe.cdw11 :
							ssd_kato_round_ms(cmd->sqe.cdw11);
	else
		cmd->cqe.cdw0 = *value;
	return 0;
}

bool discovery_exec(struct assoc *as, struct ssd_cmd *cmd, const char *address, const char *port,
		    bool ipv6)
{
	struct discovery *d = &as->discovery;
	uint16_t sc = NVME_SC_INVALID_OPCODE;

	cmd->cqe = (struct nvme_cqe){ .cid = cmd->sqe.cid };
	switch (cmd->sqe.opc) {
	case NVME_ADMIN_IDENTIFY:
		sc = identify(as, cmd);
		break;
	case NVME_ADMIN_GET_LOG_PAGE:
		sc = get_log(as, cmd, address, port, ipv6);
		break;
	case NVME_ADMIN_SET_FEATURES:
	case NVME_ADMIN_GET_FEATURES:
		sc = feature(d, cmd, cmd->sqe.opc == NVME_ADMIN_SET_FEATURES);
		break;
	case NVME_ADMIN_KEEP_ALIVE:
		sc = 0;
		break;
	case NVME_ADMIN_ASYNC_EVENT:
		if (d->naers < DISCOVERY_AERS) {
			d->naers++;
			return false;
		}
		sc = NVME_SC_AER_LIMIT_EXCEEDED;
		break;
	default:
		break;
	}
	cmd->cqe.status = (uint16_t)((uint32_t)sc << NVME_STATUS_SC11_SHIFT);
	if (sc && sc != NVME_SC_AER_LIMIT_EXCEEDED)
		cmd->cqe.status |= (uint16_t)(NVME_STATUS_DNR_MASK << NVME_STATUS_DNR_SHIFT);
	return true;
}
