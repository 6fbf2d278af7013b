/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ssd/step.h"

static int alloc_bounce(struct ssd *ssd)
{
	/* the most metadata an LBA of 512 bytes can have is 64 */
	size_t bytes = ssd->mdts_bytes;

	ssd->bounce = aligned_alloc(4096, bytes);
	ssd->bounce_meta = aligned_alloc(4096, bytes);
	if (ssd_dptr_init(&ssd->dptr, bytes))
		return err_set(-ENOMEM, "sim: no memory");
	return ssd->bounce && ssd->bounce_meta ? 0 : err_set(-ENOMEM, "sim: no memory");
}

static int init(struct ssd *ssd, const char *options, uint64_t now_ns)
{
	int rc = ssd_options_parse(&ssd->opts, options);

	ssd->store.fd = -1;
	ssd->last_cntlid = SSD_CNTLID_PCIE;
	snprintf(ssd->nqn, sizeof(ssd->nqn), "nqn.2019-08.org.pynvme:sim:%s", ssd->opts.sn);
	if (!rc)
		rc = ssd_store_open(&ssd->store, &ssd->opts);
	if (rc)
		return rc;
	ssd->now_ns = now_ns;
	ssd->powered = true;
	ssd->instant = ssd->opts.latency == SSD_LATENCY_NONE;
	ssd->mdts_bytes = ssd->opts.mdts_bytes ? (uint32_t)ssd->opts.mdts_bytes : SSD_TRANSFER_MAX;
	ssd->temperature_kelvin = (uint16_t)ssd->opts.temperature_kelvin;
	ssd->health.power_cycles = 1;
	ssd->health.powered_at_ns = now_ns;
	rand_seed(&ssd->rand, ssd->opts.seed);
	rc = alloc_bounce(ssd);
	if (!rc)
		rc = ssd_contexts_init(ssd);
	if (!rc)
		rc = ssd_ns_init(ssd);
	if (rc)
		return rc;
	ssd_firmware_init(ssd);
	ssd_telemetry_power(ssd);
	ssd_self_test_init(ssd);
	ssd_features_init(ssd);
	ssd_store_load(ssd);
	ssd_store_save(ssd, false);
	rc = ssd_ctrl_init(ssd, &ssd->pcie, SSD_CNTLID_PCIE);
	if (rc)
		return rc;
	ssd_pel_power_on(ssd);
	ssd->initialised = true;
	return 0;
}

int ssd_create(struct ssd **out, const char *options, const struct ssd_host_ops *ops, void *host,
	       uint64_t now_ns)
{
	struct ssd *ssd = aligned_alloc(64, (sizeof(*ssd) + 63) & ~(size_t)63);
	int rc;

	if (!ssd)
		return err_set(-ENOMEM, "sim: no memory");
	memset(ssd, 0, sizeof(*ssd));
	ssd->pcie.ops = ops;
	ssd->pcie.host = host;
	rc = init(ssd, options, now_ns);
	if (rc) {
		ssd_destroy(ssd);
		return rc;
	}
	*out = ssd;
	return 0;
}

void ssd_destroy(struct ssd *ssd)
{
	if (!ssd)
		return;
	/* the end of the process is no loss of power: what the host saw done is kept */
	if (ssd->initialised)
		ssd_store_save(ssd, true);
	ssd_store_close(&ssd->store);
	ssd_cache_forget(ssd, NULL);
	ssd_ns_fini(ssd);
	ssd_firmware_fini(ssd);
	ssd_pel_fini(ssd);
	ssd_faults_fini(ssd);
	ssd_contexts_fini(ssd);
	while (ssd->pcie.next)
		ssd_ctrl_destroy(ssd->pcie.next);
	ssd_events_fini(&ssd->events);
	ssd_ctrl_fini(&ssd->pcie);
	ssd_dptr_fini(&ssd->dptr);
	free(ssd->bounce);
	free(ssd->bounce_meta);
	free(ssd);
}

struct ssd_ctrl *ssd_pcie(struct ssd *ssd)
{
	return &ssd->pcie;
}

uint64_t ssd_next_event_ns(const struct ssd *ssd)
{
	for (const struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		if (ctrl->cq_dirty)
			return 0;
	return ssd_events_next_ns(&ssd->events);
}

const char *ssd_nqn(const struct ssd *ssd)
{
	return ssd->nqn;
}

int ssd_set_nqn(struct ssd *ssd, const char *nqn)
{
	if (!*nqn || strlen(nqn) > NVME_NQN_MAX)
		return err_set(-EINVAL, "NQN %.40s: must have 1 to %u bytes", nqn, NVME_NQN_MAX);
	/* all of the field is shown to hosts: nothing is left of the name before */
	memset(ssd->nqn, 0, sizeof(ssd->nqn));
	memcpy(ssd->nqn, nqn, strlen(nqn));
	return 0;
}

unsigned int ssd_mqes(const struct ssd *ssd)
{
	return (unsigned int)ssd->opts.mqes;
}

uint32_t ssd_mdts_bytes(const struct ssd *ssd)
{
	return ssd->mdts_bytes;
}

bool ssd_wants_thread(const struct ssd *ssd)
{
	return ssd->opts.thread_always;
}

bool ssd_powered(const struct ssd *ssd)
{
	return ssd->powered;
}

uint64_t ssd_power_on_hours(const struct ssd *ssd)
{
	const struct ssd_health *h = &ssd->health;

	return (h->powered_ns + (ssd->now_ns - h->powered_at_ns)) / 3600000000000ull;
}

unsigned int ssd_temperature(const struct ssd *ssd)
{
	return ssd->temperature_kelvin;
}

void ssd_get_stats(const struct ssd *ssd, struct ssd_stats *stats)
{
	*stats = ssd->stats;
	stats->reads = ssd->health.read_sectors;
	stats->writes = ssd->health.written_sectors;
	stats->media_bytes = 0;
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		if (ssd->ns[i].media)
			stats->media_bytes += ssd->ns[i].media->ops->bytes(ssd->ns[i].media);
}

int ssd_set_temperature(struct ssd *ssd, unsigned int kelvin, uint64_t now_ns)
{
	if (!kelvin || kelvin > UINT16_MAX)
		return err_set(-EINVAL, "sim: a temperature of %u K", kelvin);
	ssd->now_ns = now_ns;
	ssd->temperature_kelvin = (uint16_t)kelvin;
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		ssd_thermal_update(ctrl);
	return 0;
}
