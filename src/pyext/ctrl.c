/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl.c - nvme._core.Controller: opening, closing, registers. Its public face is Python's.
 */
#include "pyext/ctrl.h"

#include <errno.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/ctrl.h"
#include "nvme/transport.h"
#include "pyext/args.h"
#include "pyext/fabric.h"
#include "pyext/interrupt.h"
#include "pyext/pcie.h"
#include "pyext/cmdlog/record.h"
#include "spec/id_ctrl.h"
#include "spec/nvme.h"

int py_ctrl_check(struct py_ctrl *self)
{
	if (py_check_process(self->state, self->generation))
		return -1;
	if (self->ctrl)
		return 0;
	py_fail(PyExc_SystemError, "the controller is closed");
	return -1;
}

/* Until no thread is inside any more. None gets in, for self->ctrl is NULL. Without the GIL. */
static void wait_users(struct py_ctrl *self)
{
	while (atomic_load_explicit(&self->users, memory_order_acquire))
		clock_sleep_until_ns(clock_now_ns() + PY_WAIT_SLICE_NS);
}

/* In the child of a fork nothing touches the drive; its memory is the parent's affair. */
static void ctrl_close(struct py_live *live)
{
	struct py_ctrl *self = list_entry(live, struct py_ctrl, live);
	struct nvme_ctrl *ctrl = self->ctrl;

	py_live_del(live);
	self->ctrl = NULL;
	if (ctrl && self->generation == py_process_generation()) {
		Py_BEGIN_ALLOW_THREADS
			wait_users(self);
			nvme_ctrl_drop_init(ctrl, self);
			nvme_ctrl_put(ctrl);
		Py_END_ALLOW_THREADS
	}
	py_sink_forget(self->state, &self->sink);
}

/* Not in a reset by a thread that the script has shown it to meanwhile. */
static bool is_opening(const struct py_ctrl *self)
{
	return self->opener == PyThread_get_thread_ident();
}

/* The script's own initialisation; called by the driver from inside open and reset. */
static int run_init_func(struct nvme_ctrl *ctrl, void *priv)
{
	struct py_ctrl *self = priv;
	PyGILState_STATE gil = PyGILState_Ensure();
	PyObject *result;
	int rc = 0;

	/* At a reset it is there, or is being closed. */
	if (is_opening(self))
		self->ctrl = ctrl;
	result = PyObject_CallFunctionObjArgs(self->init_func, (PyObject *)self, NULL);
	if (!result) {
		Py_XDECREF(self->init_exception);
		self->init_exception = py_take_exception();
		rc = -ECANCELED;
	}
	Py_XDECREF(result);
	/* The driver frees what fails to open, and the script may have shown it to other threads. */
	if (rc && is_opening(self)) {
		self->ctrl = NULL;
		Py_BEGIN_ALLOW_THREADS
			wait_users(self);
		Py_END_ALLOW_THREADS
	}
	PyGILState_Release(gil);
	return rc;
}

PyObject *py_ctrl_error(struct py_ctrl *self, PyObject *exc, int rc)
{
	PyObject *value = self->init_exception;

	if (!value)
		return py_error(self->state, exc, rc);
	self->init_exception = NULL;
	py_raise_exception(value);
	return NULL;
}

/* Where a controller is: an address, a bus that is open, or a controller that is. */
struct place {
	const char *addr;
	const char *fabric; /* more options of it, or NULL */
	struct bus *bus;
	struct nvme_ctrl *shared; /* a reference of this one's own */
};

/* Without the GIL. */
static int reach(const struct place *at, const struct nvme_ctrl_opts *opts, struct nvme_ctrl **out)
{
	int rc;

	if (at->bus)
		return nvme_ctrl_open_bus(out, at->bus, opts);
	if (!at->shared)
		return nvme_ctrl_open(out, at->addr, opts);
	rc = nvme_ctrl_reopen(at->shared, opts);
	if (rc)
		nvme_ctrl_put(at->shared);
	*out = at->shared;
	return rc;
}

