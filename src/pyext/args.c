/* SPDX-License-Identifier: BSD-3-Clause */
#include "pyext/args.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int find_name(const struct args_spec *spec, PyObject *name)
{
	Py_ssize_t len;
	const char *s = PyUnicode_AsUTF8AndSize(name, &len);
	int i;

	if (!s)
		return -1;
	for (i = 0; i < spec->nparams; i++)
		if (!strcmp(spec->names[i], s))
			return i;
	PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", spec->func,
		     name);
	return -1;
}

static int too_many(const struct args_spec *spec, Py_ssize_t nargs)
{
	unsigned int least =
		spec->nrequired < spec->npositional ? spec->nrequired : spec->npositional;
	const char *were = nargs == 1 ? "was" : "were";

	if (least == spec->npositional)
		PyErr_Format(PyExc_TypeError,
			     "%s() takes %u positional argument%s but %zd %s given", spec->func,
			     least, least == 1 ? "" : "s", nargs, were);
	else
		PyErr_Format(PyExc_TypeError,
			     "%s() takes from %u to %u positional arguments but %zd %s given",
			     spec->func, least, spec->npositional, nargs, were);
	return -1;
}

/* Names the parameters without an argument as Python does: 'a', 'b', and 'c'. */
static int too_few(const struct args_spec *spec, PyObject *const *out)
{
	char text[512] = "";
	unsigned int i, left = 0, count;
	size_t len = 0;

	for (i = 0; i < spec->nrequired; i++)
		left += !out[i];
	count = left;
	for (i = 0; i < spec->nrequired; i++) {
		const char *before = "";

		if (out[i])
			continue;
		if (len && left == 1)
			before = count == 2 ? " and " : ", and ";
		else if (len)
			before = ", ";
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s'%s'", before,
					spec->names[i]);
		left--;
	}
	PyErr_Format(PyExc_TypeError, "%s() missing %u required positional argument%s: %s",
		     spec->func, count, count == 1 ? "" : "s", text);
	return -1;
}

static int bind_name(const struct args_spec *spec, PyObject *name, PyObject *value, PyObject **out)
{
	int i = find_name(spec, name);

	if (i < 0)
		return -1;
	if (out[i]) {
		PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'",
			     spec->func, spec->names[i]);
		return -1;
	}
	out[i] = value;
	return 0;
}

static int check_required(const struct args_spec *spec, PyObject *const *out)
{
	unsigned int i;

	for (i = 0; i < spec->nrequired; i++)
		if (!out[i])
			return too_few(spec, out);
	return 0;
}

int args_bind(const struct args_spec *spec, PyObject *const *args, Py_ssize_t nargs,
	      PyObject *kwnames, PyObject **out)
{
	Py_ssize_t i, nkw;

	if (nargs > spec->npositional)
		return too_many(spec, nargs);
	for (i = 0; i < nargs; i++)
		out[i] = args[i];
	for (; i < spec->nparams; i++)
		out[i] = NULL;
	if (kwnames) {
		nkw = PyTuple_Size(kwnames);
		for (i = 0; i < nkw; i++)
			if (bind_name(spec, PyTuple_GetItem(kwnames, i), args[nargs + i], out))
				return -1;
	}
	return check_required(spec, out);
}

int args_bind_call(const struct args_spec *spec, PyObject *args, PyObject *kwargs, PyObject **out)
{
	Py_ssize_t i, pos = 0, nargs = PyTuple_Size(args);
	PyObject *name, *value;

	if (nargs > spec->npositional)
		return too_many(spec, nargs);
	for (i = 0; i < nargs; i++)
		out[i] = PyTuple_GetItem(args, i);
	for (; i < spec->nparams; i++)
		out[i] = NULL;
	while (kwargs && PyDict_Next(kwargs, &pos, &name, &value))
		if (bind_name(spec, name, value, out))
			return -1;
	return check_required(spec, out);
}

static int out_of_range(PyObject *o, const char *name, uint64_t min, uint64_t max)
{
	PyObject *got;

	PyErr_Clear();
	got = PyObject_Str(o);
	if (got)
		PyErr_Format(PyExc_ValueError, "%s must be %llu..%llu, not %U", name,
			     (unsigned long long)min, (unsigned long long)max, got);
	else /* Python prints no int of more than 4,300 digits */
		PyErr_Format(PyExc_ValueError, "%s must be %llu..%llu", name,
			     (unsigned long long)min, (unsigned long long)max);
	Py_XDECREF(got);
	return -1;
}

