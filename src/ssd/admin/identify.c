/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Identify: Base 2.1 section 5.1.13. CNS -> builder of the 4 KiB that go to the host.
 *
 *   CNS not supported			00/02
 *   00h	NSID 0 or above NN	00/0b; inactive: zeros; FFFFFFFFh: as namespace 1
 *   01h	ignores NSID
 *   02h 07h 10h 1Ah
 *	NSID FFFFFFFEh, FFFFFFFFh	00/0b
 *   03h	NSID invalid		00/0b, inactive 00/02
 *   05h 08h 11h 1Bh 1Fh
 *	NSID invalid			00/0b; inactive (05h 08h), not allocated: zeros
 *   12h	NSID invalid		00/0b; not allocated: an empty list
 *   05h 06h 07h 1Ah 1Bh
 *	CSI not NVM			01/2c
 */
#include <stdio.h>
#include <string.h>

#include "ssd/device.h"
#include "ssd/admin/identify.h"

#define NS_PER_MINUTE	     60000000000ull
#define NVMSR_STORAGE_DEVICE 0x1u /* an NVM subsystem that is a storage device */

static void pad(char *field, size_t len, const char *text)
{
	size_t n = strnlen(text, len);

	memset(field, ' ', len);
	memcpy(field, text, n);
}

static uint8_t log2_of(uint64_t v)
{
	return (uint8_t)__builtin_ctzll(v);
}

void ssd_identify_names(const struct ssd *ssd, char sn[20], char mn[40], char subnqn[256])
{
	pad(sn, 20, ssd->opts.sn);
	pad(mn, 40, ssd->opts.mn);
	snprintf(subnqn, 256, "%s", ssd->nqn);
}

static void fill_power(struct nvme_id_ctrl *id)
{
	memcpy(id->psd, ssd_power_states, sizeof(ssd_power_states));
	id->npss = SSD_NPSS;
	id->apsta = NVME_APSTA_SUPPORTED;
	id->wctemp = SSD_WCTEMP;
	id->cctemp = SSD_CCTEMP;
	id->hctma = NVME_HCTMA_SUPPORTED;
	id->mntmt = SSD_MNTMT;
	id->mxtmt = SSD_MXTMT;
}

static void fill_admin(const struct ssd *ssd, struct nvme_id_ctrl *id)
{
	id->oacs = NVME_OACS_SECURITY | NVME_OACS_FORMAT | NVME_OACS_FIRMWARE |
		   NVME_OACS_NS_MANAGEMENT | NVME_OACS_SELF_TEST | NVME_OACS_DIRECTIVES |
		   NVME_OACS_DBBUF | NVME_OACS_LBA_STATUS;
	id->frmw = (uint8_t)(NVME_SET(SSD_FW_SLOTS, FRMW_NOFS) | NVME_FRMW_NO_RESET);
	id->fwug = 0xff;
	id->lpa = NVME_LPA_EFFECTS | NVME_LPA_EXTENDED | NVME_LPA_TELEMETRY |
		  NVME_LPA_PERSISTENT_EVENT | NVME_LPA_MISC;
	id->pels = 1;
	id->edstt = (uint16_t)((ssd->opts.dst_extended_ns + NS_PER_MINUTE - 1) / NS_PER_MINUTE);
	id->dsto = NVME_DSTO_SINGLE;
	id->sanicap = ssd_sanitize_caps();
	id->hmpre = (uint32_t)(ssd->opts.hmpre_bytes / 4096);
	id->hmmin = id->hmpre;
	id->hmmaxd = id->hmpre ? SSD_HMB_ENTRIES : 0;
	id->elpe = SSD_ERROR_ENTRIES - 1;
}

/* What a host over fabrics does without, and what it needs to know (Base 2.1 figure 313). */
static void fill_fabrics(const struct ssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->cmic = NVME_CMIC_MULTI_PORT | NVME_CMIC_MULTI_CTRL;
	if (!ctrl->fabrics)
		return;
	id->oacs &= (uint16_t)~NVME_OACS_DBBUF;
	id->hmpre = 0;
	id->hmmin = 0;
	id->hmmaxd = 0;
	id->fuses = 0;
	id->acwu = 0;
	id->kas = SSD_KAS_MS / 100;
	id->ctratt |= NVME_CTRATT_TBKAS;
	id->maxcmd = ctrl->fabrics->maxcmd;
	id->sgls = (uint32_t)NVME_SET(1, SGLS_SUPPORT) | NVME_SGLS_OFFSET | NVME_SGLS_TRANSPORT;
	id->ioccsz = (uint32_t)(sizeof(struct nvme_sqe) + ctrl->fabrics->incapsule_bytes) / 16;
	id->iorcsz = sizeof(struct nvme_cqe) / 16;
	id->msdbd = 1;
	id->ofcs = NVME_OFCS_DISCONNECT;
}