static int ctrl_open(struct py_ctrl *self, const struct place *at)
{
	struct nvme_ctrl_opts opts = { .init_priv = self, .fabric = at->fabric };
	struct py_interrupt interrupt;
	struct nvme_ctrl *ctrl = NULL;
	int rc, cut;

	if (self->init_func)
		opts.init = run_init_func;
	self->opener = PyThread_get_thread_ident();
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = reach(at, &opts, &ctrl);
	Py_END_ALLOW_THREADS
	cut = py_interrupt_end(&interrupt);
	self->opener = 0;
	self->ctrl = rc ? NULL : ctrl;
	if (rc && !cut)
		py_ctrl_error(self, self->state->enumerate_error, rc);
	if (rc)
		return -1;
	self->addr = PyUnicode_FromString(ctrl->addr);
	py_live_add(self->state, &self->live, (PyObject *)self, ctrl_close);
	return cut || !self->addr ? -1 : 0;
}

/* From an address, or from a Pcie: the first takes its bus, the next share the controller. */
static int ctrl_open_from(struct py_ctrl *self, PyObject *from, PyObject *fabric)
{
	struct place at = { 0 };
	struct py_pcie *pcie = NULL;
	int rc;

	if (arg_is(from, self->state->pcie_type)) {
		pcie = (struct py_pcie *)from;
		if (py_pcie_give(pcie, &at.bus, &at.shared))
			return -1;
	} else {
		at.addr = PyUnicode_AsUTF8AndSize(from, NULL);
		if (!at.addr)
			return -1;
	}
	if (py_fabric_options(fabric, at.addr, &at.fabric))
		return -1;
	rc = ctrl_open(self, &at);
	if (!rc && pcie)
		py_pcie_take_ctrl(pcie, self);
	return rc;
}

static PyObject *ctrl_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Controller", 1, 3, "addr", "nvme_init_func", "fabric");
	struct py_state *state = py_state_of(type);
	PyObject *arg[3], *init_func;
	struct py_ctrl *self;

	if (!state || args_bind_call(&spec, args, kwargs, arg) ||
	    arg_callable(arg[1], "nvme_init_func", &init_func))
		return NULL;
	if (!arg_is(arg[0], state->pcie_type) && !PyUnicode_Check(arg[0]))
		return py_fail(PyExc_TypeError, "addr must be a str or a Pcie");
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	self->init_func = Py_XNewRef(init_func);
	py_sink_init(&self->sink);
	list_init(&self->qpairs);
	list_init(&self->live.node);
	self->wait_lock = PyThread_allocate_lock();
	if (!self->wait_lock)
		PyErr_NoMemory();
	if (!self->wait_lock || ctrl_open_from(self, arg[0], arg[2])) {
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static int ctrl_traverse(PyObject *obj, visitproc visit, void *arg)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(self->init_func);
	Py_VISIT(self->init_exception);
	return py_sink_traverse(&self->sink, visit, arg);
}

static int ctrl_clear(PyObject *obj)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	ctrl_close(&self->live);
	Py_CLEAR(self->init_func);
	Py_CLEAR(self->init_exception);
	return 0;
}

static void ctrl_dealloc(PyObject *obj)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	PyObject_GC_UnTrack(obj);
	if (self->sink.flying.next)
		ctrl_clear(obj);
	if (self->wait_lock)
		PyThread_free_lock(self->wait_lock);
	Py_CLEAR(self->addr);
	py_free(self);
}

static PyObject *ctrl_repr(PyObject *obj)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	if (self->ctrl)
		return PyUnicode_FromFormat("<controller: %s>", self->ctrl->addr);
	if (self->addr)
		return PyUnicode_FromFormat("<controller: %U, closed>", self->addr);
	return PyUnicode_FromString("<controller: not open>");
}

/* --- registers --- */

static int register_offset(PyObject *key, uint32_t *off)
{
	if (arg_u32(key, "offset", off))
		return -1;
	if (*off % 4 == 0)
		return 0;
	py_fail(PyExc_AssertionError, "register offset must be a multiple of 4, not %u", *off);
	return -1;
}