static int no_int(PyObject *o, const char *name)
{
	if (!PyErr_Occurred())
		PyErr_Format(PyExc_TypeError, "%s must be an int, not %R", name, Py_TYPE(o));
	return -1;
}

int arg_range(PyObject *o, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	PyObject *index;

	if (!o)
		return 0;
	if (PyLong_Check(o)) {
		v = PyLong_AsUnsignedLongLong(o);
	} else {
		index = PyIndex_Check(o) ? PyNumber_Index(o) : NULL;
		if (!index)
			return no_int(o, name);
		v = PyLong_AsUnsignedLongLong(index);
		Py_DECREF(index);
	}
	if (v > max || v < min || (v == (unsigned long long)-1 && PyErr_Occurred()))
		return out_of_range(o, name, min, max);
	*out = v;
	return 0;
}

int arg_assigned(PyObject *value, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
	if (value)
		return arg_range(value, name, min, max, out);
	py_fail(PyExc_AttributeError, "%s cannot be deleted", name);
	return -1;
}

int arg_u32(PyObject *o, const char *name, uint32_t *out)
{
	uint64_t v = *out;

	if (arg_uint(o, name, UINT32_MAX, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

int arg_ssize(PyObject *o, const char *name, Py_ssize_t *out)
{
	Py_ssize_t v;

	if (!o)
		return 0;
	if (!PyIndex_Check(o))
		return no_int(o, name);
	v = PyNumber_AsSsize_t(o, PyExc_OverflowError);
	if (v == -1 && PyErr_Occurred()) {
		if (PyErr_ExceptionMatches(PyExc_OverflowError))
			PyErr_Format(PyExc_ValueError, "%s must be -2**63..2**63-1", name);
		return -1;
	}
	*out = v;
	return 0;
}

int arg_bool(PyObject *o, const char *name, bool *out)
{
	int truth;

	if (!o)
		return 0;
	if (!PyBool_Check(o) && (PyFloat_Check(o) || !PyType_GetSlot(Py_TYPE(o), Py_nb_bool))) {
		PyErr_Format(PyExc_TypeError, "%s must be True or False, not %R", name, o);
		return -1;
	}
	truth = PyObject_IsTrue(o);
	if (truth < 0)
		return -1;
	*out = truth;
	return 0;
}

int arg_double(PyObject *o, const char *name, double *out)
{
	double v;

	if (!o)
		return 0;
	v = PyFloat_AsDouble(o);
	if (v == -1.0 && PyErr_Occurred()) {
		if (PyErr_ExceptionMatches(PyExc_TypeError))
			PyErr_Format(PyExc_TypeError, "%s must be a number, not %R", name,
				     Py_TYPE(o));
		else if (PyErr_ExceptionMatches(PyExc_OverflowError))
			PyErr_Format(PyExc_ValueError, "%s is too large", name);
		return -1;
	}
	/* It is neither below nor above any limit: a wait that long would not end. */
	if (isnan(v)) {
		PyErr_Format(PyExc_ValueError, "%s must be a number, not nan", name);
		return -1;
	}
	*out = v;
	return 0;
}

void *arg_object(PyObject *o, PyTypeObject *type, const char *name, const char *type_name)
{
	if (arg_is(o, type))
		return o;
	PyErr_Format(PyExc_TypeError, "%s must be a %s, not %R", name, type_name, Py_TYPE(o));
	return NULL;
}

int arg_buffer(struct py_state *state, PyObject *o, const char *name, struct py_buffer **out)
{
	*out = NULL;
	if (!o || o == Py_None)
		return 0;
	*out = arg_object(o, state->buffer_type, name, "Buffer");
	return *out ? 0 : -1;
}

int arg_callable(PyObject *o, const char *name, PyObject **out)
{
	*out = NULL;
	if (!o || o == Py_None)
		return 0;
	if (!PyCallable_Check(o)) {
		PyErr_Format(PyExc_TypeError, "%s must be callable, not %R", name, Py_TYPE(o));
		return -1;
	}
	*out = o;
	return 0;
}
