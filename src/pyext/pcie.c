/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie.c - nvme._core.Pcie: raw access to config space. Its public face is Python's.
 */
#include "pyext/pcie.h"

#include "bus/bus.h"
#include "bus/pci.h"
#include "nvme/ctrl.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/fabric.h"
#include "pyext/interrupt.h"

#define CFG_BYTES 4096u

static int pcie_open(struct py_pcie *self)
{
	const char *addr = PyUnicode_AsUTF8AndSize(self->addr, NULL);
	struct py_interrupt interrupt;
	struct bus *bus = NULL;
	int rc;

	if (!addr)
		return -1;
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = bus_open(&bus, addr);
	Py_END_ALLOW_THREADS
	self->bus = bus;
	if (py_interrupt_end(&interrupt))
		return -1;
	if (!rc)
		return 0;
	py_error(self->state, self->state->enumerate_error, rc);
	return -1;
}

/* The bus to use, or NULL with an exception. */
static struct bus *pcie_bus(struct py_pcie *self)
{
	if (py_check_process(self->state, self->generation))
		return NULL;
	if (self->closed)
		return (struct bus *)py_fail(PyExc_SystemError, "the PCI function is closed");
	if (self->ctrl && py_ctrl_check(self->ctrl))
		return NULL;
	if (self->ctrl && !self->ctrl->ctrl->bus)
		return (struct bus *)py_fabric_without(self->ctrl, "PCI config space");
	if (self->ctrl)
		return self->ctrl->ctrl->bus;
	/* A Controller that could not be made has closed it. */
	if (!self->bus && pcie_open(self))
		return NULL;
	return self->bus;
}

int py_pcie_give(struct py_pcie *self, struct bus **bus, struct nvme_ctrl **shared)
{
	*shared = NULL;
	*bus = pcie_bus(self);
	if (!*bus)
		return -1;
	if (self->ctrl) {
		*shared = nvme_ctrl_get(self->ctrl->ctrl);
		*bus = NULL;
	}
	self->bus = NULL;
	return 0;
}

void py_pcie_take_ctrl(struct py_pcie *self, struct py_ctrl *ctrl)
{
	struct py_ctrl *former = self->ctrl;

	self->ctrl = (struct py_ctrl *)Py_NewRef((PyObject *)ctrl);
	Py_XDECREF((PyObject *)former);
}

static void pcie_close(struct py_live *live)
{
	struct py_pcie *self = list_entry(live, struct py_pcie, live);
	struct bus *bus = self->bus;

	py_live_del(live);
	self->closed = true;
	self->bus = NULL;
	if (bus && self->generation == py_process_generation()) {
		Py_BEGIN_ALLOW_THREADS
			bus_close(bus);
		Py_END_ALLOW_THREADS
	}
}

static PyObject *pcie_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Pcie", 1, 1, "nvme");
	struct py_state *state = py_state_of(type);
	struct py_pcie *self;
	PyObject *arg[1];
	bool with_ctrl;

	if (!state || args_bind_call(&spec, args, kwargs, arg))
		return NULL;
	with_ctrl = arg_is(arg[0], state->ctrl_type);
	if (!with_ctrl && !PyUnicode_Check(arg[0]))
		return py_fail(PyExc_TypeError, "nvme must be a Controller or an address");
	if (with_ctrl && py_ctrl_check((struct py_ctrl *)arg[0]))
		return NULL;
	if (with_ctrl && !((struct py_ctrl *)arg[0])->ctrl->bus)
		return py_fabric_without((struct py_ctrl *)arg[0], "PCI config space");
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	list_init(&self->live.node);
	if (with_ctrl)
		py_pcie_take_ctrl(self, (struct py_ctrl *)arg[0]);
	else
		self->addr = Py_NewRef(arg[0]);
	if (self->addr && pcie_open(self)) {
		Py_DECREF(self);
		return NULL;
	}
	py_live_add(state, &self->live, (PyObject *)self, pcie_close);
	return (PyObject *)self;
}

static int pcie_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct py_pcie *)obj)->ctrl);
	return 0;
}

static int pcie_clear(PyObject *obj)
{
	Py_CLEAR(((struct py_pcie *)obj)->ctrl);
	return 0;
}

static void pcie_dealloc(PyObject *obj)
{
	struct py_pcie *self = (struct py_pcie *)obj;

	PyObject_GC_UnTrack(obj);
	if (self->live.node.next)
		pcie_close(&self->live);
	pcie_clear(obj);
	Py_CLEAR(self->addr);
	py_free(self);
}

static PyObject *pcie_repr(PyObject *obj)
{
	struct py_pcie *self = (struct py_pcie *)obj;

	if (self->closed)
		return PyUnicode_FromString("<pcie: closed>");
	if (self->ctrl)
		return PyUnicode_FromFormat("<pcie of %R>", self->ctrl);
	if (self->addr)
		return PyUnicode_FromFormat("<pcie: %U>", self->addr);
	return PyUnicode_FromString("<pcie: not open>");
}

PyDoc_STRVAR(
	close_doc,
	"close($self, /)\n--\n\n"
	"Let go of the function; Controllers that were made from it go on. May be called again.");