static int removed(struct py_ctrl *self)
{
	py_fail(PyExc_SystemError, "%s is gone: its registers read all-ones", self->ctrl->addr);
	return -1;
}

/* A read that may be a message to another machine, and back. */
static int read_register(struct py_ctrl *self, uint32_t off, int width, uint64_t *val)
{
	struct nvme_ctrl *ctrl = py_ctrl_enter(self);
	int rc;

	Py_BEGIN_ALLOW_THREADS
		rc = ctrl->transport->reg_read(ctrl, off, width, val);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	return rc;
}

static PyObject *ctrl_getitem(PyObject *obj, PyObject *key)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint64_t val = 0, csts = 0;
	uint32_t off = 0;
	int rc;

	if (register_offset(key, &off) || py_ctrl_check(self))
		return NULL;
	rc = read_register(self, off, 4, &val);
	if (!rc && val == UINT32_MAX)
		rc = read_register(self, NVME_REG_CSTS, 4, &csts);
	if (rc)
		return py_ctrl_error(self, NULL, rc);
	if (csts == UINT32_MAX) {
		removed(self);
		return NULL;
	}
	return PyLong_FromUnsignedLong((unsigned long)val);
}

static int ctrl_setitem(PyObject *obj, PyObject *key, PyObject *value)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint32_t off = 0, val = 0;
	struct nvme_ctrl *ctrl;
	int rc;

	if (!value) {
		PyErr_SetString(PyExc_TypeError, "registers cannot be deleted");
		return -1;
	}
	if (register_offset(key, &off) || arg_u32(value, "value", &val) || py_ctrl_check(self))
		return -1;
	ctrl = py_ctrl_enter(self);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ctrl_poke32(ctrl, off, val);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	if (rc)
		py_ctrl_error(self, NULL, rc);
	return rc ? -1 : 0;
}

/* --- properties --- */

static PyObject *get_cap(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint64_t cap = 0;
	int rc;

	if (py_ctrl_check(self))
		return NULL;
	rc = read_register(self, NVME_REG_CAP, 8, &cap);
	if (rc)
		return py_ctrl_error(self, NULL, rc);
	if (cap == UINT64_MAX) {
		removed(self);
		return NULL;
	}
	return PyLong_FromUnsignedLongLong(cap);
}

static PyObject *get_addr(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	return py_ctrl_check(self) ? NULL : PyUnicode_FromString(self->ctrl->addr);
}

static PyObject *get_fabric(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	return py_ctrl_check(self) ? NULL : PyBool_FromLong(!self->ctrl->bus);
}

/* As of the last initialisation: the drive is not asked. */
static PyObject *get_sn(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	Py_ssize_t len = sizeof(self->ctrl->id_ctrl->sn);
	const char *sn;

	if (py_ctrl_check(self))
		return NULL;
	sn = self->ctrl->id_ctrl->sn;
	while (len && (sn[len - 1] == ' ' || !sn[len - 1]))
		len--;
	return PyUnicode_DecodeASCII(sn, len, "backslashreplace");
}

static PyObject *get_mdts(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	if (py_ctrl_check(self))
		return NULL;
	if (self->ctrl->mdts_bytes > PY_SSIZE_T_MAX)
		return PyLong_FromSsize_t(PY_SSIZE_T_MAX);
	return PyLong_FromUnsignedLongLong(self->ctrl->mdts_bytes);
}

static PyObject *get_timeout(PyObject *obj, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	if (py_ctrl_check(self))
		return NULL;
	return PyLong_FromUnsignedLong(atomic_load(&self->ctrl->timeout_ms));
}

static int set_timeout(PyObject *obj, PyObject *value, void *closure)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint64_t timeout_ms = 0;

	if (arg_assigned(value, "timeout", 1, UINT32_MAX, &timeout_ms) || py_ctrl_check(self))
		return -1;
	nvme_timeout_set(self->ctrl, (uint32_t)timeout_ms);
	return 0;
}

