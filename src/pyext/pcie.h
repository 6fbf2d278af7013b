/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie.h - nvme._core.Pcie: config space of one function, before and beside its Controller.
 */
#ifndef PYNVME_PYEXT_PCIE_H
#define PYNVME_PYEXT_PCIE_H

#include "pyext/pyext.h"

struct bus;
struct nvme_ctrl;

/**
 * struct py_pcie - the function of a controller, or one that has no controller yet
 * @bus: its own, until a Controller is made from it
 * @ctrl: whose bus it looks at, or NULL; the newest, if several were made from it
 * @addr: of a function of its own, to reach it again when no Controller could be made; or NULL
 * @closed: by close()
 */
struct py_pcie {
	PyObject_HEAD struct py_state *state;
	struct bus *bus;
	struct py_ctrl *ctrl;
	PyObject *addr;
	struct py_live live;
	uint32_t generation;
	bool closed;
};

/**
 * py_pcie_give() - what a Controller that is being made gets: the bus, or a controller that has it
 * @bus: goes over to the controller, or NULL
 * @shared: open, with a new reference, or NULL
 * Return: 0, or -1 with an exception.
 */
int py_pcie_give(struct py_pcie *self, struct bus **bus, struct nvme_ctrl **shared);
/* That controller is there. */
void py_pcie_take_ctrl(struct py_pcie *self, struct py_ctrl *ctrl);

#endif
