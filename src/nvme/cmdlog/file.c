/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.c - the recorder's file read from outside, and old files pruned.
 *
 * Read by pread() only: a file that shrinks meanwhile is a short read, not a signal.
 */
#include "nvme/cmdlog/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "nvme/cmdlog/format.h"

#define SLOTS_MAX 4096u
#define NCIDS_MAX 65536u
#define FILES_MAX 1024u

struct nvme_cmdlog_file {
	int fd;
	struct nvme_cmdlog_header header;
	unsigned int nslots;
	uint64_t unread_bytes;
	uint64_t offsets[SLOTS_MAX];
};

static int read_at(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *to = buf;

	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(-errno, "command log: %m");
		if (!n)
			return err_set(-EINVAL, "the command log is cut short");
		to += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static bool sane_slot(const struct nvme_cmdlog_slot *slot, uint64_t room)
{
	return slot->magic == NVME_CMDLOG_SLOT_MAGIC && slot->bytes <= room &&
	       slot->bytes % NVME_CMDLOG_PAGE == 0 && slot->ncids <= NCIDS_MAX &&
	       slot->nrecords == NVME_CMDLOG_RECORDS &&
	       slot->bytes >= nvme_cmdlog_slot_bytes(slot->ncids);
}

/* Room that its owner has not made a slot of yet: still zero, or its first labelling goes on. */
static bool unborn_slot(const struct nvme_cmdlog_slot *slot)
{
	return slot->edition == 1 || (!slot->edition && !slot->magic);
}

/* A copy by pread() is torn where its owner labels the slot: no sense is looked for twice. */
static int next_slot(struct nvme_cmdlog_file *f, uint64_t off, uint64_t room,
		     struct nvme_cmdlog_slot *slot)
{
	for (int i = 0; i < 2; i++) {
		int err = read_at(f->fd, slot, sizeof(*slot), off);

		if (err)
			return err;
		if (sane_slot(slot, room))
			return 0;
	}
	return unborn_slot(slot) ? -EAGAIN : -EINVAL;
}

/* Slots follow each other; the first that makes no sense ends them. */
static void find_slots(struct nvme_cmdlog_file *f, uint64_t size)
{
	uint64_t off = sizeof(struct nvme_cmdlog_header);
	struct nvme_cmdlog_slot slot;
	int err = 0;

	while (f->nslots < SLOTS_MAX && size - off > sizeof(slot)) {
		err = next_slot(f, off, size - off, &slot);
		if (err)
			break;
		f->offsets[f->nslots++] = off;
		off += slot.bytes;
	}
	f->unread_bytes = err == -EAGAIN ? 0 : size - off;
}

static int check_file(struct nvme_cmdlog_file *f, const char *path)
{
	struct stat st;
	int err;

	if (fstat(f->fd, &st) < 0)
		return err_set(-errno, "%s: %m", path);
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(f->header))
		return err_set(-EINVAL, "%s is not a command log", path);
	err = read_at(f->fd, &f->header, sizeof(f->header), 0);
	if (err)
		return err;
	if (f->header.magic != NVME_CMDLOG_MAGIC)
		return err_set(-EINVAL, "%s is not a command log", path);
	if (f->header.version != NVME_CMDLOG_VERSION)
		return err_set(-EINVAL,
			       "%s is a command log of version %u, this pynvme reads %u: use the "
			       "pynvme that wrote it",
			       path, f->header.version, NVME_CMDLOG_VERSION);
	find_slots(f, (uint64_t)st.st_size);
	return 0;
}

int nvme_cmdlog_file_open(struct nvme_cmdlog_file **out, const char *path)
{
	struct nvme_cmdlog_file *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return err_set(-ENOMEM, "no memory for a command log");
	f->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (f->fd < 0) {
		err = err_set(-errno, "%s: %m", path);
		free(f);
		return err;
	}
	err = check_file(f, path);
	if (err) {
		nvme_cmdlog_file_close(f);
		return err;
	}
	*out = f;
	return 0;
}

