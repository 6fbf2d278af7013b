/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp_pdu.h - headers of PDUs that a host sends: what is allowed (TCP transport 1.1 section 3.6).
 *
 * Nothing here knows a connection: bytes and rules in, a verdict out.
 */
#ifndef PYNVME_TARGET_TCP_PDU_H
#define PYNVME_TARGET_TCP_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/tcp.h"

/* The longest header with its digest. */
#define TCP_HEAD_MAX (sizeof(struct nvme_tcp_icreq) + NVME_TCP_DIGEST_BYTES)

/**
 * struct tcp_rules - what was agreed, and where the connection is
 * @initialised: ICReq was answered
 * @in_capsule: data that a capsule may bring
 */
struct tcp_rules {
	bool initialised;
	bool hdgst;
	bool ddgst;
	uint32_t in_capsule;
};

/**
 * struct tcp_error - why a peer is told off
 * @fes: NVME_TCP_FES_*
 * @fei: byte of the header that is wrong; the header digest received; else reserved, 0
 */
struct tcp_error {
	uint16_t fes;
	uint32_t fei;
};

/**
 * tcp_pdu_check() - the common header, as soon as its 8 bytes are there
 * @head: bytes of header and header digest that follow from it, to be waited for
 * Return: true: go on; false: @error says what is wrong
 */
bool tcp_pdu_check(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch, uint32_t *head,
		   struct tcp_error *error);

/* The header digest behind @ch->hlen bytes, if it has one. */
bool tcp_pdu_digest_ok(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch);

/**
 * tcp_pdu_data() - where the data of a capsule or of H2CData is
 * @pad: bytes between what tcp_pdu_check() had waited for and the data
 * Return: bytes of data, without their digest; 0: none
 */
uint32_t tcp_pdu_data(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch, uint32_t *pad);

/* ICReq; its digests and alignment are for the caller. */
bool tcp_pdu_icreq_check(const struct nvme_tcp_icreq *req, struct tcp_error *error);

#endif
