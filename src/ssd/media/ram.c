/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thin memory: only what was written takes any.
 *
 * LBAs live in groups of 4 KiB of data. An LBA whose bytes between the first and the last 8
 * are one repeated dword (what workload generators write) is its two quadwords and that
 * dword, inside the group; any other has a block of its own. Metadata is inside the group.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "ssd/media/media.h"
#include "ssd/media/arena.h"

#define GROUP_BYTES 4096u

struct slot {
	uint64_t first;
	uint64_t last;
	uint32_t dword;
	uint32_t block; /* 0: the LBA is first, dword..., last */
};

struct group {
	uint8_t mapped; /* bit per LBA */
	uint8_t bad;	/* bit per LBA: uncorrectable */
	uint8_t pad[6];
	struct slot slot[]; /* and the metadata of all LBAs behind them */
};

struct ram {
	struct ssd_media m;
	uint32_t per_group;   /* a power of two */
	uint32_t group_shift; /* its logarithm */
	uint64_t ngroups;
	uint32_t *index; /* group number to item of @groups, 0: none */
	struct ssd_arena groups;
	struct ssd_arena blocks;
};

static struct ram *ram_of(const struct ssd_media *m)
{
	return (struct ram *)m;
}

static struct group *group_at(const struct ram *r, uint64_t lba)
{
	uint32_t item = r->index[lba >> r->group_shift];

	return item ? ssd_arena_item(&r->groups, item) : NULL;
}

static uint8_t *meta_at(const struct ram *r, struct group *g, uint32_t i)
{
	return (uint8_t *)&g->slot[r->per_group] + (size_t)i * r->m.ms_bytes;
}

static struct group *group_get(struct ram *r, uint64_t lba)
{
	uint32_t *item = &r->index[lba >> r->group_shift];
	struct group *g;

	if (*item)
		return ssd_arena_item(&r->groups, *item);
	*item = ssd_arena_alloc(&r->groups);
	if (!*item)
		return NULL;
	g = ssd_arena_item(&r->groups, *item);
	memset(g, 0, r->groups.item_bytes);
	return g;
}

static bool repeats_dword(const uint8_t *p, size_t len)
{
	return !memcmp(p + 8, p + 12, len - 20);
}

static void fill_dword(uint8_t *p, size_t len, uint32_t dword)
{
	for (size_t i = 0; i < len; i += sizeof(dword))
		memcpy(p + i, &dword, sizeof(dword));
}

static void load(const struct ram *r, const struct slot *s, uint8_t *out)
{
	const size_t len = r->m.lba_bytes;

	if (s->block) {
		memcpy(out, ssd_arena_item(&r->blocks, s->block), len);
		return;
	}
	memcpy(out, &s->first, 8);
	if (s->dword)
		fill_dword(out + 8, len - 16, s->dword);
	else
		memset(out + 8, 0, len - 16);
	memcpy(out + len - 8, &s->last, 8);
}

static int store(struct ram *r, struct slot *s, const uint8_t *in)
{
	const size_t len = r->m.lba_bytes;

	if (!repeats_dword(in, len)) {
		if (!s->block)
			s->block = ssd_arena_alloc(&r->blocks);
		if (!s->block)
			return -ENOSPC;
		memcpy(ssd_arena_item(&r->blocks, s->block), in, len);
		return 0;
	}
	if (s->block)
		ssd_arena_free(&r->blocks, s->block);
	s->block = 0;
	memcpy(&s->first, in, 8);
	memcpy(&s->dword, in + 8, 4);
	memcpy(&s->last, in + len - 8, 8);
	return 0;
}

/* LBAs @i to @i + @n of a group (NULL: nothing there). Return: how many are mapped, or -EIO. */
static int read_group(struct ram *r, struct group *g, uint32_t i, uint32_t n, uint8_t *data,
		      uint8_t *meta)
{
	const uint32_t len = r->m.lba_bytes, ms = r->m.ms_bytes;
	int mapped = 0;

	if (!g || !(g->mapped | g->bad)) {
		memset(data, 0, (size_t)n * len);
		if (meta)
			memset(meta, 0xff, (size_t)n * ms);
		return 0;
	}
	for (uint32_t end = i + n; i < end; i++, data += len, meta = meta ? meta + ms : NULL) {
		if (g->bad >> i & 1) {
			r->m.bad_lba = i;
			return -EIO;
		}
		if (g->mapped >> i & 1) {
			load(r, &g->slot[i], data);
			if (meta)
				memcpy(meta, meta_at(r, g, i), ms);
			mapped++;
			continue;
		}
		memset(data, 0, len);
		if (meta)
			memset(meta, 0xff, ms);
	}
	return mapped;
}

static int ram_read(struct ssd_media *m, uint64_t lba, uint32_t nlb, void *data, void *meta)
{
	struct ram *r = ram_of(m);
	uint8_t *out = data, *mout = meta;
	int mapped = 0;

	while (nlb) {
		uint32_t i = (uint32_t)lba & (r->per_group - 1), n = r->per_group - i;
		int rc;

		n = n < nlb ? n : nlb;
		rc = read_group(r, group_at(r, lba), i, n, out, mout);
		if (rc < 0) {
			m->bad_lba += lba - i;
			return rc;
		}
		mapped += rc;
		lba += n;
		nlb -= n;
		out += (size_t)n * m->lba_bytes;
		mout = mout ? mout + (size_t)n * m->ms_bytes : NULL;
	}
	return mapped;
}