void nvme_cmdlog_file_close(struct nvme_cmdlog_file *f)
{
	close(f->fd);
	free(f);
}

static bool is_alive(int pid, uint64_t start_ticks)
{
	return pid > 0 && start_ticks && nvme_cmdlog_process_start(pid) == start_ticks;
}

const struct nvme_cmdlog_header *nvme_cmdlog_file_header(const struct nvme_cmdlog_file *f)
{
	return &f->header;
}

void nvme_cmdlog_file_info(const struct nvme_cmdlog_file *f, struct nvme_cmdlog_info *info)
{
	*info = (struct nvme_cmdlog_info){
		.pid = f->header.pid,
		.alive = is_alive(f->header.pid, f->header.start_ticks),
		.realtime_ns = f->header.realtime_ns,
		.nslots = f->nslots,
		.unread_bytes = f->unread_bytes,
	};
}

/* The slot's header as it is now, checked again: its owner may have changed it. */
static int read_slot(struct nvme_cmdlog_file *f, unsigned int i, struct nvme_cmdlog_slot *slot)
{
	uint64_t room;
	struct stat st;
	int err;

	if (i >= f->nslots)
		return err_set(-ENOENT, "the command log has %u queues", f->nslots);
	if (fstat(f->fd, &st) < 0)
		return err_set(-errno, "command log: %m");
	room = (uint64_t)st.st_size > f->offsets[i] ? (uint64_t)st.st_size - f->offsets[i] : 0;
	err = read_at(f->fd, slot, sizeof(*slot), f->offsets[i]);
	if (err)
		return err;
	if (slot->edition & 1)
		return err_set(-EAGAIN, "the slot is changing hands");
	if (!sane_slot(slot, room))
		return err_set(-EINVAL, "the command log is damaged");
	slot->addr[sizeof(slot->addr) - 1] = '\0';
	return 0;
}

/* What was read of a slot is of one queue: it did not change hands meanwhile. */
static int check_edition(struct nvme_cmdlog_file *f, unsigned int i, uint64_t edition)
{
	uint64_t now;
	int err = read_at(f->fd, &now, sizeof(now),
			  f->offsets[i] + offsetof(struct nvme_cmdlog_slot, edition));

	if (err)
		return err;
	return now == edition ? 0 : err_set(-ESTALE, "the slot is another queue's by now");
}

/* The texts of a controller were not written meanwhile. Odd for ever: who wrote them is dead. */
static int check_texts(struct nvme_cmdlog_file *f, unsigned int i,
		       const struct nvme_cmdlog_slot *slot)
{
	uint64_t now;
	int err;

	if (slot->kind != NVME_CMDLOG_ADMIN)
		return 0;
	err = read_at(f->fd, &now, sizeof(now),
		      f->offsets[i] + offsetof(struct nvme_cmdlog_slot, ctrl.texts));
	if (err)
		return err;
	return now == slot->ctrl.texts ? 0 : err_set(-EAGAIN, "the controller is being identified");
}

int nvme_cmdlog_file_head(struct nvme_cmdlog_file *f, unsigned int i, struct nvme_cmdlog_slot *slot)
{
	int err = read_slot(f, i, slot);

	if (!err)
		err = check_texts(f, i, slot);
	if (!err && check_edition(f, i, slot->edition) < 0)
		err = err_set(-EAGAIN, "the slot is changing hands");
	return err;
}

int nvme_cmdlog_file_outstanding(struct nvme_cmdlog_file *f, unsigned int i, uint64_t edition)
{
	struct nvme_cmdlog_record records[64];
	struct nvme_cmdlog_slot slot;
	int outstanding = 0, err = read_slot(f, i, &slot);
	uint64_t off;

	for (uint32_t cid = 0; !err && cid < slot.ncids; cid += 64) {
		uint32_t n = slot.ncids - cid < 64 ? slot.ncids - cid : 64;

		off = f->offsets[i] + sizeof(slot) + (uint64_t)cid * sizeof(*records);
		err = read_at(f->fd, records, n * sizeof(*records), off);
		for (uint32_t k = 0; !err && k < n; k++)
			outstanding += records[k].submit_ns != 0;
	}
	if (!err)
		err = check_edition(f, i, edition);
	return err ? err : outstanding;
}

