/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Security Send and Receive, Directive Send and Receive.
 *
 * Security (Base 2.1 sections 5.1.23, 5.1.24): only protocol 00h, the information about what
 * there is (SPC-5): SPSP 0 the list of protocols, SPSP 1 the (empty) certificate.
 * Directives (sections 5.1.6, 5.1.7, 8.1.8): only Identify, which cannot be disabled.
 *
 *   Security	protocol not supported		00/02
 *   Directives	NSID invalid 00/0b (0 and FFFFFFFFh are the controller), inactive 00/02
 *		type, operation not supported	00/02
 */
#include <string.h>

#include "ssd/device.h"

#define SECP_INFO	  0x00u
#define INFO_PROTOCOLS	  0x0000u
#define INFO_CERTIFICATE  0x0001u
#define INFO_HEADER_BYTES 8

uint16_t ssd_admin_security_receive(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t spsp = NVME_GET(c->sqe.cdw10, SECURITY_SPSP);
	uint32_t room = c->sqe.cdw11;
	uint8_t out[512] = { 0 };

	c->error_loc = SSD_LOC(43, 0);
	if (NVME_GET(c->sqe.cdw10, SECURITY_SECP) != SECP_INFO || spsp > INFO_CERTIFICATE)
		return NVME_SC_INVALID_FIELD;
	if (spsp == INFO_PROTOCOLS)
		out[INFO_HEADER_BYTES - 1] = 1; /* length of the list: protocol 00h itself */
	c->error_loc = SSD_ERROR_LOC_NONE;
	return ssd_data_to_host(ssd, c, out, room < sizeof(out) ? room : sizeof(out));
}

uint16_t ssd_admin_security_send(struct ssd *ssd, struct ssd_ctx *c)
{
	c->error_loc = SSD_LOC(43, 0);
	return NVME_SC_INVALID_FIELD;
}

static uint32_t doper(const struct ssd_ctx *c)
{
	return NVME_GET(c->sqe.cdw11, DIRECTIVE_DOPER);
}

static uint16_t check_nsid(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t nsid = c->sqe.nsid;

	return nsid && nsid != NVME_NSID_ALL ? ssd_ns_check_active(ssd, c, nsid) : 0;
}

uint16_t ssd_admin_directive_receive(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t len = ((uint64_t)c->sqe.cdw10 + 1) * 4;
	uint64_t page[sizeof(struct nvme_directives) / 8 + 1] = { 0 };
	struct nvme_directives *d = (void *)page;
	uint16_t sc = check_nsid(ssd, c);

	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw11, DIRECTIVE_DTYPE) != NVME_DTYPE_IDENTIFY ||
	    doper(c) != NVME_DOPER_IDENTIFY_RETURN) {
		c->error_loc = SSD_LOC(44, 0);
		return NVME_SC_INVALID_FIELD;
	}
	d->supported[0] = 1u << NVME_DTYPE_IDENTIFY;
	d->enabled[0] = 1u << NVME_DTYPE_IDENTIFY;
	return ssd_data_to_host(ssd, c, d, len < sizeof(*d) ? len : sizeof(*d));
}

uint16_t ssd_admin_directive_send(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t type = NVME_GET(c->sqe.cdw12, DIRECTIVE_DTYPE);
	uint16_t sc = check_nsid(ssd, c);

	if (sc)
		return sc;
	/* Enable Directive: CDW12 bit 0 is what to do, 15:8 the type it is done to */
	if (NVME_GET(c->sqe.cdw11, DIRECTIVE_DTYPE) == NVME_DTYPE_IDENTIFY &&
	    doper(c) == NVME_DOPER_IDENTIFY_ENABLE && type == NVME_DTYPE_IDENTIFY &&
	    c->sqe.cdw12 & 1)
		return 0;
	c->error_loc = SSD_LOC(44, 0);
	return NVME_SC_INVALID_FIELD;
}
