/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair.c - nvme._core.Qpair: creation, deletion, submission. Its public face is Python's.
 */
#include "pyext/qpair.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/bus.h"
#include "nvme/ctrl.h"
#include "nvme/qpair.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/interrupt.h"
#include "pyext/cmdlog/record.h"

int py_qpair_check(struct py_qpair *self)
{
	if (py_check_process(self->state, self->generation))
		return -1;
	if (self->q)
		return 0;
	py_fail(PyExc_SystemError, "qpair %u is deleted", self->sqid);
	return -1;
}

void py_qpair_lock(struct py_qpair *self)
{
	if (!pthread_mutex_trylock(&self->lock))
		return;
	atomic_fetch_add_explicit(&self->wanted, 1, memory_order_relaxed);
	Py_BEGIN_ALLOW_THREADS
		pthread_mutex_lock(&self->lock);
	Py_END_ALLOW_THREADS
	atomic_fetch_sub_explicit(&self->wanted, 1, memory_order_relaxed);
}

PyObject *py_qpair_submit(struct py_qpair *self, struct py_req *r)
{
	struct nvme_qpair *q;
	int rc;

	py_qpair_lock(self);
	q = self->q; /* another thread may have deleted it meanwhile */
	rc = q ? nvme_qpair_enter(q) : err_set(-ESHUTDOWN, "qpair %u is deleted", self->sqid);
	if (rc) {
		pthread_mutex_unlock(&self->lock);
		py_req_put(self->state, r);
		return py_error(self->state, NULL, rc);
	}
	py_sink_add(self->state, &self->sink, r);
	nvme_qpair_submit(q, &r->req, clock_now_ns());
	nvme_qpair_ring(q);
	nvme_qpair_exit(q);
	pthread_mutex_unlock(&self->lock);
	return Py_NewRef((PyObject *)self);
}

/*
 * Delete the queue; what was outstanding is dropped without a word. In the child of a fork
 * only the child's memory goes.
 */
static int delete_queue(struct py_qpair *self)
{
	struct nvme_qpair *q = self->q;
	int rc = 0;

	py_live_del(&self->live);
	list_del(&self->node);
	if (q && self->generation == py_process_generation()) {
		py_qpair_lock(self);
		q = self->q; /* another thread may have been faster */
		self->q = NULL;
		pthread_mutex_unlock(&self->lock);
		Py_BEGIN_ALLOW_THREADS
			rc = q ? nvme_qpair_delete(q) : 0;
		Py_END_ALLOW_THREADS
	}
	self->q = NULL;
	py_sink_forget(self->state, &self->sink);
	return rc;
}

static void qpair_close(struct py_live *live)
{
	delete_queue(list_entry(live, struct py_qpair, live));
}

/* When no vector is asked for: one a queue as far as they go, vector 0 is the admin queue's. */
static unsigned int pick_vector(const struct py_ctrl *ctrl, bool ien, uint64_t iv)
{
	unsigned int nvectors = ctrl->ctrl->bus ? ctrl->ctrl->bus->nvectors : 0, vector;
	struct list_node *node;

	if (!ien || iv != NVME_QPAIR_NO_IRQ)
		return ien ? (unsigned int)iv : NVME_QPAIR_NO_IRQ;
	for (vector = 1; vector < nvectors; vector++) {
		for (node = ctrl->qpairs.next; node != &ctrl->qpairs; node = node->next)
			if (list_entry(node, struct py_qpair, node)->q->vector == vector)
				break;
		if (node == &ctrl->qpairs)
			return vector;
	}
	return nvectors ? nvectors - 1 : NVME_QPAIR_NO_IRQ;
}

