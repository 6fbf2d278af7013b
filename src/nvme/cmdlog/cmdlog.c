/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdlog.c - the writer's side of the flight recorder: the file, its slots, who is pruned.
 *
 * A file of the process is made with its first slot and stays when the process ends, so that a
 * crash can be looked at; the eight newest of dead processes are kept.
 */
#include "nvme/cmdlog/cmdlog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "base/log.h"
#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/format.h"
#include "nvme/ctrl.h"

#define DEAD_KEPT 8u

/* The file of this process; all under its lock. */
static struct {
	pthread_mutex_t lock;
	bool lost; /* no shared memory: said so once */
	uint64_t bytes;
	uint64_t closings;
	ino_t inode;
	struct nvme_cmdlog_queue *slots; /* open and closed ones */
	char path[512];
} file = { .lock = PTHREAD_MUTEX_INITIALIZER };

const char *nvme_cmdlog_path(void)
{
	return file.bytes ? file.path : "";
}

const struct nvme_cmdlog_queue *nvme_cmdlog_slots(void)
{
	return __atomic_load_n(&file.slots, __ATOMIC_ACQUIRE);
}

/* --- the file --- */

static unsigned int owner(void)
{
	const char *sudo = getenv("SUDO_UID");
	unsigned int uid;

	if (geteuid() == 0 && sudo && sscanf(sudo, "%u", &uid) == 1)
		return uid;
	return (unsigned int)getuid();
}

static int64_t wall_minus_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - (int64_t)clock_now_ns();
}

/* The command line of this process, as a person would read it. */
static void read_title(char *title, size_t bytes)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, title, bytes - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		n = 0;
	/* Every argument ends with a zero. */
	while (n && !title[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++)
		title[i] = title[i] ? title[i] : ' ';
	title[n] = '\0';
}

static int write_header(int fd)
{
	struct nvme_cmdlog_header header = {
		.magic = NVME_CMDLOG_MAGIC,
		.version = NVME_CMDLOG_VERSION,
		.pid = nvme_process,
		.start_ticks = nvme_cmdlog_process_start(nvme_process),
		.realtime_ns = wall_minus_clock(),
		.opened_ns = clock_now_ns(),
	};
	int err = posix_fallocate(fd, 0, sizeof(header));

	if (err)
		return -err;
	read_title(header.title, sizeof(header.title));
	return pwrite(fd, &header, sizeof(header), 0) == sizeof(header) ? 0 : -EIO;
}

