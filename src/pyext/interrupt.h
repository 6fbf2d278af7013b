/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interrupt.h - Ctrl-C while the driver waits without the GIL.
 */
#ifndef PYNVME_PYEXT_INTERRUPT_H
#define PYNVME_PYEXT_INTERRUPT_H

#include "base/interrupt.h"
#include "pyext/pyext.h"

/* @exception: of the signal's handler, or NULL */
struct py_interrupt {
	struct interrupt interrupt;
	struct interrupt *former;
	PyObject *exception;
};

/**
 * py_interrupt_begin() - from here on the driver's waits in this thread heed signals
 *
 * With the GIL, around a stretch without it. Python handles signals in its main thread: in another
 * one nothing is looked at.
 */
void py_interrupt_begin(struct py_interrupt *i);

/* With the GIL. 0, or -1 with the exception, which goes before whatever the driver has said. */
int py_interrupt_end(struct py_interrupt *i);

/* The current exception, normalised and with its traceback; NULL if there is none. */
PyObject *py_take_exception(void);
/* Raise what py_take_exception() has taken. */
void py_raise_exception(PyObject *exception);

#endif
