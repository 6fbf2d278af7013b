/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns.c - nvme._core.Namespace: opening, closing, properties. Its public face is Python's.
 */
#include "pyext/ns.h"

#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/interrupt.h"
#include "pyext/qpair.h"
#include "pyext/request.h"

int py_ns_check(struct py_ns *self)
{
	if (py_check_process(self->state, self->generation))
		return -1;
	if (self->ns)
		return 0;
	py_fail(PyExc_SystemError, "the namespace is closed");
	return -1;
}

struct py_req *py_ns_req(struct py_ns *self, PyObject *cb)
{
	struct py_req *r = py_req_get(self->state, cb);

	if (!r)
		return NULL;
	if (py_ns_check(self)) {
		py_req_put(self->state, r);
		return NULL;
	}
	py_req_hold_ns(r, self->ns);
	return r;
}

static void __attribute__((noinline))
other_controller(const struct py_ns *self, const struct py_qpair *qpair)
{
	py_fail(PyExc_ValueError,
		"qpair %u belongs to the controller %s, namespace %u to another one, %s",
		qpair->sqid, qpair->q->ctrl->addr, self->ns->nsid, self->ns->ctrl->addr);
}

struct py_qpair *py_ns_qpair(struct py_ns *self, PyObject *o)
{
	struct py_qpair *qpair = arg_object(o, self->state->qpair_type, "qpair", "Qpair");

	if (!qpair || py_ns_check(self) || py_qpair_check(qpair))
		return NULL;
	if (qpair->q->ctrl == self->ns->ctrl)
		return qpair;
	other_controller(self, qpair);
	return NULL;
}

static void ns_close(struct py_live *live)
{
	struct py_ns *self = list_entry(live, struct py_ns, live);
	struct nvme_ns *ns = self->ns;

	py_live_del(live);
	self->ns = NULL;
	if (ns && self->generation == py_process_generation())
		nvme_ns_put(ns);
}

static int ns_open(struct py_ns *self, uint32_t nsid)
{
	struct py_ctrl *ctrl = self->ctrl;
	struct nvme_ns *ns = NULL;
	struct py_interrupt interrupt;
	struct nvme_ctrl *nvme;
	int rc, cut;

	nvme = py_ctrl_enter(ctrl);
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ns_open(nvme, nsid, &ns);
		py_ctrl_leave(ctrl);
	Py_END_ALLOW_THREADS
	cut = py_interrupt_end(&interrupt);
	if (rc && !cut)
		py_error(self->state, self->state->ns_creation_error, rc);
	if (rc)
		return -1;
	self->ns = ns;
	self->nsid = nsid;
	py_live_add(self->state, &self->live, (PyObject *)self, ns_close);
	return cut ? -1 : py_ctrl_settle(ctrl);
}

static PyObject *ns_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Namespace", 1, 2, "nvme", "nsid");
	struct py_state *state = py_state_of(type);
	struct py_ctrl *ctrl;
	struct py_ns *self;
	uint32_t nsid = 1;
	PyObject *arg[2];

	if (!state || args_bind_call(&spec, args, kwargs, arg))
		return NULL;
	ctrl = arg_object(arg[0], state->ctrl_type, "nvme", "Controller");
	if (!ctrl || arg_u32(arg[1], "nsid", &nsid))
		return NULL;
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	self->ctrl = (struct py_ctrl *)Py_NewRef((PyObject *)ctrl);
	list_init(&self->live.node);
	if (py_ctrl_check(ctrl) || ns_open(self, nsid)) {
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static int ns_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct py_ns *)obj)->ctrl);
	return 0;
}

static int ns_clear(PyObject *obj)
{
	struct py_ns *self = (struct py_ns *)obj;

	ns_close(&self->live);
	Py_CLEAR(self->ctrl);
	return 0;
}

static void ns_dealloc(PyObject *obj)
{
	struct py_ns *self = (struct py_ns *)obj;

	PyObject_GC_UnTrack(obj);
	if (self->live.node.next)
		ns_clear(obj);
	py_free(self);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
			"Let go of the namespace; commands in flight are not affected.");

static PyObject *ns_close_method(PyObject *obj, PyObject *unused)
{
	ns_close(&((struct py_ns *)obj)->live);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(verify_enable_doc,
	     "verify_enable($self, /, enable=True)\n--\n\n"
	     "LBA locks: conflicting reads and writes wait for each other, so that verification\n"
	     "reports nothing false. Returns True if they are on.");

static PyObject *ns_verify_enable(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				  PyObject *kwnames)
{
	ARGS_SPEC(spec, "verify_enable", 0, 1, "enable");
	struct py_ns *self = (struct py_ns *)obj;
	bool enable = true;
	PyObject *arg[1];

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_bool(arg[0], "enable", &enable) ||
	    py_ns_check(self))
		return NULL;
	nvme_ns_set_locks(self->ns, enable);
	return PyBool_FromLong(self->ns->locks);
}

PyDoc_STRVAR(refresh_doc, "_refresh($self, /)\n--\n\nIdentify again: format and size.");