static int create_queue(struct py_qpair *self, uint64_t depth, uint64_t prio, unsigned int vector)
{
	struct py_ctrl *ctrl = self->ctrl;
	struct nvme_qpair *q = NULL;
	struct py_interrupt interrupt;
	struct nvme_ctrl *nvme;
	int rc, cut;

	nvme = py_ctrl_enter(ctrl);
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_qpair_create(nvme, (unsigned int)depth, (unsigned int)prio, vector, &q);
		py_ctrl_leave(ctrl);
	Py_END_ALLOW_THREADS
	cut = py_interrupt_end(&interrupt);
	if (rc && !cut)
		py_error(self->state, self->state->qpair_creation_error, rc);
	if (rc)
		return -1;
	self->q = q;
	self->sqid = q->sqid;
	list_add_tail(&ctrl->qpairs, &self->node);
	py_live_add(self->state, &self->live, (PyObject *)self, qpair_close);
	return cut ? -1 : py_ctrl_settle(ctrl);
}

/* A number that no queue could have is as impossible as one that the device refuses. */
static int arg_queue(struct py_state *state, PyObject *o, const char *name, uint64_t *out)
{
	PyObject *type, *value, *traceback;

	if (!arg_uint(o, name, UINT32_MAX, out))
		return 0;
	if (PyErr_ExceptionMatches(PyExc_ValueError)) {
		PyErr_Fetch(&type, &value, &traceback);
		PyErr_Format(state->qpair_creation_error, "%S", value);
		Py_XDECREF(type);
		Py_XDECREF(value);
		Py_XDECREF(traceback);
	}
	return -1;
}

