/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets and power: who forgets what.
 *
 *			queues, commands, AERs	  features	  registers	 config space
 *   CC.EN = 0		gone			  saved values	  AQA.. stay	 stays
 *   NSSR		gone			  saved values	  reset		 stays
 *   FLR, hot reset	gone			  saved values	  reset		 reset
 *   power off		gone, cache lost	  saved values	  reset		 reset
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "ssd/device.h"
#include "ssd/step.h"

static void drop_queues(struct ssd *ssd)
{
	ssd_ctx_drop(ssd, NULL);
	for (unsigned int q = 0; q < SSD_QUEUES_MAX; q++) {
		if (ssd->sq[q].live)
			ssd_sq_destroy(ssd, &ssd->sq[q]);
		if (ssd->cq[q].live)
			ssd_cq_destroy(ssd, &ssd->cq[q]);
	}
	ssd->sq_next = 0;
}

void ssd_reset(struct ssd *ssd, enum ssd_reset kind)
{
	drop_queues(ssd);
	ssd_aer_reset(ssd);
	ssd_dbbuf_reset(ssd);
	ssd_features_reset(ssd);
	ssd_feature_data_reset(ssd);
	ssd_thermal_init(ssd);
	ssd_firmware_reset(ssd);
	ssd_pel_reset(ssd);
	ssd_self_test_reset(ssd);
	if (kind == SSD_RESET_POWER) {
		ssd_self_test_power(ssd);
		ssd_sanitize_power(ssd);
		ssd_format_power(ssd);
		ssd_firmware_power(ssd);
		ssd_telemetry_power(ssd);
	}
	if (kind == SSD_RESET_FUNCTION || kind == SSD_RESET_POWER) {
		ssd_irq_reset(ssd);
		ssd_pci_init(ssd);
	}
	ssd_regs_reset(ssd, kind);
}

int ssd_flr(struct ssd *ssd, uint64_t now_ns)
{
	ssd->now_ns = now_ns;
	if (!ssd->powered || ssd->removed)
		return err_set(-ENODEV, "sim: no drive to reset");
	ssd_reset(ssd, SSD_RESET_FUNCTION);
	return 0;
}

int ssd_hot_reset(struct ssd *ssd, uint64_t now_ns)
{
	return ssd_flr(ssd, now_ns);
}

static void power_off(struct ssd *ssd)
{
	if (!ssd->clean_shutdown) {
		ssd->health.unsafe_shutdowns++;
		ssd_cache_lose(ssd);
	}
	ssd_cache_flush(ssd);
	ssd->health.powered_ns += ssd->now_ns - ssd->health.powered_at_ns;
	ssd->health.powered_at_ns = ssd->now_ns;
	ssd->powered = false;
	ssd_store_save(ssd, true);
	ssd_reset(ssd, SSD_RESET_POWER);
}

int ssd_power(struct ssd *ssd, bool on, uint64_t now_ns)
{
	ssd->now_ns = now_ns;
	if (ssd->removed)
		return err_set(-ENODEV, "sim: the drive was removed");
	if (on == ssd->powered)
		return 0;
	if (!on) {
		power_off(ssd);
		return 0;
	}
	ssd->powered = true;
	ssd->clean_shutdown = false;
	ssd->health.power_cycles++;
	ssd->health.powered_at_ns = now_ns;
	ssd_reset(ssd, SSD_RESET_POWER);
	ssd_pel_power_on(ssd);
	return 0;
}

void ssd_remove(struct ssd *ssd, uint64_t now_ns)
{
	if (ssd->powered)
		ssd_power(ssd, false, now_ns);
	ssd->removed = true;
	ssd_update_running(ssd);
}
