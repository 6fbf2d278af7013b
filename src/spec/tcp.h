/*
 * NVMe/TCP PDUs: NVMe over TCP Transport 1.0/1.1 section 3.6. All numbers little endian.
 */
#ifndef SPEC_TCP_H
#define SPEC_TCP_H

#include "spec/nvme.h"

enum nvme_tcp_pdu_type {
	NVME_TCP_ICREQ = 0x00,
	NVME_TCP_ICRESP = 0x01,
	NVME_TCP_H2C_TERM_REQ = 0x02,
	NVME_TCP_C2H_TERM_REQ = 0x03,
	NVME_TCP_CAPSULE_CMD = 0x04,
	NVME_TCP_CAPSULE_RESP = 0x05,
	NVME_TCP_H2C_DATA = 0x06,
	NVME_TCP_C2H_DATA = 0x07,
	NVME_TCP_R2T = 0x09,
};

/* nvme_tcp_ch.flags */
#define NVME_TCP_FLAG_HDGST   0x01u
#define NVME_TCP_FLAG_DDGST   0x02u
#define NVME_TCP_FLAG_LAST    0x04u /* data PDUs: last of its command (C2H) or R2T (H2C) */
#define NVME_TCP_FLAG_SUCCESS 0x08u /* C2HData: no response capsule follows */

/**
 * struct nvme_tcp_ch - common header
 * @hlen: bytes of header without its digest
 * @pdo:  offset of the data from the start of the PDU, 0 without data
 * @plen: bytes of the whole PDU, digests included
 */
struct nvme_tcp_ch {
	uint8_t type;
	uint8_t flags;
	uint8_t hlen;
	uint8_t pdo;
	uint32_t plen;
};
WIRE_SIZE(struct nvme_tcp_ch, 8);

/* dgst of ICReq and ICResp */
#define NVME_TCP_DGST_HEADER 0x1u
#define NVME_TCP_DGST_DATA   0x2u

struct nvme_tcp_icreq {
	struct nvme_tcp_ch ch;
	uint16_t pfv;
	uint8_t hpda; /* data alignment for C2H, dwords, zero based, 0..31 */
	uint8_t dgst;
	uint32_t maxr2t; /* R2Ts outstanding a command, zero based */
	uint8_t rsvd16[112];
};
WIRE_SIZE(struct nvme_tcp_icreq, 128);

struct nvme_tcp_icresp {
	struct nvme_tcp_ch ch;
	uint16_t pfv;
	uint8_t cpda; /* data alignment for H2C, dwords, zero based */
	uint8_t dgst;
	uint32_t maxh2cdata; /* bytes, a multiple of 4, at least 4096 */
	uint8_t rsvd16[112];
};
WIRE_SIZE(struct nvme_tcp_icresp, 128);

/* the header of the offending PDU follows, at most 128 bytes */
struct nvme_tcp_term_req {
	struct nvme_tcp_ch ch;
	uint16_t fes;	/* NVME_TCP_FES_* */
	uint8_t fei[4]; /* where, by fes */
	uint8_t rsvd14[10];
};
WIRE_SIZE(struct nvme_tcp_term_req, 24);

enum nvme_tcp_fes {
	NVME_TCP_FES_INVALID_HEADER = 0x01,
	NVME_TCP_FES_PDU_SEQUENCE = 0x02,
	NVME_TCP_FES_HEADER_DIGEST = 0x03,
	NVME_TCP_FES_DATA_OUT_OF_RANGE = 0x04,
	NVME_TCP_FES_LIMIT = 0x05, /* H2C: R2T limit exceeded, C2H: data transfer limit */
	NVME_TCP_FES_UNSUPPORTED_PARAM = 0x06,
};

#define NVME_TCP_TERM_REQ_DATA_MAX 128u
#define NVME_TCP_TERM_TIMEOUT_S	   30u

struct nvme_tcp_capsule_cmd {
	struct nvme_tcp_ch ch;
	struct nvme_sqe sqe;
};
WIRE_SIZE(struct nvme_tcp_capsule_cmd, 72);

struct nvme_tcp_capsule_resp {
	struct nvme_tcp_ch ch;
	struct nvme_cqe cqe;
};
WIRE_SIZE(struct nvme_tcp_capsule_resp, 24);

/* H2CData and C2HData; ttag is reserved in C2HData */
struct nvme_tcp_data {
	struct nvme_tcp_ch ch;
	uint16_t cccid;
	uint16_t ttag;
	uint32_t datao; /* bytes from the start of the command's data */
	uint32_t datal; /* bytes */
	uint8_t rsvd20[4];
};
WIRE_SIZE(struct nvme_tcp_data, 24);

struct nvme_tcp_r2t {
	struct nvme_tcp_ch ch;
	uint16_t cccid;
	uint16_t ttag;
	uint32_t r2to; /* bytes */
	uint32_t r2tl; /* bytes */
	uint8_t rsvd20[4];
};
WIRE_SIZE(struct nvme_tcp_r2t, 24);

#define NVME_TCP_DIGEST_BYTES	       4u
#define NVME_TCP_ADMIN_INCAPSULE_BYTES 8192u /* of admin and fabrics commands, always supported */
#define NVME_TCP_MAXH2CDATA_MIN	       4096u
#define NVME_TCP_PDA_MAX	       31u

#endif
