/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target.c - nvme._core.Target. Its public face is Python's.
 */
#include "pyext/ssd/target.h"

#include "pyext/args.h"
#include "pyext/interrupt.h"
#include "target/target.h"

int py_target_check(struct py_target *self, uint64_t number)
{
	if (py_check_process(self->state, self->generation))
		return -1;
	if (!self->target) {
		py_fail(PyExc_SystemError, "the target is closed");
		return -1;
	}
	if (number < self->nssds)
		return 0;
	py_fail(PyExc_ValueError, "the target serves %u SSDs", self->nssds);
	return -1;
}

struct ssd *py_target_enter(struct py_target *self, unsigned int number)
{
	return py_target_check(self, number) ? NULL : target_enter(self->target, number);
}

void py_target_leave(struct py_target *self, unsigned int number)
{
	target_leave(self->target, number);
}

static void end(struct py_live *live)
{
	struct py_target *self = list_entry(live, struct py_target, live);
	struct target *target = self->target;

	py_live_del(live);
	self->target = NULL;
	if (target && self->generation == py_process_generation()) {
		Py_BEGIN_ALLOW_THREADS
			target_destroy(target);
		Py_END_ALLOW_THREADS
	}
}

/* One "(options, nqn or None)" of the list. */
static int add_ssd(struct py_target *self, PyObject *pair)
{
	const char *options, *nqn;
	int rc;

	if (!PyArg_ParseTuple(pair, "sz", &options, &nqn))
		return -1;
	Py_BEGIN_ALLOW_THREADS
		rc = target_add(self->target, options, nqn);
	Py_END_ALLOW_THREADS
	if (rc < 0) {
		py_error(self->state, NULL, rc);
		return -1;
	}
	self->nssds++;
	return 0;
}

static int allow_host(struct py_target *self, PyObject *host)
{
	const char *nqn = PyUnicode_AsUTF8AndSize(host, NULL);
	int rc = nqn ? target_allow(self->target, nqn) : 0;

	if (rc)
		py_error(self->state, NULL, rc);
	return nqn && !rc ? 0 : -1;
}

/* @add for each item of @list. */
static int for_each(struct py_target *self, PyObject *list,
		    int (*add)(struct py_target *self, PyObject *item))
{
	Py_ssize_t n = PySequence_Size(list);

	for (Py_ssize_t i = 0; i < n; i++) {
		PyObject *item = PySequence_GetItem(list, i);
		int rc = item ? add(self, item) : -1;

		Py_XDECREF(item);
		if (rc)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static int begin(struct py_target *self, const char *address, PyObject *ssds, PyObject *hosts,
		 unsigned int threads, uint64_t memory_bytes)
{
	struct py_interrupt interrupt;
	int rc = target_create(&self->target, threads, memory_bytes);

	if (rc) {
		py_error(self->state, NULL, rc);
		return -1;
	}
	if (for_each(self, ssds, add_ssd) || for_each(self, hosts, allow_host))
		return -1;
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = target_start(self->target, address);
	Py_END_ALLOW_THREADS
	if (py_interrupt_end(&interrupt))
		return -1;
	if (rc)
		py_error(self->state, NULL, rc);
	return rc ? -1 : 0;
}

static PyObject *target_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Target", 5, 5, "address", "ssds", "hosts", "threads", "memory_bytes");
	struct py_state *state = py_state_of(type);
	uint64_t threads = 1, memory_bytes = 0;
	struct py_target *self;
	const char *address;
	PyObject *arg[5];

	if (!state || args_bind_call(&spec, args, kwargs, arg) ||
	    arg_uint(arg[3], "threads", UINT32_MAX, &threads) ||
	    arg_uint(arg[4], "memory_bytes", UINT64_MAX, &memory_bytes) ||
	    !(address = PyUnicode_AsUTF8AndSize(arg[0], NULL)))
		return NULL;
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	list_init(&self->live.node);
	py_live_add(state, &self->live, (PyObject *)self, end);
	if (!begin(self, address, arg[1], arg[2], (unsigned int)threads, memory_bytes))
		return (PyObject *)self;
	Py_DECREF(self);
	return NULL;
}

static int target_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	return 0;
}

static void target_dealloc(PyObject *obj)
{
	PyObject *type, *value, *traceback;

	PyObject_GC_UnTrack(obj);
	PyErr_Fetch(&type, &value, &traceback);
	end(&((struct py_target *)obj)->live);
	PyErr_Restore(type, value, traceback);
	py_free(obj);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
			"Ends all connections; files of the SSDs are flushed. Again: nothing.");

static PyObject *target_close(PyObject *obj, PyObject *unused)
{
	struct py_target *self = (struct py_target *)obj;

	if (py_check_process(self->state, self->generation))
		return NULL;
	end(&self->live);
	Py_RETURN_NONE;
}

static PyObject *get_address(PyObject *obj, void *closure)
{
	struct py_target *self = (struct py_target *)obj;

	if (py_target_check(self, 0))
		return NULL;
	return PyUnicode_FromString(target_address(self->target));
}

static PyObject *get_public(PyObject *obj, void *closure)
{
	struct py_target *self = (struct py_target *)obj;

	if (py_target_check(self, 0))
		return NULL;
	return PyBool_FromLong(target_is_public(self->target));
}

static PyObject *get_connections(PyObject *obj, void *closure)
{
	struct py_target *self = (struct py_target *)obj;

	if (py_target_check(self, 0))
		return NULL;
	return PyLong_FromUnsignedLong(target_connections(self->target));
}

static PyObject *get_memory(PyObject *obj, void *closure)
{
	struct py_target *self = (struct py_target *)obj;

	if (py_target_check(self, 0))
		return NULL;
	return PyLong_FromUnsignedLongLong(target_memory(self->target));
}

static PyGetSetDef target_getset[] = {
	{ "address", get_address, NULL, "Where it listens, \"127.0.0.1:4420\".", NULL },
	{ "public", get_public, NULL, "Other machines can connect.", NULL },
	{ "connections", get_connections, NULL, "Connections at present.", NULL },
	{ "memory_bytes", get_memory, NULL, "What connections have of the memory.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef target_methods[] = {
	{ "close", target_close, METH_NOARGS, close_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(target_doc, "Target(address, ssds, hosts, threads, memory_bytes)\n--\n\n"
			 "Software SSDs that hosts reach over NVMe/TCP.\n\n"
			 "ssds: (options, NQN or None) of each; hosts: NQNs of those allowed, all "
			 "if empty.");

static PyType_Slot target_slots[] = {
	{ Py_tp_new, target_new },
	{ Py_tp_dealloc, target_dealloc },
	{ Py_tp_traverse, target_traverse },
	{ Py_tp_doc, (void *)target_doc },
	{ Py_tp_getset, target_getset },
	{ Py_tp_methods, target_methods },
	{ 0, NULL },
};

static PyType_Spec target_spec = {
	.name = "nvme._core.Target",
	.basicsize = sizeof(struct py_target),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	.slots = target_slots,
};

int py_target_add(PyObject *module, struct py_state *state)
{
	state->target_type = py_add_type(module, &target_spec);
	return state->target_type ? 0 : -1;
}