int nvme_cmdlog_file_slot(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_slot_info *info)
{
	struct nvme_cmdlog_slot slot;
	int err = read_slot(f, i, &slot);

	if (err)
		return err;
	snprintf(info->addr, sizeof(info->addr), "%s", slot.addr);
	info->sqid = slot.sqid;
	info->ncids = slot.ncids;
	info->opened_ns = slot.opened_ns;
	info->closed_ns = slot.closed_ns;
	return 0;
}

/*
 * The records of a slot, read twice: what its writer touched in between is marked as being
 * written, for a copy by pread() can be torn.
 */
static int read_records(struct nvme_cmdlog_file *f, uint64_t off, uint32_t count,
			struct nvme_cmdlog_record *first, struct nvme_cmdlog_record *second)
{
	size_t bytes = count * sizeof(*first);
	int err;

	err = read_at(f->fd, first, bytes, off);
	if (!err)
		err = read_at(f->fd, second, bytes, off);
	for (uint32_t i = 0; !err && i < count; i++) {
		if (first[i].seq != second[i].seq)
			first[i].seq |= 1;
	}
	return err;
}

int nvme_cmdlog_file_read(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_record *out, unsigned int max)
{
	struct nvme_cmdlog_record *first, *second;
	struct nvme_cmdlog_slot slot;
	uint32_t count;
	int err = read_slot(f, i, &slot);

	if (err)
		return err;
	count = slot.ncids + NVME_CMDLOG_RECORDS;
	first = calloc(count, sizeof(*first));
	second = calloc(count, sizeof(*second));
	err = first && second ? 0 : err_set(-ENOMEM, "no memory for a command log");
	if (!err)
		err = read_records(f, f->offsets[i] + sizeof(slot), count, first, second);
	if (!err)
		err = check_edition(f, i, slot.edition);
	if (!err)
		err = (int)nvme_cmdlog_collect(first, slot.ncids, first + slot.ncids, out, max);
	free(first);
	free(second);
	return err;
}

/* --- old files --- */

struct old_file {
	char name[256];
	int64_t mtime;
};

static int newest_first(const void *a, const void *b)
{
	const struct old_file *x = a, *y = b;

	return x->mtime < y->mtime ? 1 : x->mtime > y->mtime ? -1 : strcmp(y->name, x->name);
}

/* A recorder file of a process that is dead, and of a user whose files we may remove. */
static bool is_dead(int dir, const char *name, struct old_file *old)
{
	char canonical[256];
	unsigned int uid;
	unsigned long long start;
	struct stat st;
	int pid;

	if (sscanf(name, "pynvme-%u-%d-%llu", &uid, &pid, &start) != 3)
		return false;
	snprintf(canonical, sizeof(canonical), NVME_CMDLOG_NAME, uid, pid, start);
	if (strcmp(canonical, name) != 0 || is_alive(pid, start))
		return false;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (geteuid() != 0 && st.st_uid != geteuid())
		return false;
	snprintf(old->name, sizeof(old->name), "%s", name);
	old->mtime = st.st_mtim.tv_sec;
	return true;
}

void nvme_cmdlog_prune(unsigned int keep)
{
	struct old_file *old = calloc(FILES_MAX, sizeof(*old));
	DIR *dir = opendir(nvme_cmdlog_dir());
	const struct dirent *entry;
	unsigned int n = 0;

	while (dir && old && n < FILES_MAX && (entry = readdir(dir))) {
		if (is_dead(dirfd(dir), entry->d_name, &old[n]))
			n++;
	}
	if (n > keep) {
		qsort(old, n, sizeof(*old), newest_first);
		for (unsigned int i = keep; i < n; i++)
			unlinkat(dirfd(dir), old[i].name, 0);
	}
	if (dir)
		closedir(dir);
	free(old);
}
