/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair.h - sending on a Qpair, and waiting for it.
 */
#ifndef PYNVME_PYEXT_QPAIR_H
#define PYNVME_PYEXT_QPAIR_H

#include "pyext/wait.h"

/* 0, or -1 with an exception: deleted, or opened in another process. */
int py_qpair_check(struct py_qpair *self);

/**
 * py_qpair_submit() - give @r to the driver and ring the doorbell
 *
 * @r is the driver's then, or back in the pool after an error.
 * Return: @self with a new reference, what every IO command returns; NULL with SystemError when
 * the queue is stale.
 */
PyObject *py_qpair_submit(struct py_qpair *self, struct py_req *r);

/* Take the queue's mutex; waits without the GIL when another thread has it. */
void py_qpair_lock(struct py_qpair *self);

/* qpair_wait.c */
PyObject *py_qpair_waitdone(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames);
extern const char py_qpair_waitdone_doc[];

/* qpair_irq.c; methods, ends with an empty entry */
PyObject *py_qpair_msix_clear(PyObject *obj, PyObject *unused);
PyObject *py_qpair_msix_isset(PyObject *obj, PyObject *unused);
PyObject *py_qpair_msix_mask(PyObject *obj, PyObject *unused);
PyObject *py_qpair_msix_unmask(PyObject *obj, PyObject *unused);
PyObject *py_qpair_wait_int(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames);
extern const char py_qpair_msix_clear_doc[];
extern const char py_qpair_msix_isset_doc[];
extern const char py_qpair_msix_mask_doc[];
extern const char py_qpair_msix_unmask_doc[];
extern const char py_qpair_wait_int_doc[];

#endif
