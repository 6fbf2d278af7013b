/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie.h - nvme._core.Pcie: config space of one function, before and beside its Controller.
 */
#ifndef PYNVME_PYEXT_PCIE_H
#define PYNVME_PYEXT_PCIE_H

#include "pyext/pyext.h"

struct bus;

/**
 * struct py_pcie - the function of a controller, or one that has no controller yet
 * @bus: its own, until a Controller is made from it
 * @ctrl: whose bus it looks at, or NULL
 */
struct py_pcie {
	PyObject_HEAD struct py_state *state;
	struct bus *bus;
	struct py_ctrl *ctrl;
	struct py_live live;
	uint32_t generation;
};

/* The bus goes over to a controller that is being made; NULL with an exception if it has one. */
struct bus *py_pcie_give_bus(struct py_pcie *self);
/* That controller is there. */
void py_pcie_take_ctrl(struct py_pcie *self, struct py_ctrl *ctrl);

#endif
