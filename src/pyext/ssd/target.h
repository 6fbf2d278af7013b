/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target.h - nvme._core.Target: software SSDs that hosts reach over NVMe/TCP.
 */
#ifndef PYNVME_PYEXT_SSD_TARGET_H
#define PYNVME_PYEXT_SSD_TARGET_H

#include "pyext/pyext.h"

struct ssd;
struct target;

/* struct py_target - @target NULL once closed; @nssds SSDs, numbered from 0 */
struct py_target {
	PyObject_HEAD struct py_state *state;
	struct target *target;
	struct py_live live;
	unsigned int nssds;
	uint32_t generation;
};

/* It is open, here, and has an SSD @number. 0, or -1 with an exception. */
int py_target_check(struct py_target *self, uint64_t number);

/* Enter and leave SSD @number, which there is; NULL with an exception. */
struct ssd *py_target_enter(struct py_target *self, unsigned int number);
void py_target_leave(struct py_target *self, unsigned int number);

#endif