static uint16_t identify_ctrl(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	const uint64_t bytes = ssd->opts.size_bytes * ssd->opts.ns;
	struct nvme_id_ctrl *id = page;

	id->vid = (uint16_t)ssd->opts.vid;
	id->ssvid = (uint16_t)ssd->opts.vid;
	ssd_identify_names(ssd, id->sn, id->mn, id->subnqn);
	memcpy(id->fr, ssd->fw.running, sizeof(id->fr));
	id->ver = (uint32_t)ssd->opts.version;
	fill_power(id);
	fill_admin(ssd, id);
	id->mdts = ssd->opts.mdts_bytes ? log2_of(ssd->opts.mdts_bytes / 4096) : 0;
	id->cntlid = c->ctrl->cntlid;
	id->rtd3r = 1000000;
	id->rtd3e = 1000000;
	id->ctratt = NVME_CTRATT_HIDS | NVME_CTRATT_NOPSPM;
	id->oaes = NVME_OAES_NS_ATTR | NVME_OAES_FW_ACTIVATION;
	if (ssd->opts.version >= NVME_VS(1, 4, 0)) {
		id->cntrltype = NVME_CNTRLTYPE_IO;
		id->nvmsr = NVMSR_STORAGE_DEVICE;
	}
	id->acl = 127;
	id->aerl = (uint8_t)ssd->opts.aerl;
	id->tnvmcap[0] = bytes;
	id->unvmcap[0] = ssd_ns_unallocated_bytes(ssd);
	id->sqes = NVME_IOSQES | NVME_IOSQES << 4;
	id->cqes = NVME_IOCQES | NVME_IOCQES << 4;
	id->nn = (uint32_t)ssd->opts.ns;
	id->oncs = NVME_ONCS_COMPARE | NVME_ONCS_WRITE_UNCORRECTABLE | NVME_ONCS_DSM |
		   NVME_ONCS_WRITE_ZEROES | NVME_ONCS_SAVE_SELECT | NVME_ONCS_VERIFY |
		   NVME_ONCS_COPY | NVME_ONCS_TIMESTAMP;
	id->fuses = ssd->opts.fuses ? NVME_FUSES_COMPARE_WRITE : 0;
	id->acwu = ssd->opts.fuses ? (uint16_t)ssd->opts.awupf : 0;
	id->vwc = ssd->opts.cache_bytes ?
			  NVME_VWC_PRESENT | NVME_SET(NVME_VWC_FLUSH_ALL_SUPPORTED, VWC_FNVMBV) :
			  0;
	id->awun = (uint16_t)ssd->opts.awupf;
	id->awupf = (uint16_t)ssd->opts.awupf;
	id->cdfs = 1;
	id->sgls = NVME_SET(1, SGLS_SUPPORT) | NVME_SGLS_BIT_BUCKET | NVME_SGLS_MPTR_SGL |
		   NVME_SGLS_LARGER;
	if (ssd->shared)
		fill_fabrics(c->ctrl, id);
	return 0;
}

static void fill_formats(const struct ssd *ssd, struct nvme_id_ns *id)
{
	struct ssd_lbaf lbaf[SSD_LBAF_MAX];
	unsigned int n = ssd_ns_lbafs(ssd, lbaf);

	id->nlbaf = (uint8_t)(n - 1);
	for (unsigned int i = 0; i < n; i++) {
		id->lbaf[i].ds = log2_of(lbaf[i].lba_bytes);
		id->lbaf[i].ms = (uint16_t)lbaf[i].ms_bytes;
		if (!lbaf[i].ms_bytes)
			continue;
		id->mc = NVME_MC_EXT | NVME_MC_SEPARATE;
		id->dpc = NVME_DPC_TYPE1 | NVME_DPC_TYPE2 | NVME_DPC_TYPE3 | NVME_DPC_FIRST |
			  NVME_DPC_LAST;
	}
}