/* An open descriptor of the file, made anew if need be; 0 or -errno. */
static int open_file(int *fd)
{
	struct stat st;
	int err;

	if (file.bytes) {
		*fd = open(file.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (*fd < 0)
			return -errno;
		/* Somebody may have removed it, or put another in its place. */
		if (!fstat(*fd, &st) && st.st_ino == file.inode)
			return 0;
		close(*fd);
		return -ESTALE;
	}
	nvme_cmdlog_prune(DEAD_KEPT);
	snprintf(file.path, sizeof(file.path), "%s/" NVME_CMDLOG_NAME, nvme_cmdlog_dir(), owner(),
		 nvme_process, (unsigned long long)nvme_cmdlog_process_start(nvme_process));
	*fd = open(file.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -errno;
	err = write_header(*fd);
	if (!err && geteuid() == 0 && fchown(*fd, owner(), (gid_t)-1) < 0)
		err = -errno;
	if (!err && fstat(*fd, &st) < 0)
		err = -errno;
	if (err) {
		close(*fd);
		unlink(file.path);
		file.path[0] = '\0';
		return err;
	}
	file.inode = st.st_ino;
	file.bytes = sizeof(struct nvme_cmdlog_header);
	return 0;
}

/* @bytes of shared memory at the end of the file, really there: a full tmpfs must not SIGBUS. */
static void *grow(uint64_t bytes)
{
	void *mem = MAP_FAILED;
	int fd, err;

	err = open_file(&fd);
	if (!err) {
		err = -posix_fallocate(fd, (off_t)file.bytes, (off_t)bytes);
		if (!err)
			mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				   (off_t)file.bytes);
		if (!err && mem == MAP_FAILED)
			err = -errno;
		close(fd);
	}
	if (!err) {
		file.bytes += bytes;
		return mem;
	}
	if (!file.lost)
		log_warn("the command log is private to this process: no room for it in %s: %s",
			 nvme_cmdlog_dir(), strerror(-err));
	file.lost = true;
	return NULL;
}

/* --- slots --- */

static struct nvme_cmdlog_queue *longest_closed(uint64_t bytes, bool private_slot)
{
	struct nvme_cmdlog_queue *best = NULL;

	for (struct nvme_cmdlog_queue *log = file.slots; log; log = log->next) {
		if (log->closed && log->bytes >= bytes && log->private_slot == private_slot &&
		    (!best || log->closed < best->closed))
			best = log;
	}
	return best;
}

static bool make_private(struct nvme_cmdlog_queue *log)
{
	log->private_slot = true;
	log->slot =
		mmap(NULL, log->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return log->slot != MAP_FAILED;
}

static struct nvme_cmdlog_queue *new_slot(uint64_t bytes)
{
	struct nvme_cmdlog_queue *log = calloc(1, sizeof(*log)), *closed;

	if (!log)
		return NULL;
	log->bytes = bytes;
	log->slot = grow(bytes);
	if (!log->slot) {
		closed = longest_closed(bytes, true);
		if (closed || !make_private(log)) {
			free(log);
			return closed;
		}
	}
	log->next = file.slots;
	/* Whoever looks for what is outstanding goes through the list without the lock. */
	__atomic_store_n(&file.slots, log, __ATOMIC_RELEASE);
	return log;
}

void nvme_cmdlog_forked(void)
{
	pthread_mutex_init(&file.lock, NULL);
	file.bytes = 0;
	file.lost = false;
	file.slots = NULL;
	file.path[0] = '\0';
}

static void label(struct nvme_cmdlog_queue *log, const struct nvme_ctrl *ctrl, uint16_t sqid,
		  uint16_t ncids)
{
	struct nvme_cmdlog_slot *slot = log->slot;
	uint64_t edition = slot->edition | 1;

	__atomic_store_n(&slot->edition, edition, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memset(&slot->opened_ns, 0, log->bytes - offsetof(struct nvme_cmdlog_slot, opened_ns));
	slot->magic = NVME_CMDLOG_SLOT_MAGIC;
	slot->bytes = log->bytes;
	slot->opened_ns = clock_now_ns();
	slot->ncids = ncids;
	slot->nrecords = NVME_CMDLOG_RECORDS;
	slot->sqid = sqid;
	slot->kind = sqid ? NVME_CMDLOG_IO : NVME_CMDLOG_ADMIN;
	slot->controller = ctrl->number;
	slot->depth = ncids;
	snprintf(slot->addr, sizeof(slot->addr), "%s", ctrl->addr);
	__atomic_store_n(&slot->edition, edition + 1, __ATOMIC_RELEASE);
	log->ncids = ncids;
	log->completed = 0;
	log->closed = 0;
	log->live = (struct nvme_cmdlog_record *)(slot + 1);
	log->ring = log->live + ncids;
}

struct nvme_cmdlog_queue *nvme_cmdlog_open(struct nvme_ctrl *ctrl, uint16_t sqid, uint16_t ncids)
{
	uint64_t bytes = nvme_cmdlog_slot_bytes(ncids);
	struct nvme_cmdlog_queue *log;

	pthread_mutex_lock(&file.lock);
	log = longest_closed(bytes, false);
	if (!log)
		log = new_slot(bytes);
	if (log) {
		label(log, ctrl, sqid, ncids);
		count_inc(COUNT_RECORDER_SLOTS);
	}
	pthread_mutex_unlock(&file.lock);
	return log;
}

void nvme_cmdlog_restart(struct nvme_cmdlog_queue *log, struct nvme_ctrl *ctrl, uint16_t sqid)
{
	pthread_mutex_lock(&file.lock);
	label(log, ctrl, sqid, (uint16_t)log->ncids);
	pthread_mutex_unlock(&file.lock);
}

void nvme_cmdlog_close(struct nvme_cmdlog_queue *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&file.lock);
	count_dec(COUNT_RECORDER_SLOTS);
	log->slot->closed_ns = clock_now_ns();
	log->closed = ++file.closings;
	pthread_mutex_unlock(&file.lock);
}

unsigned int nvme_cmdlog_read(struct nvme_cmdlog_queue *log, struct nvme_cmdlog_record *out,
			      unsigned int max)
{
	return nvme_cmdlog_collect(log->live, log->ncids, log->ring, out, max);
}
