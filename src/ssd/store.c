/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "ssd/device.h"

#define MAGIC	"pynvmesd"
#define VERSION 1u

static int read_header(struct ssd_store *store, const struct ssd_options *opts)
{
	struct ssd_store_header *h = &store->h;
	ssize_t n = pread(store->fd, h, sizeof(*h), 0);

	if (n < 0)
		return err_set(-errno, "sim: %s: %m", opts->file);
	if (!n) {
		*h = (struct ssd_store_header){
			.version = VERSION,
			.clean = 1,
			.size_bytes = opts->size_bytes,
			.ms_bytes = opts->ms_bytes,
			.nns = opts->ns,
		};
		memcpy(h->magic, MAGIC, sizeof(h->magic));
		store->fresh = true;
		return 0;
	}
	if (n != sizeof(*h) || memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version != VERSION)
		return err_set(-EINVAL, "sim: %s is not the file of a software SSD", opts->file);
	if (h->size_bytes != opts->size_bytes || h->ms_bytes != opts->ms_bytes ||
	    h->nns != opts->ns)
		return err_set(-EINVAL, "sim: %s holds a drive of size=%llu,ms=%llu,ns=%llu",
			       opts->file, (unsigned long long)h->size_bytes,
			       (unsigned long long)h->ms_bytes, (unsigned long long)h->nns);
	return 0;
}

int ssd_store_open(struct ssd_store *store, const struct ssd_options *opts)
{
	uint64_t all = opts->size_bytes * opts->ns;
	int rc;

	if (opts->media != SSD_MEDIA_FILE)
		return 0;
	/* data, 64 bytes of metadata and one of state for each 512, and room to align */
	store->region_bytes = all + all / 8 + all / 512 + 3 * SSD_STORE_DATA;
	store->fd = open(opts->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	store->pid = getpid();
	if (store->fd < 0)
		return err_set(-errno, "sim: %s: %m", opts->file);
	if (flock(store->fd, LOCK_EX | LOCK_NB))
		rc = err_set(-EBUSY, "sim: %s is in use by another software SSD", opts->file);
	else
		rc = read_header(store, opts);
	if (rc)
		ssd_store_close(store);
	return rc;
}

void ssd_store_close(struct ssd_store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
}

static uint64_t *counter(struct ssd_health *h, unsigned int i)
{
	uint64_t *const all[] = { &h->read_sectors, &h->written_sectors, &h->read_cmds,
				  &h->write_cmds,   &h->power_cycles,	 &h->unsafe_shutdowns,
				  &h->media_errors, &h->powered_ns };

	return all[i];
}

void ssd_store_load(struct ssd *ssd)
{
	struct ssd_store_header *h = &ssd->store.h;

	if (ssd->store.fd < 0 || ssd->store.fresh)
		return;
	for (unsigned int i = 0; i < 8; i++)
		*counter(&ssd->health, i) = h->counters[i];
	memcpy(ssd->saved, h->saved_features, sizeof(h->saved_features));
	ssd->health.power_cycles++;
	if (!h->clean)
		ssd->health.unsafe_shutdowns++;
}

void ssd_store_save(struct ssd *ssd, bool clean)
{
	struct ssd_store_header *h = &ssd->store.h;

	if (ssd->store.fd < 0 || ssd->store.pid != getpid())
		return;
	h->clean = clean;
	for (unsigned int i = 0; i < 8; i++)
		h->counters[i] = *counter(&ssd->health, i);
	if (ssd->powered)
		h->counters[7] += ssd->now_ns - ssd->health.powered_at_ns;
	memcpy(h->saved_features, ssd->saved, sizeof(h->saved_features));
	for (unsigned int i = 0; i < SSD_STORE_NAMESPACES; i++) {
		const struct ssd_ns *ns = &ssd->ns[i];

		h->ns[i] = (struct ssd_store_ns){ .bytes = ns->bytes,
						  .exists = ns->exists,
						  .attached = ns->attached,
						  .lbaf = ns->lbaf,
						  .extended = ns->extended,
						  .pi_type = ns->pi_type,
						  .pi_first = ns->pi_first };
	}
	if (pwrite(ssd->store.fd, h, sizeof(*h), 0) != sizeof(*h))
		log_warn("sim: %s: header not written: %m", ssd->opts.file);
}
