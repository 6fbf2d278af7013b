/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.c - the module nvme._core: its state, its types, and what must be closed at exit.
 */
#include "pyext/pyext.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "pyext/functions.h"
#include "pyext/request.h"

static _Atomic uint32_t process_generation;

static void after_fork_in_child(void)
{
	atomic_fetch_add_explicit(&process_generation, 1, memory_order_relaxed);
}

uint32_t py_process_generation(void)
{
	return atomic_load_explicit(&process_generation, memory_order_relaxed);
}

int py_check_process(struct py_state *state, uint32_t generation)
{
	if (__builtin_expect(generation == py_process_generation(), 1))
		return 0;
	py_fail(state->nvme_error,
		"opened in process %d: a device cannot be used across fork(), open it in process %d",
		(int)state->pid, (int)getpid());
	return -1;
}

/* The limited API of 3.11 has no PyType_GetModuleByDef(). */
struct py_state *py_state_of(PyTypeObject *type)
{
	PyObject *module;

	for (; type; type = PyType_GetSlot(type, Py_tp_base)) {
		if (!(PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE))
			break;
		module = PyType_GetModule(type);
		if (module && PyModule_GetDef(module) == &py_module_def)
			return PyModule_GetState(module);
		PyErr_Clear();
	}
	PyErr_SetString(PyExc_TypeError, "not a type of nvme._core");
	return NULL;
}

PyTypeObject *py_add_type(PyObject *module, PyType_Spec *spec)
{
	PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);

	if (type && PyModule_AddType(module, type)) {
		Py_DECREF(type);
		return NULL;
	}
	return type;
}

/* What all objects begin with. */
struct object {
	PyObject_HEAD struct py_state *state;
};

void *py_alloc(PyTypeObject *type, struct py_state *state)
{
	struct object *self = (struct object *)PyType_GenericAlloc(type, 0);

	if (!self)
		return NULL;
	self->state = state;
	Py_INCREF(state->module);
	return self;
}

void py_free(void *self)
{
	PyObject *module = ((struct object *)self)->state->module;
	PyTypeObject *type = Py_TYPE(self);
	freefunc tp_free = PyType_GetSlot(type, Py_tp_free);

	tp_free(self);
	Py_DECREF(type);
	Py_DECREF(module);
}

void py_live_add(struct py_state *state, struct py_live *live, PyObject *object,
		 void (*close)(struct py_live *live))
{
	live->object = object;
	live->close = close;
	list_add_tail(&state->live, &live->node);
}

void py_live_del(struct py_live *live)
{
	if (live->node.next)
		list_del(&live->node);
}

const char py_close_all_doc[] =
	"close_all($module, /)\n--\n\n"
	"Close everything that is open, youngest first; run at interpreter exit.";

PyObject *py_close_all(PyObject *module, PyObject *unused)
{
	struct py_state *state = PyModule_GetState(module);

	while (!list_empty(&state->live)) {
		struct py_live *live = list_entry(state->live.prev, struct py_live, node);
		PyObject *object = live->object;

		py_live_del(live);
		/* One that is on its way out is closed there. */
		if (!Py_REFCNT(object))
			continue;
		/* Closing lets the GIL go, and other threads drop what they find closed. */
		Py_INCREF(object);
		live->close(live);
		Py_DECREF(object);
	}
	Py_RETURN_NONE;
}

static int (*const adders[])(PyObject *module, struct py_state *state) = {
	py_error_add, py_buffer_add, py_ctrl_add, py_qpair_add,	   py_ns_add,
	py_pcie_add,  py_target_add, py_sim_add,  py_ioworker_add,
};

