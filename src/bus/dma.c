// SPDX-License-Identifier: BSD-3-Clause
#include "bus/dma.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/err.h"
#include "bus/bus.h"
#include "bus/dma_chunk.h"
#include "bus/dma_pin.h"

#define RESERVE_BYTES	  (UINT64_C(256) << 30)
#define RESERVE_BYTES_MIN (UINT64_C(1) << 30)
#define GROWTH_BYTES_MAX  (UINT64_C(64) << 20)
#define GRAIN_PAGES	  ((uint32_t)(DMA_GRAIN_BYTES / DMA_PAGE_BYTES))

struct dma_space dma_space;

/* Guards everything here; dma_space.grains is also read without it. */
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	struct dma_piece *pieces;  /* sorted by address */
	struct dma_piece **owners; /* the piece of each grain */
	struct list_node buses;
	size_t bytes;
	bool phys;   /* IOVAs are physical addresses */
	bool forked; /* memory of the parent may still come back to dma_free() */
} pool = { .buses = { &pool.buses, &pool.buses } };

/* --- address space ------------------------------------------------------------------------- */

/*
 * The child keeps the parent's mappings, so that its buffers stay readable, but
 * starts a pool of its own: handing out shared pages twice would corrupt the parent.
 */
static void forget_after_fork(void)
{
	pthread_mutex_init(&pool_lock, NULL);
	dma_pin_forget();
	while (pool.pieces) {
		struct dma_piece *piece = pool.pieces;

		pool.pieces = piece->next;
		dma_piece_forget(piece);
	}
	list_init(&pool.buses);
	dma_space = (struct dma_space){ 0 };
	pool.owners = NULL;
	pool.bytes = 0;
	pool.phys = false;
	pool.forked = true;
}

static void *reserve(size_t len)
{
	void *va = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return va == MAP_FAILED ? NULL : va;
}

static void *zeroed_table(size_t len)
{
	void *va = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return va == MAP_FAILED ? NULL : va;
}

static int space_init(void)
{
	static bool hooked; /* inherited by fork, as the hook is */
	size_t len = RESERVE_BYTES, grains;
	uint8_t *va;

	if (dma_space.base)
		return 0;
	if (!hooked && pthread_atfork(NULL, NULL, forget_after_fork))
		return err_set(-ENOMEM, "no memory");
	hooked = true;
	while (!(va = reserve(len + DMA_GRAIN_BYTES)) && len > RESERVE_BYTES_MIN)
		len /= 2;
	if (!va)
		return err_set(-ENOMEM, "no %zu MiB of address space for DMA memory (ulimit -v?)",
			       len >> 20);
	grains = len / DMA_GRAIN_BYTES;
	dma_space.grains = zeroed_table(grains * sizeof(*dma_space.grains));
	pool.owners = zeroed_table(grains * sizeof(struct dma_piece *));
	if (!dma_space.grains || !pool.owners) {
		if (dma_space.grains)
			munmap(dma_space.grains, grains * sizeof(*dma_space.grains));
		if (pool.owners)
			munmap(pool.owners, grains * sizeof(struct dma_piece *));
		munmap(va, len + DMA_GRAIN_BYTES);
		return err_set(-ENOMEM, "no memory");
	}
	dma_space.len = len;
	dma_space.base =
		(uint8_t *)(((uintptr_t)va + DMA_GRAIN_BYTES - 1) & ~(DMA_GRAIN_BYTES - 1));
	return 0;
}

/* The link behind which @len bytes of the reservation are free, and where. */
static struct dma_piece **find_gap(size_t len, uint8_t **va)
{
	struct dma_piece **link = &pool.pieces;

	*va = dma_space.base;
	while (*link && (size_t)((uint8_t *)(*link)->chunk.va - *va) < len) {
		*va = (uint8_t *)(*link)->chunk.va + (*link)->chunk.len;
		link = &(*link)->next;
	}
	if (!*link && dma_space.len - (size_t)(*va - dma_space.base) < len)
		return NULL;
	return link;
}

