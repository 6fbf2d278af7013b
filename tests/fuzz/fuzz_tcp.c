// SPDX-License-Identifier: BSD-3-Clause
/*
 * What an NVMe/TCP target sends to a host: any bytes, cut anywhere, to a queue with commands in
 * flight.
 *
 * The first byte chooses digests and queue, the rest are records: a kind and a length, then bytes
 * as they are, or the fields of a PDU whose common header and digests are made to fit.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "input.h"
#include "link.h"
#include "nvme/event.h"

#define COMMANDS   8u
#define DATA_BYTES 24576u
#define GUARD	   0x5a
#define RECORDS	   64u
#define LATER_NS   UINT64_C(1000000)

static uint8_t memory[COMMANDS][DATA_BYTES + 64], out[1 << 17];

static const uint8_t types[] = { NVME_TCP_CAPSULE_RESP, NVME_TCP_C2H_DATA, NVME_TCP_R2T,
				 NVME_TCP_C2H_TERM_REQ, NVME_TCP_ICRESP };

/* A PDU that is right in all that the input does not say. */
static size_t make_pdu(const struct link *link, struct input *in, size_t room)
{
	uint8_t how = input_u8(in);
	uint32_t head = link->t->head_digest, tail = link->t->data_digest, crc;
	struct nvme_tcp_data pdu = { .ch = { .type = types[how % 5], .hlen = sizeof(pdu) } };
	uint8_t *data = out + sizeof(pdu) + head;

	input_bytes(in, &pdu.cccid, sizeof(pdu) - sizeof(pdu.ch));
	pdu.ch.flags = (uint8_t)(input_u8(in) & ~3u);
	pdu.ch.flags |= head ? NVME_TCP_FLAG_HDGST : 0;
	pdu.ch.plen = sizeof(pdu) + head;
	if (pdu.ch.type == NVME_TCP_C2H_DATA) {
		pdu.datal %= DATA_BYTES + 64;
		pdu.ch.flags |= tail ? NVME_TCP_FLAG_DDGST : 0;
		pdu.ch.pdo = (uint8_t)pdu.ch.plen;
		memset(data, how, pdu.datal);
		crc = crc32c(how & 0x80, data, pdu.datal);
		memcpy(data + pdu.datal, &crc, tail);
		pdu.ch.plen += pdu.datal + tail;
	}
	if (how & 0x40)
		input_bytes(in, &pdu.ch, sizeof(pdu.ch));
	memcpy(out, &pdu, sizeof(pdu));
	crc = crc32c(how & 0x20, out, sizeof(pdu));
	memcpy(out + sizeof(pdu), &crc, head);
	return pdu.ch.plen < room ? pdu.ch.plen : room;
}

static void submit_all(struct link *link)
{
	static const uint8_t opcodes[COMMANDS] = { NVME_CMD_READ,  NVME_CMD_READ, NVME_CMD_WRITE,
						   NVME_CMD_WRITE, NVME_CMD_READ, NVME_CMD_FLUSH,
						   NVME_CMD_WRITE, NVME_CMD_DSM };
	static const uint32_t bytes[COMMANDS] = { 512,	      4096, 4096,	8192,
						  DATA_BYTES, 0,    DATA_BYTES, 16 };

	for (unsigned int i = 0; i < COMMANDS; i++) {
		memset(memory[i] + bytes[i], GUARD, sizeof(memory[i]) - bytes[i]);
		link_submit(link, i, opcodes[i], bytes[i] ? memory[i] : NULL, bytes[i]);
	}
	nvme_qpair_ring(link->q);
}

static void check_guards(const struct link *link)
{
	for (unsigned int i = 0; i < COMMANDS; i++) {
		for (size_t at = link->reqs[i].data_bytes; at < sizeof(memory[i]); at++) {
			if (memory[i][at] != GUARD)
				abort();
		}
	}
}

/* The peer takes whatever comes, so that the host can go on. */
static void drink(const struct link *link)
{
	uint8_t bytes[4096];

	while (recv(link->peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void feed(struct link *link, size_t len, unsigned int cut)
{
	for (size_t at = 0; at < len;) {
		size_t n = cut && cut < len - at ? cut : len - at;
		ssize_t sent = send(link->peer, out + at, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		drink(link);
		nvme_qpair_poll(link->q, 1 + cut % 8, clock_now_ns() + LATER_NS);
		if (sent <= 0)
			return;
		at += (size_t)sent;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct link link;
	struct input in = { data, size };
	uint8_t how = input_u8(&in);
	struct nvme_event ev;

	link_open(&link, how & 4 ? 0 : 1, 32, how & 1 ? 4 : 0, how & 2 ? 4 : 0);
	/* The clock of the runs is the input's. */
	link.t->flow_control = how & 8;
	submit_all(&link);
	for (unsigned int i = 0; i < RECORDS && in.left && !link.t->lost; i++) {
		uint8_t kind = input_u8(&in);
		size_t len = kind & 0x80 ? input_u8(&in) : make_pdu(&link, &in, sizeof(out));

		if (kind & 0x80)
			input_bytes(&in, out, len);
		feed(&link, len, kind & 0x7f);
		check_guards(&link);
	}
	while (nvme_event_pop(link.ctrl, &ev, NULL) > 0)
		;
	link_close(&link);
	if (link.completed != COMMANDS)
		abort();
	return 0;
}
