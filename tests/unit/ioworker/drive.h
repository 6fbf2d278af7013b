/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drive.h - the software SSD of a test of workers, and its namespace 1.
 */
#ifndef PYNVME_TESTS_IOWORKER_DRIVE_H
#define PYNVME_TESTS_IOWORKER_DRIVE_H

struct nvme_ctrl;
struct nvme_ns;

struct drive {
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns;
};

extern struct drive drive;

/* Set-up functions of cmocka: with a device that a poller steps, and with one of its own thread. */
int drive_open(void **state);
int drive_open_always(void **state);
/* Tear-down: verification is off again, and nothing is left behind. */
int drive_close(void **state);

#endif
