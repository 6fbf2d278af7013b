/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/media/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPILL_STEP (1024u * 1024)

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void release(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static bool push(struct ssd_arena_stack *s, uint32_t page)
{
	if (s->n == s->room) {
		uint32_t room = s->room ? 2 * s->room : 64;
		uint32_t *v = realloc(s->v, room * sizeof(*v));

		if (!v)
			return false;
		s->v = v;
		s->room = room;
	}
	s->v[s->n++] = page;
	return true;
}

int ssd_arena_init(struct ssd_arena *a, uint32_t item_bytes, uint64_t items, uint64_t limit_bytes)
{
	uint64_t pages, limit = limit_bytes / SSD_ARENA_PAGE;

	*a = (struct ssd_arena){ .item_bytes = item_bytes, .fd = -1 };
	a->per_page = SSD_ARENA_PAGE / item_bytes;
	if (a->per_page > SSD_ARENA_ITEMS_MAX)
		a->per_page = SSD_ARENA_ITEMS_MAX;
	pages = (items + a->per_page - 1) / a->per_page;
	if (items >= UINT32_MAX)
		pages = (UINT32_MAX - 1) / a->per_page;
	a->pages = (uint32_t)pages;
	a->limit = (uint32_t)(limit < pages ? limit : pages);
	a->mem = reserve((size_t)(a->limit ? a->limit : 1) * SSD_ARENA_PAGE);
	a->free = reserve((size_t)pages * sizeof(a->free[0]));
	a->listed = reserve((size_t)pages);
	if (a->mem && a->free && a->listed)
		return 0;
	ssd_arena_fini(a);
	return -ENOMEM;
}

void ssd_arena_fini(struct ssd_arena *a)
{
	release(a->mem, (size_t)(a->limit ? a->limit : 1) * SSD_ARENA_PAGE);
	release(a->file, (size_t)(a->pages - a->limit) * SSD_ARENA_PAGE);
	release(a->free, (size_t)a->pages * sizeof(a->free[0]));
	release(a->listed, a->pages);
	free(a->partial.v);
	free(a->empty.v);
	if (a->fd >= 0)
		close(a->fd);
	*a = (struct ssd_arena){ .fd = -1 };
}

/* A file without a name; in two steps where the file system cannot do it in one. */
static int open_unlinked(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	dir = dir ? dir : "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (snprintf(path, sizeof(path), "%s/sim-XXXXXX", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int open_spill(struct ssd_arena *a)
{
	size_t bytes = (size_t)(a->pages - a->limit) * SSD_ARENA_PAGE;
	void *p;

	a->fd = open_unlinked();
	if (a->fd < 0)
		return a->fd;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, a->fd, 0);
	if (p == MAP_FAILED) {
		close(a->fd);
		a->fd = -1;
		return -ENOMEM;
	}
	a->file = p;
	return 0;
}

/* Disk space is taken before it is written to: a full disk must not be a SIGBUS. */
static bool back_page(struct ssd_arena *a, uint32_t page)
{
	uint64_t end = ((uint64_t)page - a->limit + 1) * SSD_ARENA_PAGE;

	if (page < a->limit)
		return true;
	if (a->fd < 0 && open_spill(a))
		return false;
	if (end <= a->file_bytes)
		return true;
	if (posix_fallocate(a->fd, (off_t)a->file_bytes, SPILL_STEP))
		return false;
	a->file_bytes += SPILL_STEP;
	return true;
}

static void fill_free(struct ssd_arena *a, uint32_t page)
{
	uint32_t n = a->per_page;

	a->free[page][0] = n >= 64 ? ~0ull : (1ull << n) - 1;
	a->free[page][1] = n >= 128 ? ~0ull : n > 64 ? (1ull << (n - 64)) - 1 : 0;
}

/* A page with a free item goes on top of the partial ones. */
static bool refill(struct ssd_arena *a)
{
	uint32_t page;

	if (a->empty.n) {
		/* not one that is about to be given back */
		ssd_arena_trim(a);
		page = a->empty.v[a->empty.n - 1];
		a->empty.n--;
	} else {
		page = a->top;
		if (page == a->pages || !back_page(a, page))
			return false;
		a->top++;
	}
	if (!push(&a->partial, page))
		return false;
	a->listed[page] = 1;
	fill_free(a, page);
	a->live++;
	return true;
}

static bool is_empty(const struct ssd_arena *a, uint32_t page)
{
	return (uint32_t)(__builtin_popcountll(a->free[page][0]) +
			  __builtin_popcountll(a->free[page][1])) == a->per_page;
}

uint32_t ssd_arena_alloc(struct ssd_arena *a)
{
	for (;;) {
		uint32_t page, word, bit;

		if (!a->partial.n && !refill(a))
			return 0;
		page = a->partial.v[a->partial.n - 1];
		word = a->free[page][0] ? 0 : 1;
		if (!a->free[page][word]) { /* full, or given back meanwhile */
			a->partial.n--;
			a->listed[page] = 0;
			continue;
		}
		bit = (uint32_t)__builtin_ctzll(a->free[page][word]);
		a->free[page][word] &= a->free[page][word] - 1;
		return page * a->per_page + word * 64 + bit + 1;
	}
}

/* Memory only: space in the spill file is kept for the next pages until all is cleared. */
static void give_back(struct ssd_arena *a, uint32_t from, uint32_t to)
{
	to = to < a->limit ? to : a->limit;
	if (from < to)
		madvise(a->mem + (size_t)from * SSD_ARENA_PAGE,
			(size_t)(to - from) * SSD_ARENA_PAGE, MADV_DONTNEED);
}

void ssd_arena_trim(struct ssd_arena *a)
{
	if (a->gone_from < a->gone_to)
		give_back(a, a->gone_from, a->gone_to);
	a->gone_from = 0;
	a->gone_to = 0;
}

static void page_emptied(struct ssd_arena *a, uint32_t page)
{
	/* without room to remember it, the page stays in use as a partial one */
	if (!push(&a->empty, page))
		return;
	a->free[page][0] = 0;
	a->free[page][1] = 0;
	a->live--;
	if (page == a->gone_to && a->gone_from < a->gone_to) {
		a->gone_to++;
		return;
	}
	ssd_arena_trim(a);
	a->gone_from = page;
	a->gone_to = page + 1;
}

void ssd_arena_free(struct ssd_arena *a, uint32_t item)
{
	uint32_t page = (item - 1) / a->per_page, slot = (item - 1) % a->per_page;

	a->free[page][slot / 64] |= 1ull << slot % 64;
	if (is_empty(a, page))
		page_emptied(a, page);
	else if (!a->listed[page] && push(&a->partial, page))
		a->listed[page] = 1;
}

void ssd_arena_clear(struct ssd_arena *a)
{
	give_back(a, 0, a->top);
	madvise(a->free, (size_t)a->pages * sizeof(a->free[0]), MADV_DONTNEED);
	madvise(a->listed, a->pages, MADV_DONTNEED);
	if (a->fd >= 0 && !ftruncate(a->fd, 0))
		a->file_bytes = 0;
	a->top = 0;
	a->live = 0;
	a->partial.n = 0;
	a->empty.n = 0;
	a->gone_from = 0;
	a->gone_to = 0;
}
