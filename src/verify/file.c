/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.c - a table in a file: a head, the groups in use, a CRC over both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "verify/table.h"
#include "verify/verify.h"

#define MAGIC	"pynvme verified"
#define VERSION 1u

/* Little endian, no holes. */
struct head {
	char magic[16];
	uint32_t version;
	uint32_t lba_bytes;
	uint64_t nlbas;
	uint64_t next_token;
	uint64_t ngroups;
};

struct record {
	uint64_t group;
	uint32_t crc[VERIFY_GROUP_LBAS];
	uint8_t durable[VERIFY_GROUP_LBAS / 8];
};

_Static_assert(sizeof(struct head) == 48, "head of a saved table");
_Static_assert(sizeof(struct record) == 8 + 4096 + 128, "record of a saved table");

static int write_all(int fd, const void *data, size_t bytes, uint32_t *crc)
{
	const uint8_t *at = data;

	*crc = crc32c(*crc, data, bytes);
	while (bytes) {
		ssize_t n = write(fd, at, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(-errno, "writing verification data: %s", strerror(errno));
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, void *data, size_t bytes, uint32_t *crc)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = read(fd, (uint8_t *)data + done, bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(-errno, "reading verification data: %s", strerror(errno));
		if (!n)
			return err_set(-EINVAL, "verification data ends too early");
		done += (size_t)n;
	}
	*crc = crc32c(*crc, data, bytes);
	return 0;
}

/* A copy of one group. What is in flight is unknown to whoever loads it. */
static void record_fill(const struct verify_table *t, uint64_t group, struct record *r)
{
	uint64_t lba = group << VERIFY_GROUP_SHIFT;

	memset(r, 0, sizeof(*r));
	r->group = group;
	for (uint32_t i = 0; i < VERIFY_GROUP_LBAS; i++) {
		uint32_t life = verify_life_get(t, lba + i);

		if (life == VERIFY_LIFE_INFLIGHT)
			continue;
		r->crc[i] = atomic_load_explicit(&t->crc[lba + i], memory_order_relaxed);
		if (life == VERIFY_LIFE_DURABLE)
			r->durable[i / 8] |= (uint8_t)(1u << (i % 8));
	}
}

/* Groups that come into use meanwhile are not saved, those that go are saved as unknown. */
static uint64_t *used_groups(struct verify_table *t, uint64_t *count)
{
	uint64_t room = atomic_load(&t->ngroups_used), n = 0;
	uint64_t *list = malloc((room + 1) * sizeof(*list));

	if (!list)
		return NULL;
	for (uint64_t g = 0; (g = verify_next_group(t, g)) < t->ngroups && n < room; g++)
		list[n++] = g;
	*count = n;
	return list;
}

int verify_save(struct verify_table *t, int fd)
{
	struct head head = {
		.magic = MAGIC,
		.version = VERSION,
		.lba_bytes = t->lba_bytes,
		.nlbas = t->nlbas,
	};
	uint32_t crc = 0, unused = 0;
	uint64_t *groups;
	struct record r;
	int err;

	pthread_mutex_lock(&t->mutex);
	verify_settle(t);
	pthread_mutex_unlock(&t->mutex);
	groups = used_groups(t, &head.ngroups);
	if (!groups)
		return err_set(-ENOMEM, "no memory");
	head.next_token = atomic_load(&verify_next_token);
	err = write_all(fd, &head, sizeof(head), &crc);
	for (uint64_t i = 0; !err && i < head.ngroups; i++) {
		record_fill(t, groups[i], &r);
		err = write_all(fd, &r, sizeof(r), &crc);
	}
	free(groups);
	return err ? err : write_all(fd, &crc, sizeof(crc), &unused);
}

static int head_check(const struct verify_table *t, const struct head *head)
{
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) || head->version != VERSION)
		return err_set(-EINVAL, "not a file of verification data");
	if (head->lba_bytes != t->lba_bytes || head->nlbas != t->nlbas)
		return err_set(
			-EINVAL,
			"verification data of %llu LBAs of %u bytes, the namespace has %llu of %u",
			(unsigned long long)head->nlbas, head->lba_bytes,
			(unsigned long long)t->nlbas, t->lba_bytes);
	if (head->ngroups > t->ngroups)
		return err_set(-EINVAL, "verification data is damaged");
	return 0;
}

static int record_apply(struct verify_table *t, const struct record *r)
{
	uint64_t slba = r->group << VERIFY_GROUP_SHIFT;
	uint32_t n = verify_group_part(t, slba, VERIFY_GROUP_LBAS);

	if (!verify_group_used(t, slba) && !verify_group_take(t, slba))
		return verify_memory_check();
	for (uint32_t i = 0; i < n; i++) {
		if (!r->crc[i])
			continue;
		verify_written(t, slba + i, 1, true, r->durable[i / 8] >> (i % 8) & 1);
		atomic_store_explicit(&t->crc[slba + i], r->crc[i], memory_order_relaxed);
	}
	return 0;
}

/* Reads head, records and CRC; nothing of @t changes unless @apply. */
static int pass(struct verify_table *t, int fd, bool apply)
{
	uint32_t crc = 0, sum, saved, unused = 0;
	struct head head;
	struct record r;
	int err = read_all(fd, &head, sizeof(head), &crc);

	if (!err)
		err = head_check(t, &head);
	for (uint64_t i = 0; !err && i < head.ngroups; i++) {
		err = read_all(fd, &r, sizeof(r), &crc);
		if (!err && r.group >= t->ngroups)
			err = err_set(-EINVAL, "verification data is damaged");
		if (!err && apply)
			err = record_apply(t, &r);
	}
	sum = crc;
	if (!err)
		err = read_all(fd, &saved, sizeof(saved), &unused);
	if (!err && saved != sum)
		err = err_set(-EINVAL, "verification data is damaged");
	if (!err && apply && head.next_token > atomic_load(&verify_next_token))
		atomic_store(&verify_next_token, head.next_token);
	return err;
}

int verify_load(struct verify_table *t, int fd)
{
	off_t begin = lseek(fd, 0, SEEK_CUR);
	int err;

	if (begin < 0)
		return err_set(-errno, "verification data: %s", strerror(errno));
	err = pass(t, fd, false);
	if (err)
		return err;
	if (lseek(fd, begin, SEEK_SET) < 0)
		return err_set(-errno, "verification data: %s", strerror(errno));
	verify_unmap(t, 0, t->nlbas);
	err = pass(t, fd, true);
	if (err)
		verify_unmap(t, 0, t->nlbas);
	return err;
}