/* Names and types that the hot path compares with. */
static int prepare_callbacks(struct py_state *state)
{
	PyObject *types = PyImport_ImportModule("types"), *signature;

	if (!types)
		return -1;
	state->function_type = (PyTypeObject *)PyObject_GetAttrString(types, "FunctionType");
	state->method_type = (PyTypeObject *)PyObject_GetAttrString(types, "MethodType");
	Py_DECREF(types);
	signature = PyImport_ImportModule("nvme._signature");
	state->arity = signature ? PyObject_GetAttrString(signature, "arity") : NULL;
	Py_XDECREF(signature);
	state->str_code = PyUnicode_InternFromString("__code__");
	state->str_defaults = PyUnicode_InternFromString("__defaults__");
	state->str_func = PyUnicode_InternFromString("__func__");
	state->str_argcount = PyUnicode_InternFromString("co_argcount");
	return PyErr_Occurred() ? -1 : 0;
}

/* PYNVME_LOG is for the driver's own lines; those of scripts go through Python's logging. */
static void choose_log_level(void)
{
	const char *name = getenv("PYNVME_LOG");

	if (name && *name && log_set_level_by_name(name))
		log_warn("PYNVME_LOG=%.32s is no level; known are error, warning, info, debug",
			 name);
}

static int module_exec(PyObject *module)
{
	static atomic_flag watching = ATOMIC_FLAG_INIT;
	struct py_state *state = PyModule_GetState(module);
	size_t i;

	if (!atomic_flag_test_and_set(&watching)) {
		pthread_atfork(NULL, NULL, after_fork_in_child);
		choose_log_level();
	}
	state->module = module;
	state->pid = getpid();
	list_init(&state->live);
	for (i = 0; i < PYEXT_ARRAY_SIZE(adders); i++)
		if (adders[i](module, state))
			return -1;
	return prepare_callbacks(state);
}

#define REFERENCE(member) offsetof(struct py_state, member)

/* Every Python object that the state holds. */
static const size_t references[] = {
	REFERENCE(buffer_type),
	REFERENCE(ctrl_type),
	REFERENCE(qpair_type),
	REFERENCE(ns_type),
	REFERENCE(pcie_type),
	REFERENCE(sim_type),
	REFERENCE(target_type),
	REFERENCE(ioworker_type),
	REFERENCE(function_type),
	REFERENCE(method_type),
	REFERENCE(nvme_error),
	REFERENCE(enumerate_error),
	REFERENCE(deletion_error),
	REFERENCE(qpair_creation_error),
	REFERENCE(qpair_deletion_error),
	REFERENCE(ns_creation_error),
	REFERENCE(ns_deletion_error),
	REFERENCE(arity),
	REFERENCE(say),
	REFERENCE(str_code),
	REFERENCE(str_defaults),
	REFERENCE(str_func),
	REFERENCE(str_argcount),
};

static PyObject **reference(struct py_state *state, size_t i)
{
	return (PyObject **)((char *)state + references[i]);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
	struct py_state *state = PyModule_GetState(module);
	size_t i;

	for (i = 0; i < PYEXT_ARRAY_SIZE(references); i++)
		Py_VISIT(*reference(state, i));
	return 0;
}

static int module_clear(PyObject *module)
{
	struct py_state *state = PyModule_GetState(module);
	size_t i;

	for (i = 0; i < PYEXT_ARRAY_SIZE(references); i++)
		Py_CLEAR(*reference(state, i));
	return 0;
}

static void module_free(void *module)
{
	module_clear(module);
	py_req_drain_pool(PyModule_GetState(module));
}

static PyModuleDef_Slot module_slots[] = {
	{ Py_mod_exec, module_exec },
	{ 0, NULL },
};

PyDoc_STRVAR(module_doc, "The C core of the package nvme.");

PyModuleDef py_module_def = {
	PyModuleDef_HEAD_INIT,	       .m_name = "nvme._core",
	.m_doc = module_doc,	       .m_size = sizeof(struct py_state),
	.m_methods = py_functions,     .m_slots = module_slots,
	.m_traverse = module_traverse, .m_clear = module_clear,
	.m_free = module_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
	return PyModuleDef_Init(&py_module_def);
}
