/* SPDX-License-Identifier: BSD-3-Clause */
#include "drive.h"

#include "base/counts.h"
#include "base/err.h"
#include "fixture.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"

struct drive drive;

static int open_at(const char *addr)
{
	if (nvme_ctrl_open(&drive.ctrl, addr, NULL) || nvme_ns_open(drive.ctrl, 1, &drive.ns))
		fail_msg("%s", err_text());
	return 0;
}

int drive_open(void **state)
{
	return open_at("sim:size=1G");
}

int drive_open_always(void **state)
{
	return open_at("sim:size=1G,thread=always");
}

int drive_close(void **state)
{
	nvme_ns_put(drive.ns);
	nvme_ctrl_put(drive.ctrl);
	nvme_config.verify = false;
	assert_int_equal(count_get(COUNT_QPAIRS), 0);
	assert_int_equal(count_get(COUNT_REQUESTS), 0);
	assert_int_equal(count_get(COUNT_THREADS), 0);
	return 0;
}