static size_t grain_of(const void *va)
{
	return (size_t)((const uint8_t *)va - dma_space.base) >> DMA_GRAIN_SHIFT;
}

static void publish_grain(size_t grain, uint64_t iova, struct dma_piece *owner)
{
	__atomic_store_n(&dma_space.grains[grain], iova, __ATOMIC_RELEASE);
	pool.owners[grain] = owner;
}

/* Give every grain of the piece the address that devices use. */
static int piece_publish(struct dma_piece *piece)
{
	size_t first = grain_of(piece->chunk.va), n = piece->chunk.len >> DMA_GRAIN_SHIFT;

	for (size_t i = 0; i < n; i++) {
		uint64_t iova = DMA_IOVA_BASE + ((first + i) << DMA_GRAIN_SHIFT);
		int err = 0;

		if (pool.phys)
			err = dma_phys_addr(dma_space.base + ((first + i) << DMA_GRAIN_SHIFT),
					    &iova);
		if (err)
			return err;
		publish_grain(first + i, iova, piece);
	}
	piece->chunk.iova = dma_space.grains[first];
	return 0;
}

static void piece_withdraw(struct dma_piece *piece)
{
	size_t first = grain_of(piece->chunk.va), n = piece->chunk.len >> DMA_GRAIN_SHIFT;

	for (size_t i = 0; i < n; i++)
		publish_grain(first + i, 0, NULL);
}

/* --- chunks and buses ---------------------------------------------------------------------- */

/* The kernel's ENOMEM does not say that it is the limit on locked memory. */
static int explain_nomem(const struct bus *bus, size_t len)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		return err_set(-ENOMEM, "%s: the kernel cannot pin %zu KiB of DMA memory",
			       bus->addr, len >> 10);
	return err_set(-ENOMEM,
		       "%s: cannot pin DMA memory: %zu KiB needed in all, but RLIMIT_MEMLOCK is "
		       "%llu KiB; raise it with `ulimit -l`",
		       bus->addr, pool.bytes >> 10, (unsigned long long)limit.rlim_cur >> 10);
}

static int bus_map(struct bus *bus, struct dma_chunk *chunk)
{
	int err = bus->ops->dma_map(bus, chunk);

	return err == -ENOMEM ? explain_nomem(bus, chunk->len) : err;
}

/* Undo map_everywhere() for the buses before @end. */
static void unmap_until(struct dma_chunk *chunk, struct list_node *end)
{
	struct list_node *node;

	for (node = pool.buses.next; node != end; node = node->next) {
		struct bus *bus = list_entry(node, struct bus, dma_node);

		bus->ops->dma_unmap(bus, chunk);
	}
}

static int map_everywhere(struct dma_chunk *chunk)
{
	struct list_node *node;

	for (node = pool.buses.next; node != &pool.buses; node = node->next) {
		int err = bus_map(list_entry(node, struct bus, dma_node), chunk);

		if (err) {
			unmap_until(chunk, node);
			return err;
		}
	}
	return 0;
}

static int grow_by(size_t len, struct dma_piece **out)
{
	struct dma_piece *piece, **link;
	uint8_t *va;
	int err;

	link = find_gap(len, &va);
	if (!link)
		return err_set(-ENOMEM, "the DMA address space of %zu GiB is full: %zu MiB needed",
			       dma_space.len >> 30, len >> 20);
	err = dma_piece_create(&piece, va, len, pool.phys);
	if (err)
		return err;
	pool.bytes += len;
	err = piece_publish(piece);
	if (!err)
		err = map_everywhere(&piece->chunk);
	if (err) {
		pool.bytes -= len;
		piece_withdraw(piece);
		dma_piece_destroy(piece);
		return err;
	}
	piece->next = *link;
	*link = piece;
	*out = piece;
	return 0;
}

/* As much again as there is, so that chunks stay few; just enough when that is refused. */
static int grow(size_t need, struct dma_piece **out)
{
	size_t len = pool.bytes < GROWTH_BYTES_MAX ? pool.bytes : GROWTH_BYTES_MAX;

	need = (need + DMA_GRAIN_BYTES - 1) & ~(DMA_GRAIN_BYTES - 1);
	if (len > need && !grow_by(len, out))
		return 0;
	return grow_by(need, out);
}

