/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.c - the exceptions of the package, and how texts of base/err.h become exceptions.
 */
#include "pyext/pyext.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct exception {
	const char *name;
	const char *doc;
	size_t offset;
};

#define EXCEPTION(member, name, doc)                                 \
	{                                                            \
		"nvme." name, doc, offsetof(struct py_state, member) \
	}

/* The first is the base of the others. */
static const struct exception exceptions[] = {
	EXCEPTION(nvme_error, "NvmeError", "Base of all exceptions of the package."),
	EXCEPTION(enumerate_error, "NvmeEnumerateError",
		  "The address reaches no NVMe controller; the text says why and what to do."),
	EXCEPTION(deletion_error, "NvmeDeletionError", "A controller could not be closed."),
	EXCEPTION(qpair_creation_error, "QpairCreationError",
		  "An IO queue pair could not be created: depth, priority, or no free queue."),
	EXCEPTION(qpair_deletion_error, "QpairDeletionError",
		  "The device refused to delete an IO queue pair; host memory is free anyway."),
	EXCEPTION(ns_creation_error, "NamespaceCreationError",
		  "No such namespace, or it is not active."),
	EXCEPTION(ns_deletion_error, "NamespaceDeletionError", "A namespace could not be closed."),
};

int py_error_add(PyObject *module, struct py_state *state)
{
	size_t i;

	for (i = 0; i < PYEXT_ARRAY_SIZE(exceptions); i++) {
		const struct exception *e = &exceptions[i];
		PyObject **slot = (PyObject **)((char *)state + e->offset);

		*slot = PyErr_NewExceptionWithDoc(e->name, e->doc, i ? state->nvme_error : NULL,
						  NULL);
		if (!*slot || PyModule_AddObjectRef(module, strchr(e->name, '.') + 1, *slot))
			return -1;
	}
	return 0;
}

static PyObject *exception_for(struct py_state *state, int rc)
{
	switch (rc) {
	case -ESHUTDOWN:
	case -ENODEV:
	case -EIO:
		return PyExc_SystemError;
	case -ETIMEDOUT:
		return PyExc_TimeoutError;
	case -EINVAL:
		return PyExc_ValueError;
	default:
		return state->nvme_error;
	}
}

PyObject *py_error(struct py_state *state, PyObject *exc, int rc)
{
	const char *text = err_text();

	if (rc == -ENOMEM)
		exc = PyExc_MemoryError;
	else if (rc == -EPERM && !exc)
		exc = state->nvme_error;
	else if (!exc)
		exc = exception_for(state, rc);
	PyErr_SetString(exc, text && *text ? text : strerror(-rc));
	return NULL;
}

PyObject *py_fail(PyObject *exc, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	PyErr_SetString(exc, text);
	return NULL;
}

/* Which line of the script is to blame, Python knows. */
static PyObject *sayer(struct py_state *state)
{
	PyObject *module;

	if (state->say)
		return state->say;
	module = PyImport_ImportModule("nvme.warn");
	state->say = module ? PyObject_GetAttrString(module, "say") : NULL;
	Py_XDECREF(module);
	return state->say;
}

int py_warn_text(struct py_state *state, PyObject *text)
{
	PyObject *say = text ? sayer(state) : NULL;
	PyObject *said = say ? PyObject_CallFunctionObjArgs(say, text, NULL) : NULL;

	Py_XDECREF(said);
	return said ? 0 : -1;
}

int py_warn(struct py_state *state, const char *fmt, ...)
{
	PyObject *object;
	char text[512];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	object = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
	rc = py_warn_text(state, object);
	Py_XDECREF(object);
	return rc;
}
