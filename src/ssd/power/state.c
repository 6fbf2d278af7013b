/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power states. Five of them, the last two not operational (Base 2.1 section 8.1.17.1).
 *
 *   02h  a power state above NPSS			00/02
 */
#include "ssd/power/state.h"

#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

/* Power in 0.01 W. */
const struct nvme_psd ssd_power_states[SSD_NPSS + 1] = {
	{ .mp = 600 },
	{ .mp = 400, .rrt = 1, .rrl = 1, .rwt = 1, .rwl = 1 },
	{ .mp = 300, .rrt = 2, .rrl = 2, .rwt = 2, .rwl = 2 },
	{ .mp = 5,
	  .flags = NVME_PSD_NOPS,
	  .enlat = 1000,
	  .exlat = 1500,
	  .rrt = 3,
	  .rrl = 3,
	  .rwt = 3,
	  .rwl = 3 },
	{ .mp = 1,
	  .flags = NVME_PSD_NOPS,
	  .enlat = 5000,
	  .exlat = 12000,
	  .rrt = 4,
	  .rrl = 4,
	  .rwt = 4,
	  .rwl = 4 },
};

static bool operational(uint8_t state)
{
	return !(ssd_power_states[state].flags & NVME_PSD_NOPS);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What APST says of the present state; 0 ms: nothing. */
static uint64_t idle_time_ns(const struct ssd_ctrl *ctrl)
{
	uint64_t entry = ctrl->featdata.apst.entry[ctrl->power.state];

	return ctrl->power.autonomous ? NVME_GET(entry, APST_ITPT) * NS_PER_MS : 0;
}

/* Since when nothing was outstanding in the present state. */
static uint64_t idle_since_ns(const struct ssd_ctrl *ctrl)
{
	const struct ssd_power *p = &ctrl->power;

	return later(later(p->used_ns, p->until_ns), ctrl->ssd->health.busy_until_ns);
}

static void enter(struct ssd_ctrl *ctrl, uint8_t state);

/* Something in the background needs more power than a non-operational state has. */
static bool at_work(const struct ssd *ssd)
{
	return ssd_background_runs(&ssd->dst.bg) || ssd_background_runs(&ssd->format.bg) ||
	       ssd_sanitize_runs(&ssd->sanitize);
}

static void idle(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctrl *ctrl = SSD_CTRL_OF(ev, power.idle);
	uint64_t entry = ctrl->featdata.apst.entry[ctrl->power.state];
	uint64_t due_ns = idle_since_ns(ctrl) + idle_time_ns(ctrl);

	if (at_work(ssd))
		due_ns = ssd->now_ns + idle_time_ns(ctrl);
	if (due_ns > ssd->now_ns)
		ssd_event_set(&ssd->events, ev, due_ns);
	else
		enter(ctrl, (uint8_t)NVME_GET(entry, APST_ITPS));
}

static void expect_idle(struct ssd_ctrl *ctrl)
{
	struct ssd_power *p = &ctrl->power;
	uint64_t time_ns = idle_time_ns(ctrl);

	ssd_event_clear(&ctrl->ssd->events, &p->idle);
	p->idle.fire = idle;
	if (time_ns)
		ssd_event_set(&ctrl->ssd->events, &p->idle, idle_since_ns(ctrl) + time_ns);
}

/* A step then serves what waited. */
static void ready(struct ssd *ssd, struct ssd_event *ev)
{
}

static void enter(struct ssd_ctrl *ctrl, uint8_t state)
{
	struct ssd_power *p = &ctrl->power;
	struct ssd *ssd = ctrl->ssd;
	uint64_t time_us = ssd_power_states[p->state].exlat + ssd_power_states[state].enlat;

	if (state == p->state)
		return;
	p->until_ns = later(ssd->now_ns, p->until_ns) + (ssd->instant ? 0 : time_us * NS_PER_US);
	p->state = state;
	if (operational(state))
		p->operational = state;
	p->ready.fire = ready;
	ssd_event_set(&ssd->events, &p->ready, p->until_ns);
	ctrl->watch |= SSD_WATCH_POWER;
	expect_idle(ctrl);
}

uint64_t ssd_power_use(struct ssd_ctrl *ctrl)
{
	struct ssd_power *p = &ctrl->power;
	uint64_t now_ns = ctrl->ssd->now_ns;

	p->used_ns = now_ns;
	if (!operational(p->state))
		enter(ctrl, p->operational);
	return p->until_ns > now_ns ? p->until_ns - now_ns : 0;
}

static bool io_waits(const struct ssd_ctrl *ctrl)
{
	for (uint64_t left = ctrl->sq_live & ~1ull; left; left &= left - 1) {
		const struct ssd_sq *sq = &ctrl->sq[__builtin_ctzll(left)];

		if (__atomic_load_n(sq->db, __ATOMIC_RELAXED) != sq->head)
			return true;
	}
	return false;
}

bool ssd_power_serves_io(struct ssd_ctrl *ctrl)
{
	struct ssd_power *p = &ctrl->power;

	if (io_waits(ctrl))
		ssd_power_use(ctrl);
	if (p->until_ns > ctrl->ssd->now_ns)
		return false;
	if (operational(p->state) && !p->autonomous)
		ctrl->watch &= (uint8_t)~SSD_WATCH_POWER;
	return true;
}

void ssd_power_set_autonomous(struct ssd_ctrl *ctrl, bool on)
{
	struct ssd_power *p = &ctrl->power;

	p->autonomous = on;
	/* what was done before nobody watched */
	p->used_ns = ctrl->ssd->now_ns;
	ctrl->watch |= SSD_WATCH_POWER;
	expect_idle(ctrl);
}

void ssd_power_reset(struct ssd_ctrl *ctrl)
{
	struct ssd_power *p = &ctrl->power;

	ssd_event_clear(&ctrl->ssd->events, &p->ready);
	ssd_event_clear(&ctrl->ssd->events, &p->idle);
	memset(p, 0, sizeof(*p));
	ctrl->watch &= (uint8_t)~SSD_WATCH_POWER;
}

uint16_t ssd_feature_set_power(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_power *p = &c->ctrl->power;
	uint8_t state = NVME_GET(c->sqe.cdw11, PM_PS);

	if (state > SSD_NPSS) {
		c->error_loc = SSD_LOC(44, 0);
		return NVME_SC_INVALID_FIELD;
	}
	enter(c->ctrl, state);
	if (p->until_ns > ssd->now_ns)
		c->latency_ns += p->until_ns - ssd->now_ns;
	return 0;
}

/* The state that it is in, whoever led it there. */
uint16_t ssd_feature_get_power(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t set = c->ctrl->feat.current[NVME_FEAT_POWER_MANAGEMENT];

	if (NVME_GET(c->sqe.cdw10, FEAT_SEL) == NVME_SEL_CURRENT)
		c->cdw0 = (set & ~(uint32_t)NVME_FIELD_MASK(PM_PS)) | c->ctrl->power.state;
	return 0;
}
