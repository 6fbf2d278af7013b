/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl.h - what the files of nvme._core.Controller share with each other and with qpairs.
 */
#ifndef PYNVME_PYEXT_CTRL_H
#define PYNVME_PYEXT_CTRL_H

#include "pyext/wait.h"

/* 0, or -1 with an exception: closed, or opened in another process. */
int py_ctrl_check(struct py_ctrl *self);

/**
 * py_ctrl_enter() - the controller, for use without the GIL until py_ctrl_leave()
 *
 * Enter right behind py_ctrl_check(), and leave before the GIL is taken again: closing waits for
 * whoever is inside, and an interpreter that ends gives its GIL to no thread any more. What
 * self->ctrl is without the GIL, or since it was let go, nobody knows.
 */
static inline struct nvme_ctrl *py_ctrl_enter(struct py_ctrl *self)
{
	atomic_fetch_add_explicit(&self->users, 1, memory_order_relaxed);
	return self->ctrl;
}

static inline void py_ctrl_leave(struct py_ctrl *self)
{
	atomic_fetch_sub_explicit(&self->users, 1, memory_order_release);
}

/**
 * py_ctrl_deliver() - deliver what completed on the admin queue
 * @want: completions of the script that the caller still waits for
 *
 * A command goes to the thread that submitted it; those of other threads are taken only
 * when this thread has none outstanding and still wants some.
 */
void py_ctrl_deliver(struct py_ctrl *self, struct py_wait *w, uint64_t want);

/**
 * py_ctrl_settle() - deliver what this thread's commands left on the controller and its qpairs
 *
 * After every call of the tool that had to wait; nothing of it is ever counted.
 * Return: 0, or -1 with the exception of a callback or a warning.
 */
int py_ctrl_settle(struct py_ctrl *self);

/* py_error(), but first of all the exception of the script's own initialisation. */
PyObject *py_ctrl_error(struct py_ctrl *self, PyObject *exc, int rc);

/* Deliver what completed on a qpair. */
void py_qpair_deliver(struct py_qpair *self, struct py_wait *w);

/* ctrl_wait.c */
PyObject *py_ctrl_waitdone(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames);
PyObject *py_ctrl_send_cmd(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames);
PyObject *py_ctrl_execute(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			  PyObject *kwnames);
PyObject *py_ctrl_forget(PyObject *obj, PyObject *unused);
PyObject *py_ctrl_settle_now(PyObject *obj, PyObject *unused);
extern const char py_ctrl_waitdone_doc[];
extern const char py_ctrl_send_cmd_doc[];
extern const char py_ctrl_execute_doc[];
extern const char py_ctrl_forget_doc[];
extern const char py_ctrl_settle_now_doc[];

/* ctrl_life.c */
PyObject *py_ctrl_reset(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *py_ctrl_shutdown(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames);
PyObject *py_ctrl_power(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *py_ctrl_step(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
extern const char py_ctrl_reset_doc[];
extern const char py_ctrl_shutdown_doc[];
extern const char py_ctrl_power_doc[];
extern const char py_ctrl_step_doc[];

#endif