static PyObject *qpair_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Qpair", 2, 5, "nvme", "depth", "prio", "ien", "iv");
	struct py_state *state = py_state_of(type);
	uint64_t depth = 0, prio = 0, iv = NVME_QPAIR_NO_IRQ;
	struct py_qpair *self;
	struct py_ctrl *ctrl;
	PyObject *arg[5];
	bool ien = true;

	if (!state || args_bind_call(&spec, args, kwargs, arg))
		return NULL;
	ctrl = arg_object(arg[0], state->ctrl_type, "nvme", "Controller");
	if (!ctrl || arg_queue(state, arg[1], "depth", &depth) ||
	    arg_queue(state, arg[2], "prio", &prio) || arg_bool(arg[3], "ien", &ien) ||
	    arg_uint(arg[4], "iv", UINT16_MAX, &iv))
		return NULL;
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	self->ctrl = (struct py_ctrl *)Py_NewRef((PyObject *)ctrl);
	pthread_mutex_init(&self->lock, NULL);
	py_sink_init(&self->sink);
	list_init(&self->live.node);
	list_init(&self->node);
	self->wait_lock = PyThread_allocate_lock();
	if (!self->wait_lock)
		PyErr_NoMemory();
	if (!self->wait_lock || py_ctrl_check(ctrl) ||
	    create_queue(self, depth, prio, pick_vector(ctrl, ien, iv))) {
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static int qpair_traverse(PyObject *obj, visitproc visit, void *arg)
{
	struct py_qpair *self = (struct py_qpair *)obj;

	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(self->ctrl);
	return py_sink_traverse(&self->sink, visit, arg);
}

static int qpair_clear(PyObject *obj)
{
	struct py_qpair *self = (struct py_qpair *)obj;

	delete_queue(self);
	Py_CLEAR(self->ctrl);
	return 0;
}

static void qpair_dealloc(PyObject *obj)
{
	struct py_qpair *self = (struct py_qpair *)obj;

	PyObject_GC_UnTrack(obj);
	if (self->node.next)
		qpair_clear(obj);
	if (self->wait_lock)
		PyThread_free_lock(self->wait_lock);
	pthread_mutex_destroy(&self->lock);
	py_free(self);
}

static PyObject *qpair_repr(PyObject *obj)
{
	return PyUnicode_FromFormat("<qpair: %u>", (unsigned int)((struct py_qpair *)obj)->sqid);
}

PyDoc_STRVAR(delete_doc,
	     "delete($self, /)\n--\n\n"
	     "Delete the queues now; commands still outstanding are dropped.\n\n"
	     "Raises QpairDeletionError when the device refuses; the memory is free anyway.");

static PyObject *qpair_delete(PyObject *obj, PyObject *unused)
{
	struct py_qpair *self = (struct py_qpair *)obj;
	int rc;

	if (py_check_process(self->state, self->generation))
		return NULL;
	rc = delete_queue(self);
	if (rc)
		return py_error(self->state, self->state->qpair_deletion_error, rc);
	if (self->ctrl && py_ctrl_settle(self->ctrl))
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *qpair_enter(PyObject *obj, PyObject *unused)
{
	return py_qpair_check((struct py_qpair *)obj) ? NULL : Py_NewRef(obj);
}

static PyObject *qpair_exit(PyObject *obj, PyObject *args)
{
	return qpair_delete(obj, NULL);
}

static PyObject *get_sqid(PyObject *obj, void *closure)
{
	return PyLong_FromLong(((struct py_qpair *)obj)->sqid);
}

static PyObject *get_latest_cid(PyObject *obj, void *closure)
{
	return py_sink_latest_cid(&((struct py_qpair *)obj)->sink);
}

static PyObject *get_latest_latency(PyObject *obj, void *closure)
{
	return PyFloat_FromDouble((double)((struct py_qpair *)obj)->latest_latency_ns / 1e3);
}

static PyGetSetDef qpair_getset[] = {
	{ "sqid", get_sqid, NULL, "Identifier of the submission queue, from 1.", NULL },
	{ "latest_cid", get_latest_cid, NULL,
	  "Command identifier of the last command; None while it waits in software for one.",
	  NULL },
	{ "latest_latency", get_latest_latency, NULL,
	  "Microseconds that the last completed command took.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

PyDoc_STRVAR(records_doc, "_records($self, /)\n--\n\nThe command log of the queue, as bytes.");

static PyObject *qpair_records(PyObject *obj, PyObject *unused)
{
	return py_records(((struct py_qpair *)obj)->q);
}

static PyMethodDef qpair_methods[] = {
	ARGS_METHOD("waitdone", py_qpair_waitdone, py_qpair_waitdone_doc),
	ARGS_METHOD("wait_int", py_qpair_wait_int, py_qpair_wait_int_doc),
	{ "msix_clear", py_qpair_msix_clear, METH_NOARGS, py_qpair_msix_clear_doc },
	{ "msix_isset", py_qpair_msix_isset, METH_NOARGS, py_qpair_msix_isset_doc },
	{ "msix_mask", py_qpair_msix_mask, METH_NOARGS, py_qpair_msix_mask_doc },
	{ "msix_unmask", py_qpair_msix_unmask, METH_NOARGS, py_qpair_msix_unmask_doc },
	{ "delete", qpair_delete, METH_NOARGS, delete_doc },
	{ "_records", qpair_records, METH_NOARGS, records_doc },
	{ "__enter__", qpair_enter, METH_NOARGS, "__enter__($self, /)\n--\n\n" },
	{ "__exit__", qpair_exit, METH_VARARGS, "__exit__($self, /, *exc)\n--\n\n" },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(
	qpair_doc,
	"Qpair(nvme, depth, prio=0, ien=True, iv=65535)\n--\n\n"
	"An IO submission queue and its completion queue (Base 2.1, 3.3.1).\n\n"
	"depth: entries of both, 2..MQES + 1; more commands wait in software\n"
	"prio: 0 urgent .. 3 low, with weighted round robin\n"
	"ien, iv: interrupts, and their vector (65535: one that no other queue uses)\n"
	"Raises QpairCreationError. Deleted with its last reference, delete(), or a with block.");

static PyType_Slot qpair_slots[] = {
	{ Py_tp_new, qpair_new },
	{ Py_tp_dealloc, qpair_dealloc },
	{ Py_tp_traverse, qpair_traverse },
	{ Py_tp_clear, qpair_clear },
	{ Py_tp_repr, qpair_repr },
	{ Py_tp_doc, (void *)qpair_doc },
	{ Py_tp_getset, qpair_getset },
	{ Py_tp_methods, qpair_methods },
	{ 0, NULL },
};

static PyType_Spec qpair_spec = {
	.name = "nvme._core.Qpair",
	.basicsize = sizeof(struct py_qpair),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = qpair_slots,
};

int py_qpair_add(PyObject *module, struct py_state *state)
{
	state->qpair_type = py_add_type(module, &qpair_spec);
	return state->qpair_type ? 0 : -1;
}