static int ram_write(struct ssd_media *m, uint64_t lba, uint32_t nlb, const void *data,
		     const void *meta)
{
	const uint8_t *in = data, *min = meta;
	struct ram *r = ram_of(m);
	struct group *g = NULL;

	for (uint64_t end = lba + nlb; lba < end; lba++, in += m->lba_bytes) {
		uint32_t i = (uint32_t)lba & (r->per_group - 1);

		if (!g || !i)
			g = group_get(r, lba);
		if (!g || store(r, &g->slot[i], in))
			return -ENOSPC;
		if (min) {
			memcpy(meta_at(r, g, i), min, m->ms_bytes);
			min += m->ms_bytes;
		}
		g->mapped |= (uint8_t)(1u << i);
		g->bad &= (uint8_t) ~(1u << i);
	}
	return 0;
}

static void forget(struct ram *r, struct group *g, uint32_t i)
{
	if (g->slot[i].block)
		ssd_arena_free(&r->blocks, g->slot[i].block);
	g->slot[i] = (struct slot){ 0 };
	g->mapped &= (uint8_t) ~(1u << i);
	g->bad &= (uint8_t) ~(1u << i);
}

static void ram_unmap(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
	struct ram *r = ram_of(m);
	uint64_t end = lba + nlb;

	while (lba < end) {
		uint64_t next = ((lba >> r->group_shift) + 1) << r->group_shift;
		uint32_t *item = &r->index[lba >> r->group_shift];
		struct group *g = *item ? ssd_arena_item(&r->groups, *item) : NULL;

		next = next < end ? next : end;
		for (; g && lba < next; lba++)
			forget(r, g, ((uint32_t)lba & (r->per_group - 1)));
		lba = next;
		if (g && !g->mapped && !g->bad) {
			ssd_arena_free(&r->groups, *item);
			*item = 0;
		}
	}
	ssd_arena_trim(&r->blocks);
	ssd_arena_trim(&r->groups);
}

static int ram_spoil(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
	struct ram *r = ram_of(m);

	for (; nlb; nlb--, lba++) {
		struct group *g = group_get(r, lba);

		if (!g)
			return -ENOSPC;
		forget(r, g, ((uint32_t)lba & (r->per_group - 1)));
		g->bad |= (uint8_t)(1u << (lba & (r->per_group - 1)));
	}
	return 0;
}

static enum ssd_lba_state ram_state(struct ssd_media *m, uint64_t lba)
{
	const struct ram *r = ram_of(m);
	const struct group *g = group_at(r, lba);
	uint32_t i = ((uint32_t)lba & (r->per_group - 1));

	if (!g)
		return SSD_LBA_UNMAPPED;
	if (g->bad >> i & 1)
		return SSD_LBA_UNCORRECTABLE;
	return g->mapped >> i & 1 ? SSD_LBA_MAPPED : SSD_LBA_UNMAPPED;
}

static void ram_erase(struct ssd_media *m)
{
	struct ram *r = ram_of(m);

	ssd_arena_clear(&r->groups);
	ssd_arena_clear(&r->blocks);
	madvise(r->index, r->ngroups * sizeof(*r->index), MADV_DONTNEED);
}

static uint64_t ram_bytes(const struct ssd_media *m)
{
	const struct ram *r = ram_of(m);

	return ((uint64_t)r->groups.live + r->blocks.live) * SSD_ARENA_PAGE;
}

static void ram_destroy(struct ssd_media *m)
{
	struct ram *r = ram_of(m);

	ssd_arena_fini(&r->groups);
	ssd_arena_fini(&r->blocks);
	if (r->index)
		munmap(r->index, r->ngroups * sizeof(*r->index));
	free(r);
}

static const struct ssd_media_ops ram_ops = {
	.read = ram_read,
	.write = ram_write,
	.unmap = ram_unmap,
	.spoil = ram_spoil,
	.state = ram_state,
	.erase = ram_erase,
	.bytes = ram_bytes,
	.destroy = ram_destroy,
};

/* What the system could give without swapping; a gigabyte where it does not tell. */
static uint64_t half_of_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 2ull << 20;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024 / 2;
}

int ssd_media_ram_create(struct ssd_media **out, const struct ssd_options *opts, uint64_t nlb,
			 uint32_t lba_bytes, uint32_t ms_bytes)
{
	uint64_t mem = opts->mem_bytes ? opts->mem_bytes : half_of_memory();
	struct ram *r = calloc(1, sizeof(*r));
	uint32_t group_bytes;
	int rc;

	if (!r)
		return err_set(-ENOMEM, "sim: no memory for the media");
	r->m = (struct ssd_media){ &ram_ops, lba_bytes, ms_bytes, nlb, 0, true };
	r->per_group = GROUP_BYTES / lba_bytes;
	r->group_shift = (uint32_t)__builtin_ctz(r->per_group);
	r->ngroups = (nlb + r->per_group - 1) / r->per_group;
	group_bytes = (uint32_t)sizeof(struct group) +
		      r->per_group * ((uint32_t)sizeof(struct slot) + ms_bytes);
	r->groups.fd = -1;
	r->blocks.fd = -1;
	r->index = mmap(NULL, r->ngroups * sizeof(*r->index), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	rc = r->index == MAP_FAILED ? -ENOMEM : 0;
	if (rc)
		r->index = NULL;
	if (!rc)
		rc = ssd_arena_init(&r->groups, group_bytes, r->ngroups, UINT64_MAX);
	if (!rc)
		rc = ssd_arena_init(&r->blocks, lba_bytes, nlb, mem / opts->ns);
	if (rc) {
		ram_destroy(&r->m);
		return err_set(rc, "sim: no address space for %llu LBAs of %u bytes",
			       (unsigned long long)nlb, lba_bytes);
	}
	*out = &r->m;
	return 0;
}
