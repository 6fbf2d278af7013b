/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/tcp_pdu.h"

#include <string.h>

#include "base/crc32c.h"

/* Bytes of the common header that FEI points at. */
enum field { FIELD_TYPE = 0, FIELD_FLAGS = 1, FIELD_HLEN = 2, FIELD_PDO = 3, FIELD_PLEN = 4 };

static bool wrong(struct tcp_error *error, uint16_t fes, uint32_t fei)
{
	*error = (struct tcp_error){ fes, fei };
	return false;
}

/* Header length of the types that a host sends; 0: it sends no such thing. */
static uint8_t header_bytes(uint8_t type)
{
	switch (type) {
	case NVME_TCP_ICREQ:
		return sizeof(struct nvme_tcp_icreq);
	case NVME_TCP_H2C_TERM_REQ:
		return sizeof(struct nvme_tcp_term_req);
	case NVME_TCP_CAPSULE_CMD:
		return sizeof(struct nvme_tcp_capsule_cmd);
	case NVME_TCP_H2C_DATA:
		return sizeof(struct nvme_tcp_data);
	default:
		return 0;
	}
}

/* Only capsules and data have digests; ICReq and TermReq never. */
static bool has_digests(uint8_t type)
{
	return type == NVME_TCP_CAPSULE_CMD || type == NVME_TCP_H2C_DATA;
}

/* The types with data: how much, and where it begins. */
static bool check_data(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch, uint32_t head,
		       struct tcp_error *error)
{
	uint32_t most = ch->type == NVME_TCP_H2C_DATA ? UINT32_MAX : rules->in_capsule, data;
	bool any = ch->plen > head;

	if (ch->plen < head)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PLEN);
	if (!any && ch->type == NVME_TCP_H2C_DATA)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PLEN);
	if (any && (ch->pdo < head || ch->pdo & 3 || ch->pdo >= ch->plen))
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PDO);
	if (rules->ddgst && any != !!(ch->flags & NVME_TCP_FLAG_DDGST))
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_FLAGS);
	if (!rules->ddgst && ch->flags & NVME_TCP_FLAG_DDGST)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_FLAGS);
	if (!any)
		return true;
	data = ch->plen - ch->pdo;
	if (rules->ddgst && data <= NVME_TCP_DIGEST_BYTES)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PLEN);
	data -= rules->ddgst ? NVME_TCP_DIGEST_BYTES : 0;
	if (data > most)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PLEN);
	return true;
}

bool tcp_pdu_check(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch, uint32_t *head,
		   struct tcp_error *error)
{
	uint8_t hlen = header_bytes(ch->type);

	if (!hlen)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_TYPE);
	if (rules->initialised ? ch->type == NVME_TCP_ICREQ :
				 ch->type != NVME_TCP_ICREQ && ch->type != NVME_TCP_H2C_TERM_REQ)
		return wrong(error, NVME_TCP_FES_PDU_SEQUENCE, FIELD_TYPE);
	if (ch->hlen != hlen)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_HLEN);
	*head = hlen;
	if (!has_digests(ch->type)) {
		uint32_t most =
			hlen + (ch->type == NVME_TCP_H2C_TERM_REQ ? NVME_TCP_TERM_REQ_DATA_MAX : 0);

		if (ch->plen < hlen || ch->plen > most)
			return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_PLEN);
		return true;
	}
	if (rules->hdgst != !!(ch->flags & NVME_TCP_FLAG_HDGST))
		return wrong(error, NVME_TCP_FES_INVALID_HEADER, FIELD_FLAGS);
	if (rules->hdgst)
		*head += NVME_TCP_DIGEST_BYTES;
	return check_data(rules, ch, *head, error);
}

bool tcp_pdu_digest_ok(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch)
{
	uint32_t sent;

	if (!rules->hdgst || !has_digests(ch->type))
		return true;
	memcpy(&sent, (const uint8_t *)ch + ch->hlen, sizeof(sent));
	return sent == crc32c(0, ch, ch->hlen);
}

uint32_t tcp_pdu_data(const struct tcp_rules *rules, const struct nvme_tcp_ch *ch, uint32_t *pad)
{
	uint32_t head = ch->hlen + (rules->hdgst ? NVME_TCP_DIGEST_BYTES : 0);

	if (ch->plen == head)
		return 0;
	*pad = ch->pdo - head;
	return ch->plen - ch->pdo - (rules->ddgst ? NVME_TCP_DIGEST_BYTES : 0);
}

bool tcp_pdu_icreq_check(const struct nvme_tcp_icreq *req, struct tcp_error *error)
{
	if (req->pfv)
		return wrong(error, NVME_TCP_FES_UNSUPPORTED_PARAM,
			     offsetof(struct nvme_tcp_icreq, pfv));
	if (req->hpda > NVME_TCP_PDA_MAX)
		return wrong(error, NVME_TCP_FES_INVALID_HEADER,
			     offsetof(struct nvme_tcp_icreq, hpda));
	if (req->dgst & ~(NVME_TCP_DGST_HEADER | NVME_TCP_DGST_DATA))
		return wrong(error, NVME_TCP_FES_INVALID_HEADER,
			     offsetof(struct nvme_tcp_icreq, dgst));
	return true;
}
