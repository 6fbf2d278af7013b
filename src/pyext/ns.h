/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns.h - nvme._core.Namespace: its IO commands (ns_rw.c, ns_cmd.c).
 */
#ifndef PYNVME_PYEXT_NS_H
#define PYNVME_PYEXT_NS_H

#include "pyext/pyext.h"

/* 0, or -1 with an exception: closed, or opened in another process. */
int py_ns_check(struct py_ns *self);

/**
 * py_ns_req() - py_req_get() for a command that needs the namespace: r->ns, open until it is done
 *
 * Arguments are made numbers of, and callbacks looked at, by Python code, which may close it:
 * self->ns means something again behind this call, and no earlier.
 * Return: NULL with an exception.
 */
struct py_req *py_ns_req(struct py_ns *self, PyObject *cb);

/**
 * py_ns_qpair() - argument `qpair` of a command of @self: a Qpair of the same controller
 *
 * Both are open now; see py_ns_req() for later.
 * Return: borrowed; NULL with TypeError, SystemError, or a ValueError that names both.
 */
struct py_qpair *py_ns_qpair(struct py_ns *self, PyObject *o);

#define PY_NS_METHOD(name)                                                             \
	extern const char py_ns_##name##_doc[];                                        \
	PyObject *py_ns_##name(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, \
			       PyObject *kwnames)

PY_NS_METHOD(read);
PY_NS_METHOD(write);
PY_NS_METHOD(compare);
PY_NS_METHOD(write_zeroes);
PY_NS_METHOD(write_uncorrectable);
PY_NS_METHOD(verify);
PY_NS_METHOD(flush);
PY_NS_METHOD(dsm);
PY_NS_METHOD(copy);
PY_NS_METHOD(send_cmd);
PY_NS_METHOD(verify_save);
PY_NS_METHOD(verify_load);

#endif
