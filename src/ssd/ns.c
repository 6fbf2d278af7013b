/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/ns.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "ssd/device.h"

unsigned int ssd_ns_lbafs(const struct ssd *ssd, struct ssd_lbaf lbaf[SSD_LBAF_MAX])
{
	uint32_t ms = (uint32_t)ssd->opts.ms_bytes;

	lbaf[0] = (struct ssd_lbaf){ 512, 0 };
	lbaf[1] = (struct ssd_lbaf){ 4096, 0 };
	lbaf[2] = (struct ssd_lbaf){ 512, ms };
	lbaf[3] = (struct ssd_lbaf){ 4096, ms };
	return ms ? 4 : 2;
}

struct ssd_ns *ssd_ns_active(struct ssd *ssd, uint32_t nsid)
{
	struct ssd_ns *ns = &ssd->ns[(nsid - 1) % SSD_NS_MAX];

	return nsid - 1 < SSD_NS_MAX && ns->attached ? ns : NULL;
}

uint16_t ssd_ns_check_active(struct ssd *ssd, struct ssd_ctx *c, uint32_t nsid)
{
	uint16_t sc = NVME_SC_INVALID_NS;

	if (nsid && nsid <= ssd->opts.ns)
		sc = ssd->ns[nsid - 1].attached ? 0 : NVME_SC_INVALID_FIELD;
	if (sc)
		c->error_loc = SSD_LOC(4, 0);
	return sc;
}

uint64_t ssd_ns_unallocated_bytes(const struct ssd *ssd)
{
	uint64_t bytes = ssd->opts.size_bytes * ssd->opts.ns;

	for (unsigned int i = 0; i < SSD_NS_MAX; i++)
		bytes -= ssd->ns[i].bytes;
	return bytes;
}

void ssd_ns_update(struct ssd *ssd, struct ssd_ns *ns)
{
	ns->plain = ns->attached && !ns->ms_bytes && !ns->not_ready;
}

/* Identifiers come from the serial number: the same drive has the same ones every time. */
static void make_identifiers(struct ssd *ssd, struct ssd_ns *ns)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (const char *p = ssd->opts.sn; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3ull;
	hash += ns->nsid;
	memcpy(ns->eui64, &hash, sizeof(hash));
	ns->eui64[0] = 0x02; /* locally administered */
	memcpy(ns->nguid, &hash, sizeof(hash));
	memcpy(ns->nguid + 8, ns->eui64, sizeof(ns->eui64));
	memcpy(ns->uuid, ns->nguid, sizeof(ns->uuid));
	ns->uuid[6] = (uint8_t)((ns->uuid[6] & 0x0f) | 0x80); /* version 8: vendor's own */
	ns->uuid[8] = (uint8_t)((ns->uuid[8] & 0x3f) | 0x80);
}

/* Medium and geometry of a format; contents are whatever the medium holds. */
static int set_format(struct ssd *ssd, struct ssd_ns *ns, uint8_t lbaf, bool extended,
		      uint8_t pi_type, bool pi_first)
{
	struct ssd_lbaf formats[SSD_LBAF_MAX], *f = &formats[lbaf];
	struct ssd_media *old = ns->media, *m;
	uint64_t bytes = ns->bytes;
	int rc;

	ssd_ns_lbafs(ssd, formats);
	if (!old || old->lba_bytes != f->lba_bytes || old->ms_bytes != f->ms_bytes) {
		rc = ssd_media_create(&m, &ssd->opts, &ssd->store, ns->nsid - 1,
				      bytes / f->lba_bytes, f->lba_bytes, f->ms_bytes);
		if (rc)
			return rc;
		ssd_media_destroy(old);
		ns->media = m;
	}
	ns->lbaf = lbaf;
	ns->lba_bytes = f->lba_bytes;
	ns->lba_shift = (uint8_t)__builtin_ctz(f->lba_bytes);
	ns->ms_bytes = f->ms_bytes;
	ns->extended = extended && f->ms_bytes;
	ns->pi_type = f->ms_bytes ? pi_type : 0;
	ns->pi_first = pi_first;
	ns->nsze = bytes / f->lba_bytes;
	ns->ncap = ns->nsze;
	ssd_ns_update(ssd, ns);
	return 0;
}

int ssd_ns_format(struct ssd *ssd, struct ssd_ns *ns, uint8_t lbaf, bool extended, uint8_t pi_type,
		  bool pi_first)
{
	int rc;

	ssd_cache_forget(ssd, ns);
	if (ns->media)
		ns->media->ops->erase(ns->media);
	rc = set_format(ssd, ns, lbaf, extended, pi_type, pi_first);
	if (!rc)
		ssd_store_save(ssd, false);
	return rc;
}

/* As the options say, or as the file of the drive remembers it. */
static struct ssd_store_ns first_state(const struct ssd *ssd, unsigned int i)
{
	if (ssd->store.fd >= 0 && !ssd->store.fresh)
		return ssd->store.h.ns[i];
	return (struct ssd_store_ns){
		.bytes = i < ssd->opts.ns ? ssd->opts.size_bytes : 0,
		.exists = i < ssd->opts.ns,
		.attached = i < ssd->opts.ns,
		.lbaf = ssd->opts.lba_bytes == 512 ? 0 : 1,
	};
}

int ssd_ns_init(struct ssd *ssd)
{
	struct ssd_lbaf lbaf[SSD_LBAF_MAX];
	unsigned int nlbafs = ssd_ns_lbafs(ssd, lbaf);

	for (uint32_t i = 0; i < SSD_NS_MAX; i++) {
		const struct ssd_store_ns s = first_state(ssd, i);
		struct ssd_ns *ns = &ssd->ns[i];
		int rc;

		ns->nsid = i + 1;
		make_identifiers(ssd, ns);
		if (!s.exists)
			continue;
		if (i >= ssd->opts.ns || s.lbaf >= nlbafs || s.pi_type > 3 ||
		    s.bytes > ssd->opts.size_bytes * ssd->opts.ns)
			return err_set(-EINVAL, "sim: %s: namespace %u is damaged", ssd->opts.file,
				       i + 1);
		ns->bytes = s.bytes;
		ns->exists = true;
		ns->attached = s.attached;
		rc = set_format(ssd, ns, s.lbaf, s.extended, s.pi_type, s.pi_first);
		if (rc)
			return rc;
	}
	return 0;
}

void ssd_ns_fini(struct ssd *ssd)
{
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		ssd_media_destroy(ssd->ns[i].media);
}
