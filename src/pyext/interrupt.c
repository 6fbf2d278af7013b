/* SPDX-License-Identifier: BSD-3-Clause */
#include "pyext/interrupt.h"

#include <string.h>
#include <unistd.h>

PyObject *py_take_exception(void)
{
	PyObject *type, *exception, *traceback;

	PyErr_Fetch(&type, &exception, &traceback);
	PyErr_NormalizeException(&type, &exception, &traceback);
	if (traceback)
		PyException_SetTraceback(exception, traceback);
	Py_XDECREF(type);
	Py_XDECREF(traceback);
	return exception;
}

void py_raise_exception(PyObject *exception)
{
	PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
	Py_DECREF(exception);
}

static int look_at_signals(void *priv)
{
	struct py_interrupt *i = priv;
	PyGILState_STATE gil = PyGILState_Ensure();
	int rc = PyErr_CheckSignals();

	if (rc)
		i->exception = py_take_exception();
	PyGILState_Release(gil);
	return rc;
}

void py_interrupt_begin(struct py_interrupt *i)
{
	memset(i, 0, sizeof(*i));
	i->interrupt.check = look_at_signals;
	i->interrupt.priv = i;
	i->former = interrupt_set(gettid() == getpid() ? &i->interrupt : NULL);
}

int py_interrupt_end(struct py_interrupt *i)
{
	interrupt_set(i->former);
	if (!i->exception)
		return 0;
	py_raise_exception(i->exception);
	return -1;
}