static PyObject *pcie_close_method(PyObject *obj, PyObject *unused)
{
	struct py_pcie *self = (struct py_pcie *)obj;

	if (py_check_process(self->state, self->generation))
		return NULL;
	pcie_close(&self->live);
	Py_CLEAR(self->ctrl);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(read_doc, "_read($self, /, offset, count)\n--\n\n"
		       "`count` bytes of config space (4096 there are), as bytes.");

static PyObject *pcie_read(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames)
{
	ARGS_SPEC(spec, "_read", 2, 2, "offset", "count");
	struct py_pcie *self = (struct py_pcie *)obj;
	uint64_t offset = 0, count = 0;
	uint8_t bytes[CFG_BYTES];
	PyObject *arg[2];
	struct bus *bus;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "offset", CFG_BYTES, &offset) ||
	    arg_uint(arg[1], "count", CFG_BYTES - offset, &count) || !(bus = pcie_bus(self)))
		return NULL;
	if (!bus->ops->cfg_read)
		return py_fail(self->state->nvme_error, "%s has no config space", bus->addr);
	rc = bus->ops->cfg_read(bus, (unsigned int)offset, bytes, (unsigned int)count);
	if (rc)
		return py_error(self->state, NULL, rc);
	return PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)count);
}

PyDoc_STRVAR(write_doc, "_write($self, /, offset, data)\n--\n\n"
			"Write bytes to config space, as one access where they are 1, 2 or 4.");

static PyObject *pcie_write(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	ARGS_SPEC(spec, "_write", 2, 2, "offset", "data");
	struct py_pcie *self = (struct py_pcie *)obj;
	uint64_t offset = 0;
	Py_ssize_t count = 0;
	PyObject *arg[2];
	struct bus *bus;
	char *bytes;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "offset", CFG_BYTES, &offset) ||
	    PyBytes_AsStringAndSize(arg[1], &bytes, &count) || !(bus = pcie_bus(self)))
		return NULL;
	if (offset + (uint64_t)count > CFG_BYTES)
		return py_fail(PyExc_IndexError, "config space has %u bytes", CFG_BYTES);
	if (!bus->ops->cfg_write)
		return py_fail(self->state->nvme_error, "%s has no config space", bus->addr);
	rc = bus->ops->cfg_write(bus, (unsigned int)offset, bytes, (unsigned int)count);
	if (rc)
		return py_error(self->state, NULL, rc);
	Py_RETURN_NONE;
}

static PyObject *get_addr(PyObject *obj, void *closure)
{
	struct bus *bus = pcie_bus((struct py_pcie *)obj);

	return bus ? PyUnicode_FromString(bus->addr) : NULL;
}

static PyObject *get_ctrl(PyObject *obj, void *closure)
{
	PyObject *ctrl = (PyObject *)((struct py_pcie *)obj)->ctrl;

	return Py_NewRef(ctrl ? ctrl : Py_None);
}

static PyObject *get_aspm(PyObject *obj, void *closure)
{
	struct py_pcie *self = (struct py_pcie *)obj;
	struct bus *bus = pcie_bus(self);
	int rc;

	if (!bus)
		return NULL;
	rc = pci_get_aspm(bus);
	return rc < 0 ? py_error(self->state, NULL, rc) : PyLong_FromLong(rc);
}

static int set_aspm(PyObject *obj, PyObject *value, void *closure)
{
	struct py_pcie *self = (struct py_pcie *)obj;
	struct bus *bus;
	uint64_t aspm = 0;
	int rc;

	if (arg_assigned(value, "aspm", 0, 3, &aspm) || !(bus = pcie_bus(self)))
		return -1;
	rc = pci_set_aspm(bus, (unsigned int)aspm);
	if (rc)
		py_error(self->state, NULL, rc);
	return rc ? -1 : 0;
}

static PyGetSetDef pcie_getset[] = {
	{ "_aspm", get_aspm, set_aspm, "ASPM Control of the link, at both ends.", NULL },
	{ "addr", get_addr, NULL, "Address of the function, in its canonical form.", NULL },
	{ "_nvme", get_ctrl, NULL, "The Controller of this function, or None.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef pcie_methods[] = {
	ARGS_METHOD("_read", pcie_read, read_doc),
	ARGS_METHOD("_write", pcie_write, write_doc),
	{ "close", pcie_close_method, METH_NOARGS, close_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(pcie_doc, "Pcie(nvme)\n--\n\nConfig space of a PCI function.");

static PyType_Slot pcie_slots[] = {
	{ Py_tp_new, pcie_new },
	{ Py_tp_dealloc, pcie_dealloc },
	{ Py_tp_traverse, pcie_traverse },
	{ Py_tp_clear, pcie_clear },
	{ Py_tp_repr, pcie_repr },
	{ Py_tp_doc, (void *)pcie_doc },
	{ Py_tp_getset, pcie_getset },
	{ Py_tp_methods, pcie_methods },
	{ 0, NULL },
};

static PyType_Spec pcie_spec = {
	.name = "nvme._core.Pcie",
	.basicsize = sizeof(struct py_pcie),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = pcie_slots,
};

int py_pcie_add(PyObject *module, struct py_state *state)
{
	state->pcie_type = py_add_type(module, &pcie_spec);
	return state->pcie_type ? 0 : -1;
}
