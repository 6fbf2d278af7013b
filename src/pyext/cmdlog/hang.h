/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hang.h - functions of the module for a process that hangs and is ended by SIGQUIT.
 */
#ifndef PYNVME_PYEXT_CMDLOG_HANG_H
#define PYNVME_PYEXT_CMDLOG_HANG_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern const char py_quit_report_doc[], py_quit_default_doc[];

PyObject *py_quit_report(PyObject *module, PyObject *fd);
PyObject *py_quit_default(PyObject *module, PyObject *unused);

#endif
