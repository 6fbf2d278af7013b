/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * read.c - reading a slot, while its writer goes on writing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvme/cmdlog/format.h"

#define READ_TRIES 4

bool nvme_cmdlog_snapshot(const struct nvme_cmdlog_record *rec, struct nvme_cmdlog_record *out)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t seq = __atomic_load_n(&rec->seq, __ATOMIC_ACQUIRE);

		if (!seq)
			return false;
		if (seq & 1)
			continue;
		*out = *rec;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&rec->seq, __ATOMIC_RELAXED) == seq) {
			out->seq = seq;
			return true;
		}
	}
	return false;
}

int nvme_cmdlog_newest_first(const void *a, const void *b)
{
	const struct nvme_cmdlog_record *x = a, *y = b;

	if (x->submit_ns != y->submit_ns)
		return x->submit_ns < y->submit_ns ? 1 : -1;
	return (int)y->sqe.cid - (int)x->sqe.cid; /* a forged file may have it twice */
}

/* Outstanding commands into a list of their own, sorted. */
static struct nvme_cmdlog_record *outstanding(const struct nvme_cmdlog_record *live, uint32_t ncids,
					      unsigned int *count)
{
	struct nvme_cmdlog_record *list = malloc(((size_t)ncids + 1) * sizeof(*list));
	unsigned int n = 0;

	if (!list)
		return NULL;
	for (uint32_t cid = 0; cid < ncids; cid++) {
		if (!nvme_cmdlog_snapshot(&live[cid], &list[n]) || !list[n].submit_ns)
			continue;
		list[n].complete_ns = 0;
		n++;
	}
	qsort(list, n, sizeof(*list), nvme_cmdlog_newest_first);
	*count = n;
	return list;
}

static uint64_t newest_seq(const struct nvme_cmdlog_record *ring)
{
	uint64_t newest = 0;

	for (uint32_t i = 0; i < NVME_CMDLOG_RECORDS; i++) {
		uint64_t seq = __atomic_load_n(&ring[i].seq, __ATOMIC_ACQUIRE);

		if (!(seq & 1) && seq > newest)
			newest = seq;
	}
	return newest;
}

unsigned int nvme_cmdlog_collect(const struct nvme_cmdlog_record *live, uint32_t ncids,
				 const struct nvme_cmdlog_record *ring,
				 struct nvme_cmdlog_record *out, unsigned int max)
{
	unsigned int n = 0, nlive = 0;
	struct nvme_cmdlog_record *list = outstanding(live, ncids, &nlive);
	uint64_t newest = newest_seq(ring);

	for (; list && n < nlive && n < max; n++)
		out[n] = list[n];
	free(list);
	/* Completion number k carries sequence number 2 * (k + 1) and lies at k modulo the ring. */
	for (uint64_t k = newest / 2; k > 0 && newest / 2 - k < NVME_CMDLOG_RECORDS; k--) {
		if (n == max)
			break;
		if (nvme_cmdlog_snapshot(&ring[(k - 1) % NVME_CMDLOG_RECORDS], &out[n]) &&
		    out[n].seq == 2 * k)
			n++;
	}
	return n;
}

uint64_t nvme_cmdlog_process_start(int pid)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	const char *field;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	/* The second field is the name in parentheses, and may contain any of them. */
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, " %llu", &start) != 1)
		return 0;
	return start;
}

const char *nvme_cmdlog_dir(void)
{
	const char *dir = getenv("PYNVME_CMDLOG_DIR");

	return dir && *dir ? dir : "/dev/shm";
}
