/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioworker.h - nvme._core.Worker: its life (ioworker.c), and its results (ioworker_result.c).
 */
#ifndef PYNVME_PYEXT_IOWORKER_H
#define PYNVME_PYEXT_IOWORKER_H

#include "ioworker/ioworker.h"
#include "pyext/pyext.h"

/**
 * struct py_worker
 * @w: NULL once closed
 * @users: threads that use @w without the GIL; closing waits for them
 * @ctrl: whose events are reported at the end
 */
struct py_worker {
	PyObject_HEAD struct py_state *state;
	struct ioworker *w;
	_Atomic uint32_t users;
	struct py_ctrl *ctrl;
	struct py_live live;
	uint32_t generation;
	bool ended;
};

/* NULL with an exception: closed, or opened in another process. */
struct ioworker *py_worker_check(PyObject *obj);
/* The same for what can be read only when nobody writes it any more. */
struct ioworker *py_worker_check_ended(PyObject *obj);

PyObject *py_worker_progress(PyObject *obj, void *closure);

#define PY_WORKER_METHOD(name, ...)                 \
	extern const char py_worker_##name##_doc[]; \
	PyObject *py_worker_##name(PyObject *obj, __VA_ARGS__)

PY_WORKER_METHOD(result, PyObject *unused);
PY_WORKER_METHOD(per_second, PyObject *unused);
PY_WORKER_METHOD(opcodes, PyObject *unused);
PY_WORKER_METHOD(recent, PyObject *unused);
PY_WORKER_METHOD(errors, PyObject *unused);
PY_WORKER_METHOD(percentile, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PY_WORKER_METHOD(latencies, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

#endif
