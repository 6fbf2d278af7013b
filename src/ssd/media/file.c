/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A medium in a file: data at its place, metadata and a byte of state an LBA behind it. What
 * was never written is a hole. Data goes in before its state says that it is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "ssd/media/media.h"
#include "ssd/store.h"

#define STATE_BATCH 512u

struct file {
	struct ssd_media m;
	int fd;
	uint64_t data_at;
	uint64_t meta_at;
	uint64_t state_at;
};

static struct file *file_of(const struct ssd_media *m)
{
	return (struct file *)m;
}

static int read_all(int fd, void *buf, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, (off_t)at);

		if (n < 0)
			return -EIO;
		if (!n) { /* beyond the end: never written */
			memset(buf, 0, len);
			return 0;
		}
		buf = (char *)buf + n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const void *buf, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, (off_t)at);

		if (n <= 0)
			return -ENOSPC;
		buf = (const char *)buf + n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_batch(struct file *f, uint64_t lba, uint32_t nlb, uint8_t *data, uint8_t *meta)
{
	uint8_t state[STATE_BATCH];
	int mapped = 0;

	if (read_all(f->fd, state, nlb, f->state_at + lba) ||
	    read_all(f->fd, data, (size_t)nlb * f->m.lba_bytes,
		     f->data_at + lba * f->m.lba_bytes) ||
	    (meta && read_all(f->fd, meta, (size_t)nlb * f->m.ms_bytes,
			      f->meta_at + lba * f->m.ms_bytes))) {
		f->m.bad_lba = lba;
		return -EIO;
	}
	for (uint32_t i = 0; i < nlb; i++) {
		if (state[i] == SSD_LBA_UNCORRECTABLE) {
			f->m.bad_lba = lba + i;
			return -EIO;
		}
		mapped += state[i] == SSD_LBA_MAPPED;
		if (state[i] == SSD_LBA_MAPPED)
			continue;
		memset(data + (size_t)i * f->m.lba_bytes, 0, f->m.lba_bytes);
		if (meta)
			memset(meta + (size_t)i * f->m.ms_bytes, 0xff, f->m.ms_bytes);
	}
	return mapped;
}

static int file_read(struct ssd_media *m, uint64_t lba, uint32_t nlb, void *data, void *meta)
{
	int mapped = 0;

	for (uint32_t done = 0, n; done < nlb; done += n) {
		int rc;

		n = nlb - done < STATE_BATCH ? nlb - done : STATE_BATCH;
		rc = read_batch(file_of(m), lba + done, n,
				(uint8_t *)data + (size_t)done * m->lba_bytes,
				meta ? (uint8_t *)meta + (size_t)done * m->ms_bytes : NULL);
		if (rc < 0)
			return rc;
		mapped += rc;
	}
	return mapped;
}

static int set_state(struct file *f, uint64_t lba, uint64_t nlb, enum ssd_lba_state state)
{
	uint8_t bytes[STATE_BATCH];
	int rc = 0;

	memset(bytes, (int)state, sizeof(bytes));
	for (uint64_t done = 0, n; done < nlb && !rc; done += n) {
		n = nlb - done < STATE_BATCH ? nlb - done : STATE_BATCH;
		rc = write_all(f->fd, bytes, n, f->state_at + lba + done);
	}
	return rc;
}

static int file_write(struct ssd_media *m, uint64_t lba, uint32_t nlb, const void *data,
		      const void *meta)
{
	struct file *f = file_of(m);
	int rc =
		write_all(f->fd, data, (size_t)nlb * m->lba_bytes, f->data_at + lba * m->lba_bytes);

	if (!rc && meta)
		rc = write_all(f->fd, meta, (size_t)nlb * m->ms_bytes,
			       f->meta_at + lba * m->ms_bytes);
	return rc ? rc : set_state(f, lba, nlb, SSD_LBA_MAPPED);
}

/* Zeros, and the space back where the file system can. */
static void punch(struct file *f, uint64_t at, uint64_t len)
{
	fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len);
}

static void file_unmap(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
	struct file *f = file_of(m);

	set_state(f, lba, nlb, SSD_LBA_UNMAPPED);
	punch(f, f->data_at + lba * m->lba_bytes, nlb * m->lba_bytes);
}

static int file_spoil(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
	return set_state(file_of(m), lba, nlb, SSD_LBA_UNCORRECTABLE);
}

static enum ssd_lba_state file_state(struct ssd_media *m, uint64_t lba)
{
	uint8_t state = SSD_LBA_UNCORRECTABLE;

	read_all(file_of(m)->fd, &state, 1, file_of(m)->state_at + lba);
	return (enum ssd_lba_state)state;
}

static void file_erase(struct ssd_media *m)
{
	struct file *f = file_of(m);

	punch(f, f->data_at, f->state_at + m->nlb - f->data_at);
}

/* Memory, of which a file takes none. */
static uint64_t file_bytes(const struct ssd_media *m)
{
	return 0;
}

static void file_destroy(struct ssd_media *m)
{
	free(m);
}

static const struct ssd_media_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.unmap = file_unmap,
	.spoil = file_spoil,
	.state = file_state,
	.erase = file_erase,
	.bytes = file_bytes,
	.destroy = file_destroy,
};

int ssd_media_file_create(struct ssd_media **out, const struct ssd_store *store, unsigned int index,
			  uint64_t nlb, uint32_t lba_bytes, uint32_t ms_bytes)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return err_set(-ENOMEM, "sim: no memory for the media");
	f->m = (struct ssd_media){ &file_ops, lba_bytes, ms_bytes, nlb, 0, true };
	f->fd = store->fd;
	f->data_at = SSD_STORE_DATA + index * store->region_bytes;
	f->meta_at = f->data_at + nlb * lba_bytes;
	f->state_at = f->meta_at + nlb * ms_bytes;
	*out = &f->m;
	return 0;
}
