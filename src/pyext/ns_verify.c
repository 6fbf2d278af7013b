/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_verify.c - nvme._core.Namespace: what is known of its data, to a file and back.
 */
#include "pyext/ns.h"

#include <errno.h>

#include "nvme/ns.h"
#include "pyext/args.h"
#include "verify/verify.h"

/* Without the GIL: a table of a large drive is hundreds of MiB. */
static PyObject *transfer(PyObject *obj, const struct args_spec *spec, PyObject *const *args,
			  Py_ssize_t nargs, PyObject *kwnames,
			  int (*act)(struct verify_table *t, int fd))
{
	struct py_ns *self = (struct py_ns *)obj;
	struct verify_table *table;
	struct nvme_ns *ns;
	uint64_t fd = 0;
	PyObject *arg[1];
	int rc;

	if (args_bind(spec, args, nargs, kwnames, arg) || arg_uint(arg[0], "fd", INT32_MAX, &fd) ||
	    py_ns_check(self))
		return NULL;
	table = nvme_ns_format(self->ns)->verify;
	if (!table)
		return py_fail(PyExc_MemoryError, "namespace %u has no table to verify data by",
			       self->ns->nsid);
	ns = nvme_ns_get(self->ns);
	Py_BEGIN_ALLOW_THREADS
		rc = act(table, (int)fd);
		nvme_ns_put(ns);
	Py_END_ALLOW_THREADS
	return rc ? py_error(self->state, rc == -EINVAL ? PyExc_ValueError : PyExc_OSError, rc) :
		    Py_NewRef(Py_None);
}

const char py_ns_verify_save_doc[] = "_verify_save($self, /, fd)\n--\n\n"
				     "Append what is known of the data to a file.";

PyObject *py_ns_verify_save(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	ARGS_SPEC(spec, "_verify_save", 1, 1, "fd");

	return transfer(obj, &spec, args, nargs, kwnames, verify_save);
}

const char py_ns_verify_load_doc[] = "_verify_load($self, /, fd)\n--\n\n"
				     "Replace what is known of the data by what a file says.";

PyObject *py_ns_verify_load(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	ARGS_SPEC(spec, "_verify_load", 1, 1, "fd");

	return transfer(obj, &spec, args, nargs, kwnames, verify_load);
}
