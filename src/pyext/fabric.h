/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fabric.h - what is different for controllers that are reached over a network.
 */
#ifndef PYNVME_PYEXT_FABRIC_H
#define PYNVME_PYEXT_FABRIC_H

#include "pyext/pyext.h"

struct py_ctrl;

/* Options of an NVMe/TCP address, for the controller at @addr; NULL: a PCI function. -1: exception. */
int py_fabric_options(PyObject *arg, const char *addr, const char **out);

/* NvmeError: @ctrl has nothing of the kind. Returns NULL. */
PyObject *py_fabric_without(struct py_ctrl *ctrl, const char *what);

PyObject *py_discover(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
extern const char py_discover_doc[];

#endif
