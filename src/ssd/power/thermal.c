/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Temperature Threshold, feature 04h (Base 2.1 section 5.1.25.1.3):
 *
 *   TMPSEL of a sensor that there is not	00/02
 *   THSEL reserved				00/02
 */
#include "ssd/power/thermal.h"

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define TMPSEL_COMPOSITE 0x0u
#define TMPSEL_ALL	 0xfu
#define THSEL_OVER	 0u
#define THSEL_UNDER	 1u

static const struct ssd_thermal initial = { .over_kelvin = SSD_WCTEMP };

void ssd_thermal_init(struct ssd_ctrl *ctrl)
{
	ctrl->thermal = initial;
}

void ssd_thermal_update(struct ssd_ctrl *ctrl)
{
	struct ssd_thermal *t = &ctrl->thermal;
	uint16_t k = ctrl->ssd->temperature_kelvin;
	bool exceeded = k >= t->over_kelvin || k <= t->under_kelvin;
	bool crossed = exceeded && !t->exceeded;

	t->exceeded = exceeded;
	if (crossed && ctrl->feat.current[NVME_FEAT_ASYNC_EVENT] & NVME_SMART_WARN_TEMPERATURE)
		ssd_aer_raise(ctrl, NVME_AER_TYPE_SMART, NVME_AER_SMART_TEMPERATURE,
			      NVME_LOG_SMART);
}

static uint16_t check_select(struct ssd_ctx *c, bool set)
{
	uint32_t sel = NVME_GET(c->sqe.cdw11, TMPTH_TMPSEL);

	if (sel != TMPSEL_COMPOSITE && !(set && sel == TMPSEL_ALL)) {
		c->error_loc = SSD_LOC(46, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (NVME_GET(c->sqe.cdw11, TMPTH_THSEL) > THSEL_UNDER) {
		c->error_loc = SSD_LOC(46, 4);
		return NVME_SC_INVALID_FIELD;
	}
	return 0;
}

uint16_t ssd_feature_set_threshold(struct ssd *ssd, struct ssd_ctx *c)
{
	uint16_t k = (uint16_t)NVME_GET(c->sqe.cdw11, TMPTH_TMPTH);
	uint16_t sc = check_select(c, true);

	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw11, TMPTH_THSEL) == THSEL_OVER)
		c->ctrl->thermal.over_kelvin = k;
	else
		c->ctrl->thermal.under_kelvin = k;
	/* a new threshold is crossed anew */
	c->ctrl->thermal.exceeded = false;
	ssd_thermal_update(c->ctrl);
	return 0;
}

uint16_t ssd_feature_get_threshold(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_thermal *t = &c->ctrl->thermal;
	uint16_t sc = check_select(c, false);

	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw10, FEAT_SEL) != NVME_SEL_CURRENT)
		t = &initial;
	c->cdw0 = NVME_GET(c->sqe.cdw11, TMPTH_THSEL) == THSEL_OVER ? t->over_kelvin :
								      t->under_kelvin;
	return 0;
}
