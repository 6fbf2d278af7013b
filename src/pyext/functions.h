/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * functions.h - the functions of the module.
 */
#ifndef PYNVME_PYEXT_FUNCTIONS_H
#define PYNVME_PYEXT_FUNCTIONS_H

#include "pyext/pyext.h"

extern PyMethodDef py_functions[];

/* module.c */
extern const char py_close_all_doc[];
PyObject *py_close_all(PyObject *module, PyObject *unused);

#endif
