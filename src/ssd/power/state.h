/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state.h - power states of a controller: Base 2.1 section 8.1.17, features 02h and 0Ch.
 *
 * A transition takes the exit latency of the old state and the entry latency of the new one. IO
 * commands wait in their queues meanwhile. A command of any IO queue leads from a non-operational
 * state back to the last operational one; admin commands are executed in any state.
 */
#ifndef PYNVME_SSD_POWER_STATE_H
#define PYNVME_SSD_POWER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/identify.h"
#include "ssd/event.h"

#define SSD_NPSS 4 /* power states 0..4 */

struct ssd_ctrl;

/**
 * struct ssd_power
 * @state: where the controller is, or goes to until @until_ns
 * @operational: the last operational state
 * @autonomous: APST is enabled
 * @used_ns: when an IO command was seen last
 * @until_ns: end of the last transition
 * @ready: fires then
 * @idle: fires when the controller may have been idle for long enough
 */
struct ssd_power {
	uint8_t state;
	uint8_t operational;
	bool autonomous;
	uint64_t used_ns;
	uint64_t until_ns;
	struct ssd_event ready;
	struct ssd_event idle;
};

extern const struct nvme_psd ssd_power_states[SSD_NPSS + 1];

/* Any reset: state 0, nothing autonomous. */
void ssd_power_reset(struct ssd_ctrl *ctrl);
/* APST was switched, or its table changed. */
void ssd_power_set_autonomous(struct ssd_ctrl *ctrl, bool on);
/* Each step while SSD_WATCH_POWER is set: may IO queues be served? */
bool ssd_power_serves_io(struct ssd_ctrl *ctrl);
/* An IO command that came by no queue: how long it waits, in ns. */
uint64_t ssd_power_use(struct ssd_ctrl *ctrl);

#endif