static PyObject *ns_refresh(PyObject *obj, PyObject *unused)
{
	struct py_ns *self = (struct py_ns *)obj;
	struct nvme_ns *ns;
	int rc;

	if (py_ns_check(self) || py_ctrl_check(self->ctrl))
		return NULL;
	/* Another thread may close it meanwhile. */
	ns = nvme_ns_get(self->ns);
	py_ctrl_enter(self->ctrl);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ns_refresh(ns);
		nvme_ns_put(ns);
		py_ctrl_leave(self->ctrl);
	Py_END_ALLOW_THREADS
	if (rc)
		return py_error(self->state, NULL, rc);
	if (py_ctrl_settle(self->ctrl))
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *ns_repr(PyObject *obj)
{
	struct py_ns *self = (struct py_ns *)obj;

	if (!self->nsid || !self->ctrl)
		return PyUnicode_FromString("<namespace: not open>");
	return PyUnicode_FromFormat("<namespace: %u of %R%s>", self->nsid, self->ctrl,
				    self->ns ? "" : ", closed");
}

static PyObject *get_nsid(PyObject *obj, void *closure)
{
	struct py_ns *self = (struct py_ns *)obj;

	return py_ns_check(self) ? NULL : PyLong_FromUnsignedLong(self->ns->nsid);
}

static PyObject *get_capacity(PyObject *obj, void *closure)
{
	struct py_ns *self = (struct py_ns *)obj;
	const struct nvme_ns_format *f;

	if (py_ns_check(self))
		return NULL;
	f = nvme_ns_format(self->ns);
	return PyLong_FromUnsignedLongLong(f->nlbas * f->lba_bytes);
}

static PyObject *get_sector_size(PyObject *obj, void *closure)
{
	struct py_ns *self = (struct py_ns *)obj;

	if (py_ns_check(self))
		return NULL;
	return PyLong_FromUnsignedLong(nvme_ns_format(self->ns)->lba_bytes);
}

static PyObject *get_nvme(PyObject *obj, void *closure)
{
	PyObject *ctrl = (PyObject *)((struct py_ns *)obj)->ctrl;

	return Py_NewRef(ctrl ? ctrl : Py_None);
}

static PyGetSetDef ns_getset[] = {
	{ "nsid", get_nsid, NULL, "Namespace identifier.", NULL },
	{ "capacity", get_capacity, NULL, "Bytes of data the namespace holds (NSZE).", NULL },
	{ "sector_size", get_sector_size, NULL, "Bytes of data in an LBA, metadata not counted.",
	  NULL },
	{ "_nvme", get_nvme, NULL, "The Controller it belongs to.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef ns_methods[] = {
	ARGS_METHOD("read", py_ns_read, py_ns_read_doc),
	ARGS_METHOD("write", py_ns_write, py_ns_write_doc),
	ARGS_METHOD("compare", py_ns_compare, py_ns_compare_doc),
	ARGS_METHOD("write_zeroes", py_ns_write_zeroes, py_ns_write_zeroes_doc),
	ARGS_METHOD("write_uncorrectable", py_ns_write_uncorrectable,
		    py_ns_write_uncorrectable_doc),
	ARGS_METHOD("verify", py_ns_verify, py_ns_verify_doc),
	ARGS_METHOD("copy", py_ns_copy, py_ns_copy_doc),
	ARGS_METHOD("flush", py_ns_flush, py_ns_flush_doc),
	ARGS_METHOD("dsm", py_ns_dsm, py_ns_dsm_doc),
	ARGS_METHOD("send_cmd", py_ns_send_cmd, py_ns_send_cmd_doc),
	ARGS_METHOD("verify_enable", ns_verify_enable, verify_enable_doc),
	ARGS_METHOD("_verify_save", py_ns_verify_save, py_ns_verify_save_doc),
	ARGS_METHOD("_verify_load", py_ns_verify_load, py_ns_verify_load_doc),
	{ "close", ns_close_method, METH_NOARGS, close_doc },
	{ "_refresh", ns_refresh, METH_NOARGS, refresh_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(ns_doc, "Namespace(nvme, nsid=1)\n--\n\nAn active namespace of a controller.\n\n"
		     "Raises NamespaceCreationError when there is none with this identifier.");

static PyType_Slot ns_slots[] = {
	{ Py_tp_new, ns_new },	     { Py_tp_dealloc, ns_dealloc }, { Py_tp_traverse, ns_traverse },
	{ Py_tp_clear, ns_clear },   { Py_tp_repr, ns_repr },	    { Py_tp_doc, (void *)ns_doc },
	{ Py_tp_getset, ns_getset }, { Py_tp_methods, ns_methods }, { 0, NULL },
};

static PyType_Spec ns_spec = {
	.name = "nvme._core.Namespace",
	.basicsize = sizeof(struct py_ns),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = ns_slots,
};

int py_ns_add(PyObject *module, struct py_state *state)
{
	state->ns_type = py_add_type(module, &ns_spec);
	return state->ns_type ? 0 : -1;
}
