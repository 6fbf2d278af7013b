/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buffer.h - the parts of nvme.Buffer that know what the bytes mean (buffer_field.c).
 */
#ifndef PYNVME_PYEXT_BUFFER_H
#define PYNVME_PYEXT_BUFFER_H

#include "pyext/pyext.h"

extern const char py_buffer_field_doc[];
extern const char py_buffer_set_dsm_range_doc[];
extern const char py_buffer_set_copy_range_doc[];

PyObject *py_buffer_field(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			  PyObject *kwnames);
PyObject *py_buffer_set_dsm_range(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				  PyObject *kwnames);
PyObject *py_buffer_set_copy_range(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				   PyObject *kwnames);

/* First content of a new buffer, which is zeroed already; 0, or -1 with ValueError. */
int py_buffer_fill(struct py_buffer *self, uint32_t ptype, uint32_t pvalue);

#endif
