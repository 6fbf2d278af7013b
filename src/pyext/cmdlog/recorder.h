/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recorder.h - functions of the module that read the flight recorder's files.
 */
#ifndef PYNVME_PYEXT_CMDLOG_RECORDER_H
#define PYNVME_PYEXT_CMDLOG_RECORDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern const char py_cmdlog_file_doc[], py_cmdlog_path_doc[];
extern const char py_recorder_doc[], py_recorder_records_doc[];

PyObject *py_cmdlog_file(PyObject *module, PyObject *path);
PyObject *py_cmdlog_path(PyObject *module, PyObject *unused);
PyObject *py_recorder(PyObject *module, PyObject *path);
PyObject *py_recorder_records(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
			      PyObject *kwnames);

#endif