static void shrink(struct dma_piece **link)
{
	struct dma_piece *piece = *link;

	*link = piece->next;
	pool.bytes -= piece->chunk.len;
	piece_withdraw(piece);
	dma_piece_destroy(piece);
}

/* With no bus open nobody can still point into an empty chunk. */
static void shrink_empty(void)
{
	struct dma_piece **link = &pool.pieces;

	if (!list_empty(&pool.buses))
		return;
	while (*link) {
		if ((*link)->bits.free == (*link)->bits.pages)
			shrink(link);
		else
			link = &(*link)->next;
	}
}

/* --- memory -------------------------------------------------------------------------------- */

/* First fit over the chunks; @dirty: how many bytes at @va do not read as zero any more. */
static int take(size_t len, uint8_t **va, size_t *dirty)
{
	uint32_t n = (uint32_t)((len + DMA_PAGE_BYTES - 1) / DMA_PAGE_BYTES), page = 0;
	uint32_t boundary = pool.phys ? GRAIN_PAGES : 0;
	struct dma_piece *piece = pool.pieces;
	int err;

	while (piece && !dma_bits_take(&piece->bits, n, boundary, &page))
		piece = piece->next;
	if (!piece) {
		err = grow((size_t)n * DMA_PAGE_BYTES, &piece);
		if (err)
			return err;
		assert(piece);
		if (!dma_bits_take(&piece->bits, n, boundary, &page))
			assert(!"a new chunk takes what it was made for");
	}
	*va = (uint8_t *)piece->chunk.va + (size_t)page * DMA_PAGE_BYTES;
	*dirty = page < piece->high_page ? (size_t)(piece->high_page - page) * DMA_PAGE_BYTES : 0;
	if (page + n > piece->high_page)
		piece->high_page = page + n;
	return 0;
}

int dma_alloc(struct dma_mem *out, size_t len)
{
	size_t dirty;
	uint8_t *va;
	int err;

	if (!len)
		return err_set(-EINVAL, "DMA memory of 0 bytes");
	if (len > RESERVE_BYTES)
		return err_set(-ENOMEM,
			       "DMA memory of %zu GiB is more than the %llu GiB there can be",
			       len >> 30, (unsigned long long)RESERVE_BYTES >> 30);
	pthread_mutex_lock(&pool_lock);
	err = space_init();
	if (!err)
		err = take(len, &va, &dirty);
	pthread_mutex_unlock(&pool_lock);
	if (err)
		return err;
	memset(va, 0, dirty < len ? dirty : len);
	*out = (struct dma_mem){ .va = va, .iova = dma_iova(va), .len = len };
	return 0;
}

void dma_free(struct dma_mem *mem)
{
	size_t off, len = mem->len;
	uint8_t *va = mem->va;
	struct dma_piece *piece = NULL;
	bool kept = va && dma_pin_keeps(mem);

	*mem = (struct dma_mem){ 0 };
	if (!va || kept)
		return;
	pthread_mutex_lock(&pool_lock);
	off = (size_t)(va - dma_space.base);
	if (off < dma_space.len)
		piece = pool.owners[off >> DMA_GRAIN_SHIFT];
	if (piece) {
		off = (size_t)(va - (uint8_t *)piece->chunk.va);
		dma_bits_give(&piece->bits, (uint32_t)(off / DMA_PAGE_BYTES),
			      (uint32_t)((len + DMA_PAGE_BYTES - 1) / DMA_PAGE_BYTES));
		if (piece->bits.free == piece->bits.pages)
			shrink_empty();
	} else {
		assert(pool.forked);
	}
	pthread_mutex_unlock(&pool_lock);
}

/* --- what devices see ---------------------------------------------------------------------- */

static uint64_t grain_iova(size_t grain)
{
	return __atomic_load_n(&dma_space.grains[grain], __ATOMIC_ACQUIRE);
}

