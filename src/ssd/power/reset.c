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

static void drop_queues(struct ssd_ctrl *ctrl)
{
	ssd_ctx_drop(ctrl, NULL);
	for (unsigned int q = 0; q < SSD_QUEUES_MAX; q++) {
		if (ctrl->sq[q].live)
			ssd_sq_destroy(ctrl, &ctrl->sq[q]);
		if (ctrl->cq[q].live)
			ssd_cq_destroy(ctrl, &ctrl->cq[q]);
	}
	ctrl->sq_next = 0;
}

/* What a controller forgets. */
static void reset_ctrl(struct ssd_ctrl *ctrl, enum ssd_reset kind)
{
	drop_queues(ctrl);
	ssd_aer_reset(ctrl);
	ssd_dbbuf_reset(ctrl);
	ssd_features_reset(ctrl);
	ssd_feature_data_reset(ctrl);
	ssd_thermal_init(ctrl);
	ssd_power_reset(ctrl);
	if (kind == SSD_RESET_FUNCTION || kind == SSD_RESET_POWER) {
		ssd_irq_reset(ctrl);
		ssd_pci_init(ctrl);
	}
	ssd_regs_reset(ctrl, kind);
	ctrl->lost = ctrl->fabrics && kind != SSD_RESET_CONTROLLER;
}

/* What the drive forgets with a controller, or with all of them (NULL). */
static void reset_drive(struct ssd *ssd, const struct ssd_ctrl *ctrl, enum ssd_reset kind)
{
	ssd_firmware_reset(ssd);
	ssd_pel_reset(ssd);
	ssd_self_test_reset(ssd, ctrl);
	if (kind != SSD_RESET_POWER)
		return;
	ssd_self_test_power(ssd);
	ssd_sanitize_power(ssd);
	ssd_format_power(ssd);
	ssd_firmware_power(ssd);
	ssd_telemetry_power(ssd);
}

void ssd_reset(struct ssd_ctrl *ctrl, enum ssd_reset kind)
{
	reset_drive(ctrl->ssd, ctrl, kind);
	reset_ctrl(ctrl, kind);
}

void ssd_reset_all(struct ssd *ssd, enum ssd_reset kind)
{
	reset_drive(ssd, NULL, kind);
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		reset_ctrl(ctrl, kind);
}

int ssd_flr(struct ssd_ctrl *ctrl, uint64_t now_ns)
{
	struct ssd *ssd = ctrl->ssd;

	ssd->now_ns = now_ns;
	if (!ssd->powered || ssd->removed)
		return err_set(-ENODEV, "sim: no drive to reset");
	ssd_reset(ctrl, SSD_RESET_FUNCTION);
	return 0;
}

int ssd_hot_reset(struct ssd_ctrl *ctrl, uint64_t now_ns)
{
	return ssd_flr(ctrl, now_ns);
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
	ssd_reset_all(ssd, SSD_RESET_POWER);
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
	ssd_reset_all(ssd, SSD_RESET_POWER);
	ssd_pel_power_on(ssd);
	return 0;
}

void ssd_remove(struct ssd *ssd, uint64_t now_ns)
{
	if (ssd->powered)
		ssd_power(ssd, false, now_ns);
	ssd->removed = true;
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		ssd_update_running(ctrl);
}
