/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outstanding.c - what every queue of this process waits for, said from a signal handler.
 *
 * A line is put together here and given to write(2): stdio has locks, and may allocate.
 */
#include "nvme/cmdlog/outstanding.h"

#include <string.h>
#include <unistd.h>

#include "nvme/cmdlog/format.h"
#include "spec/names.h"
#include "spec/opcode.h"

#define LINES_MAX 32u /* of a queue */

struct line {
	size_t len;
	char text[512];
};

static void put(struct line *line, const char *text)
{
	while (*text && line->len < sizeof(line->text) - 1)
		line->text[line->len++] = *text++;
}

/* At least @digits of them. */
static void put_number(struct line *line, uint64_t value, unsigned int base, unsigned int digits)
{
	char text[24], *at = text + sizeof(text) - 1;

	*at = '\0';
	for (unsigned int i = 0; i < digits || value; i++, value /= base)
		*--at = "0123456789abcdef"[value % base];
	put(line, at);
}

static void put_field(struct line *line, const char *name, uint64_t value, unsigned int base,
		      unsigned int digits)
{
	put(line, " ");
	put(line, name);
	put(line, ":");
	put_number(line, value, base, digits);
}

/* The last byte is the newline's. */
static void end(struct line *line, int fd)
{
	const char *at = line->text;

	line->text[line->len++] = '\n';
	while (line->len) {
		ssize_t n = write(fd, at, line->len);

		if (n <= 0)
			return;
		at += n;
		line->len -= (size_t)n;
	}
}

static bool is_aer(const struct nvme_cmdlog_slot *slot, const struct nvme_cmdlog_record *rec)
{
	return !slot->sqid && rec->sqe.opc == NVME_ADMIN_ASYNC_EVENT;
}

/* The oldest of the outstanding commands behind @last, by time and CID; false: there is none. */
static bool next_oldest(const struct nvme_cmdlog_slot *slot, struct nvme_cmdlog_record *last)
{
	const struct nvme_cmdlog_record *live = (const struct nvme_cmdlog_record *)(slot + 1);
	struct nvme_cmdlog_record rec, best = { 0 };

	for (uint32_t cid = 0; cid < slot->ncids; cid++) {
		if (!nvme_cmdlog_snapshot(&live[cid], &rec) || !rec.submit_ns ||
		    is_aer(slot, &rec) || nvme_cmdlog_newest_first(&rec, last) >= 0)
			continue;
		if (!best.submit_ns || nvme_cmdlog_newest_first(&best, &rec) < 0)
			best = rec;
	}
	*last = best;
	return best.submit_ns;
}

static void write_command(int fd, const struct nvme_cmdlog_slot *slot,
			  const struct nvme_cmdlog_record *rec, uint64_t now_ns)
{
	uint64_t us = now_ns > rec->submit_ns ? (now_ns - rec->submit_ns) / 1000 : 0;
	const struct nvme_sqe *sqe = &rec->sqe;
	struct line line = { 0 };

	put(&line, "  ");
	if (sqe->opc == NVME_ADMIN_FABRICS)
		put(&line, nvme_fctype_name(sqe->nsid & 0xff));
	else
		put(&line,
		    slot->sqid ? nvme_io_opcode_name(sqe->opc) : nvme_admin_opcode_name(sqe->opc));
	put(&line, " (");
	put_number(&line, sqe->opc, 16, 2);
	put(&line, ")");
	put_field(&line, "sqid", slot->sqid, 10, 1);
	put_field(&line, "cid", sqe->cid, 10, 1);
	put_field(&line, "nsid", sqe->nsid, 16, 1);
	put_field(&line, "cdw10", sqe->cdw10, 16, 8);
	put_field(&line, "cdw11", sqe->cdw11, 16, 8);
	put_field(&line, "cdw12", sqe->cdw12, 16, 8);
	put(&line, " => outstanding for ");
	put_number(&line, us / 1000000, 10, 1);
	put(&line, ".");
	put_number(&line, us % 1000000, 10, 6);
	put(&line, " s");
	end(&line, fd);
}

static void count(const struct nvme_cmdlog_slot *slot, unsigned int *commands, unsigned int *aers)
{
	const struct nvme_cmdlog_record *live = (const struct nvme_cmdlog_record *)(slot + 1);
	struct nvme_cmdlog_record rec;

	for (uint32_t cid = 0; cid < slot->ncids; cid++) {
		if (!nvme_cmdlog_snapshot(&live[cid], &rec) || !rec.submit_ns)
			continue;
		if (is_aer(slot, &rec))
			++*aers;
		else
			++*commands;
	}
}

static void write_queue(int fd, const struct nvme_cmdlog_slot *slot, uint64_t now_ns)
{
	struct nvme_cmdlog_record rec = { 0 };
	unsigned int commands = 0, aers = 0, n;
	struct line line = { 0 };

	count(slot, &commands, &aers);
	put(&line, slot->addr);
	put(&line, " qpair ");
	put_number(&line, slot->sqid, 10, 1);
	put(&line, ": ");
	put_number(&line, commands, 10, 1);
	put(&line, " outstanding");
	if (aers) {
		put(&line, ", and ");
		put_number(&line, aers, 10, 1);
		put(&line, " Asynchronous Event Requests");
	}
	end(&line, fd);
	for (n = 0; n < LINES_MAX && next_oldest(slot, &rec); n++)
		write_command(fd, slot, &rec, now_ns);
	if (commands > n) {
		line.len = 0;
		put(&line, "  and ");
		put_number(&line, commands - n, 10, 1);
		put(&line, " younger ones");
		end(&line, fd);
	}
}

void nvme_cmdlog_write_outstanding(int fd, uint64_t now_ns)
{
	const struct nvme_cmdlog_queue *log;

	for (log = nvme_cmdlog_slots(); log; log = log->next) {
		uint64_t edition = __atomic_load_n(&log->slot->edition, __ATOMIC_ACQUIRE);

		/* Not one that was never labelled, or that is at this moment. */
		if (edition && !(edition & 1) && !log->slot->closed_ns)
			write_queue(fd, log->slot, now_ns);
	}
}
