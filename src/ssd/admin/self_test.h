/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * self_test.h - Device Self-test and its log (Base 2.1 sections 5.1.5, 8.1.7).
 */
#ifndef PYNVME_SSD_ADMIN_SELF_TEST_H
#define PYNVME_SSD_ADMIN_SELF_TEST_H

#include <stdint.h>

#include "spec/logs.h"
#include "ssd/background.h"

#define SSD_DST_RESULTS 20

struct ssd;
struct ssd_ctrl;

struct ssd_self_test {
	struct ssd_background bg;
	uint8_t code;	 /* running: NVME_DST_SHORT or _EXTENDED, else 0 */
	uint16_t cntlid; /* who asked for it */
	uint32_t nsid;
	struct nvme_self_test_result results[SSD_DST_RESULTS]; /* newest first */
};

void ssd_self_test_init(struct ssd *ssd);
/* End a running test with NVME_DST_RESULT_*; nothing if none runs. */
void ssd_self_test_end(struct ssd *ssd, uint8_t result);
/*
 * A reset of the controller that it was given to (NULL: of all) ends a short test; an extended
 * one goes on, after power too.
 */
void ssd_self_test_reset(struct ssd *ssd, const struct ssd_ctrl *ctrl);
void ssd_self_test_power(struct ssd *ssd);

#endif