/* Physical addresses have no order: look at every grain there is. */
static size_t find_phys_grain(uint64_t iova)
{
	size_t found = SIZE_MAX;

	pthread_mutex_lock(&pool_lock);
	for (struct dma_piece *piece = pool.pieces; piece; piece = piece->next) {
		size_t first = grain_of(piece->chunk.va), n = piece->chunk.len >> DMA_GRAIN_SHIFT;

		for (size_t i = first; i < first + n; i++)
			if (grain_iova(i) == (iova & ~(DMA_GRAIN_BYTES - 1)))
				found = i;
	}
	pthread_mutex_unlock(&pool_lock);
	return found;
}

void *dma_va(uint64_t iova, size_t len, size_t *avail)
{
	size_t off = (size_t)(iova & (DMA_GRAIN_BYTES - 1)), n_grains, grain, got;
	uint64_t start;

	n_grains = dma_space.len >> DMA_GRAIN_SHIFT;
	if (__atomic_load_n(&pool.phys, __ATOMIC_RELAXED))
		grain = find_phys_grain(iova);
	else
		grain = (size_t)((iova - DMA_IOVA_BASE) >> DMA_GRAIN_SHIFT);
	if (grain >= n_grains)
		return NULL;
	start = grain_iova(grain);
	if (!start)
		return NULL;
	got = DMA_GRAIN_BYTES - off;
	for (size_t i = 1; got < len && grain + i < n_grains; i++) {
		if (grain_iova(grain + i) != start + (i << DMA_GRAIN_SHIFT))
			break;
		got += DMA_GRAIN_BYTES;
	}
	*avail = got < len ? got : len;
	return dma_space.base + (grain << DMA_GRAIN_SHIFT) + off;
}

/* Go from IOVAs to physical addresses or back; only while no device knows the old ones. */
static int set_phys(bool phys)
{
	struct dma_piece *piece;

	if (pool.phys == phys)
		return 0;
	shrink_empty();
	for (piece = pool.pieces; phys && piece; piece = piece->next)
		if (!piece->huge)
			return err_set(-EBUSY, "buffers were made in normal pages, which a device "
					       "without an IOMMU cannot reach: open the controller "
					       "first, or drop them");
	__atomic_store_n(&pool.phys, phys, __ATOMIC_RELAXED);
	for (piece = pool.pieces; piece; piece = piece->next) {
		int err = piece_publish(piece);

		if (err)
			return err;
	}
	return 0;
}

static int attach(struct bus *bus)
{
	struct dma_piece *piece, *done;
	int err = space_init();

	if (err)
		return err;
	if (bus->iova_is_phys && !pool.phys) {
		if (!list_empty(&pool.buses))
			return err_set(-EBUSY,
				       "%s has no IOMMU and needs physical addresses: close "
				       "the other controllers first",
				       bus->addr);
		err = set_phys(true);
		if (err)
			return err;
	}
	for (piece = pool.pieces; piece; piece = piece->next) {
		err = bus_map(bus, &piece->chunk);
		if (!err)
			continue;
		for (done = pool.pieces; done != piece; done = done->next)
			bus->ops->dma_unmap(bus, &done->chunk);
		return err;
	}
	list_add_tail(&pool.buses, &bus->dma_node);
	return 0;
}

int dma_attach(struct bus *bus)
{
	int err;

	pthread_mutex_lock(&pool_lock);
	err = attach(bus);
	if (err && list_empty(&pool.buses))
		set_phys(false);
	pthread_mutex_unlock(&pool_lock);
	return err;
}

void dma_detach(struct bus *bus)
{
	struct dma_piece *piece;

	pthread_mutex_lock(&pool_lock);
	list_del(&bus->dma_node);
	for (piece = pool.pieces; piece; piece = piece->next)
		bus->ops->dma_unmap(bus, &piece->chunk);
	shrink_empty();
	if (list_empty(&pool.buses))
		set_phys(false);
	pthread_mutex_unlock(&pool_lock);
}