void ssd_identify_fill_ns(struct ssd *ssd, const struct ssd_ns *ns, struct nvme_id_ns *id)
{
	id->nsze = ns->nsze;
	id->ncap = ns->ncap;
	id->nuse = ns->ncap;
	fill_formats(ssd, id);
	id->flbas = (uint8_t)(ns->lbaf | (ns->extended ? NVME_FLBAS_EXT : 0));
	id->dps = (uint8_t)(ns->pi_type | (ns->pi_first ? NVME_DPS_FIRST : 0));
	id->nsfeat = NVME_NSFEAT_DEALLOC;
	id->dlfeat = NVME_DLFEAT_READ_ZEROS | NVME_DLFEAT_WZ_DEAC;
	id->nvmcap[0] = ns->bytes;
	id->nmic = ssd->shared ? NVME_NMIC_SHARED : 0;
	id->fpi = ssd_identify_fpi(ssd, ns);
	id->mssrl = SSD_COPY_MSSRL;
	id->mcl = SSD_COPY_MCL;
	id->msrc = SSD_COPY_RANGES - 1;
	memcpy(id->nguid, ns->nguid, sizeof(id->nguid));
	memcpy(id->eui64, ns->eui64, sizeof(id->eui64));
}

static uint16_t identify_ns(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	uint32_t nsid = c->sqe.nsid == NVME_NSID_ALL ? 1 : c->sqe.nsid;
	const struct ssd_ns *ns;

	if (!nsid || nsid > ssd->opts.ns) {
		c->error_loc = SSD_LOC(4, 0);
		return NVME_SC_INVALID_NS;
	}
	ns = ssd_ns_active(ssd, nsid);
	if (ns)
		ssd_identify_fill_ns(ssd, ns, page);
	return 0;
}

static size_t add_desc(uint8_t *at, uint8_t nidt, const void *nid, uint8_t len)
{
	at[0] = nidt;
	at[1] = len;
	memcpy(at + sizeof(struct nvme_id_ns_desc), nid, len);
	return sizeof(struct nvme_id_ns_desc) + len;
}

static uint16_t identify_ns_descs(struct ssd *ssd, struct ssd_ctx *c, void *page)
{
	const uint8_t csi = NVME_CSI_NVM;
	const struct ssd_ns *ns;
	uint8_t *at = page;
	uint16_t sc;

	sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);
	if (sc)
		return sc;
	ns = &ssd->ns[c->sqe.nsid - 1];
	at += add_desc(at, NVME_NIDT_EUI64, ns->eui64, sizeof(ns->eui64));
	at += add_desc(at, NVME_NIDT_NGUID, ns->nguid, sizeof(ns->nguid));
	at += add_desc(at, NVME_NIDT_UUID, ns->uuid, sizeof(ns->uuid));
	add_desc(at, NVME_NIDT_CSI, &csi, sizeof(csi));
	return 0;
}

static ssd_identify_fn *const builders[256] = {
	[NVME_CNS_NS] = identify_ns,
	[NVME_CNS_CTRL] = identify_ctrl,
	[NVME_CNS_ACTIVE_NS_LIST] = ssd_identify_active_list,
	[NVME_CNS_NS_DESC_LIST] = identify_ns_descs,
	[NVME_CNS_IOCS_NS] = ssd_identify_iocs_ns,
	[NVME_CNS_IOCS_CTRL] = ssd_identify_iocs_ctrl,
	[NVME_CNS_IOCS_ACTIVE_NS_LIST] = ssd_identify_iocs_active_list,
	[NVME_CNS_INDEPENDENT_NS] = ssd_identify_independent_ns,
	[NVME_CNS_ALLOCATED_NS_LIST] = ssd_identify_allocated_list,
	[NVME_CNS_ALLOCATED_NS] = ssd_identify_allocated_ns,
	[NVME_CNS_NS_CTRL_LIST] = ssd_identify_ns_ctrl_list,
	[NVME_CNS_CTRL_LIST] = ssd_identify_ctrl_list,
	[NVME_CNS_IOCS_ALLOCATED_NS_LIST] = ssd_identify_iocs_allocated_list,
	[NVME_CNS_IOCS_ALLOCATED_NS] = ssd_identify_iocs_allocated_ns,
	[NVME_CNS_IOCS_INDEPENDENT_ALLOCATED_NS] = ssd_identify_independent_allocated_ns,
	[NVME_CNS_IOCS_COMBINATIONS] = ssd_identify_iocs,
};

uint16_t ssd_admin_identify(struct ssd *ssd, struct ssd_ctx *c)
{
	ssd_identify_fn *build = builders[NVME_GET(c->sqe.cdw10, IDENTIFY_CNS)];
	uint64_t page[NVME_IDENTIFY_BYTES / 8] = { 0 };
	uint16_t sc;

	if (!build) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	sc = build(ssd, c, page);
	return sc ? sc : ssd_data_to_host(ssd, c, page, sizeof(page));
}