static PyObject *get_latest_cid(PyObject *obj, void *closure)
{
	return py_sink_latest_cid(&((struct py_ctrl *)obj)->sink);
}

static PyObject *get_latest_latency(PyObject *obj, void *closure)
{
	return PyFloat_FromDouble((double)((struct py_ctrl *)obj)->latest_latency_ns / 1e3);
}

static PyGetSetDef ctrl_getset[] = {
	{ "_fabric", get_fabric, NULL, "Whether it is reached over a fabric, not PCIe.", NULL },
	{ "cap", get_cap, NULL, "Controller Capabilities, all 64 bits (Base 2.1, 3.1.4.1).", NULL },
	{ "addr", get_addr, NULL, "Address of the device, in its canonical form.", NULL },
	{ "_sn", get_sn, NULL, "Serial number that the initialisation found, '' without.", NULL },
	{ "mdts", get_mdts, NULL,
	  "Maximum Data Transfer Size in bytes; sys.maxsize when the device has no limit.", NULL },
	{ "timeout", get_timeout, set_timeout,
	  "Milliseconds until a command counts as late (default 5000); waits end after 6 times that.",
	  NULL },
	{ "latest_cid", get_latest_cid, NULL,
	  "Command identifier of the last admin command; None while it waits in software for one.",
	  NULL },
	{ "latest_latency", get_latest_latency, NULL,
	  "Microseconds that the last completed admin command took.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

PyDoc_STRVAR(records_doc,
	     "_records($self, /)\n--\n\nThe command log of the admin queue, as bytes.");

static PyObject *ctrl_records(PyObject *obj, PyObject *unused)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;

	return py_ctrl_check(self) ? NULL : py_records(self->ctrl->adminq);
}

static PyMethodDef ctrl_methods[] = {
	ARGS_METHOD("waitdone", py_ctrl_waitdone, py_ctrl_waitdone_doc),
	ARGS_METHOD("send_cmd", py_ctrl_send_cmd, py_ctrl_send_cmd_doc),
	ARGS_METHOD("_execute", py_ctrl_execute, py_ctrl_execute_doc),
	ARGS_METHOD("_reset", py_ctrl_reset, py_ctrl_reset_doc),
	ARGS_METHOD("_shutdown", py_ctrl_shutdown, py_ctrl_shutdown_doc),
	ARGS_METHOD("_power", py_ctrl_power, py_ctrl_power_doc),
	ARGS_METHOD("_step", py_ctrl_step, py_ctrl_step_doc),
	{ "_forget", py_ctrl_forget, METH_NOARGS, py_ctrl_forget_doc },
	{ "_settle", py_ctrl_settle_now, METH_NOARGS, py_ctrl_settle_now_doc },
	{ "_records", ctrl_records, METH_NOARGS, records_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(ctrl_doc, "Controller(addr, nvme_init_func=None, fabric=None)\n--\n\n"
		       "A controller and its admin queue.");

static PyType_Slot ctrl_slots[] = {
	{ Py_tp_new, ctrl_new },
	{ Py_tp_dealloc, ctrl_dealloc },
	{ Py_tp_traverse, ctrl_traverse },
	{ Py_tp_clear, ctrl_clear },
	{ Py_tp_repr, ctrl_repr },
	{ Py_tp_doc, (void *)ctrl_doc },
	{ Py_mp_subscript, ctrl_getitem },
	{ Py_mp_ass_subscript, ctrl_setitem },
	{ Py_tp_getset, ctrl_getset },
	{ Py_tp_methods, ctrl_methods },
	{ 0, NULL },
};

static PyType_Spec ctrl_spec = {
	.name = "nvme._core.Controller",
	.basicsize = sizeof(struct py_ctrl),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = ctrl_slots,
};

int py_ctrl_add(PyObject *module, struct py_state *state)
{
	state->ctrl_type = py_add_type(module, &ctrl_spec);
	return state->ctrl_type ? 0 : -1;
}
