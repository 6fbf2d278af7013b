/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args.h - arguments of a call, bound to parameters by position and by name.
 *
 * About 40 ns a call where PyArg_Parse takes 250 to 310. Errors are TypeErrors in
 * Python's own words.
 */
#ifndef PYNVME_PYEXT_ARGS_H
#define PYNVME_PYEXT_ARGS_H

#include "pyext/pyext.h"

#define ARGS_MAX 32

/**
 * struct args_spec - parameters of one callable
 * @npositional: the first so many may be given by position; the rest by name only
 * @nrequired: the first so many have no default
 */
struct args_spec {
	const char *func;
	const char *const *names;
	uint8_t nparams;
	uint8_t nrequired;
	uint8_t npositional;
};

/* ARGS_SPEC() - a static struct args_spec; the names follow in the order of the signature. */
#define ARGS_SPEC(ident, func, nrequired, npositional, ...)                                 \
	static const char *const ident##_names[] = { __VA_ARGS__ };                         \
	static const struct args_spec ident = { func, ident##_names,                        \
						PYEXT_ARRAY_SIZE(ident##_names), nrequired, \
						npositional }

/* ARGS_METHOD() - the entry of a PyMethodDef table for a function that calls args_bind(). */
#define ARGS_METHOD(name, function, doc)                                                          \
	{                                                                                         \
		name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS, doc \
	}

/**
 * args_bind() - METH_FASTCALL | METH_KEYWORDS
 * @out: @spec->nparams borrowed references, NULL where nothing was given
 * Return: 0, or -1 with TypeError.
 */
int args_bind(const struct args_spec *spec, PyObject *const *args, Py_ssize_t nargs,
	      PyObject *kwnames, PyObject **out);

/* The same for tp_new: a tuple, and a dict or NULL. */
int args_bind_call(const struct args_spec *spec, PyObject *args, PyObject *kwargs, PyObject **out);

/*
 * Converters: @o NULL (not given) leaves *out, the caller's default, alone.
 * Return: 0, or -1 with TypeError or ValueError that names the parameter.
 */
int arg_range(PyObject *o, const char *name, uint64_t min, uint64_t max, uint64_t *out);
int arg_u32(PyObject *o, const char *name, uint32_t *out);
int arg_ssize(PyObject *o, const char *name, Py_ssize_t *out);
/* A bool, an int, or what else has a truth of its own; not a str, whose "no" would be true. */
int arg_bool(PyObject *o, const char *name, bool *out);
int arg_double(PyObject *o, const char *name, double *out);

/*
 * The value of an attribute, as arg_range() has it; AttributeError without one: it
 * was to be deleted.
 */
int arg_assigned(PyObject *value, const char *name, uint64_t min, uint64_t max, uint64_t *out);

static inline int arg_uint(PyObject *o, const char *name, uint64_t max, uint64_t *out)
{
	return arg_range(o, name, 0, max, out);
}

/* None is as good as not given. */
static inline PyObject *arg_or_null(PyObject *o)
{
	return o == Py_None ? NULL : o;
}

static inline bool arg_is(PyObject *o, PyTypeObject *type)
{
	PyTypeObject *got = Py_TYPE(o);

	return got == type || PyType_IsSubtype(got, type);
}

/* @o must be of @type; borrowed. NULL with TypeError. */
void *arg_object(PyObject *o, PyTypeObject *type, const char *name, const char *type_name);

/* A Buffer, or NULL in *out for None and nothing. */
int arg_buffer(struct py_state *state, PyObject *o, const char *name, struct py_buffer **out);
/* A callable, or NULL in *out for None and nothing; borrowed. */
int arg_callable(PyObject *o, const char *name, PyObject **out);

#endif
