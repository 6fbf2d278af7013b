/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim.c - nvme._core.Sim: the software SSD behind a Controller, or one that is served. Its
 * public face is Python's.
 */
#include "pyext/pyext.h"

#include <errno.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/soft.h"
#include "nvme/ctrl.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/ssd/target.h"
#include "ssd/ssd.h"

/**
 * struct py_sim - the SSD behind @ctrl, or the SSD @number of @target
 */
struct py_sim {
	PyObject_HEAD struct py_state *state;
	struct py_ctrl *ctrl;
	struct py_target *target;
	unsigned int number;
};

/* Enters the device; NULL with an exception when there is none. */
static struct ssd *sim_enter(struct py_sim *self)
{
	struct ssd *ssd;

	if (self->target)
		return py_target_enter(self->target, self->number);
	if (py_ctrl_check(self->ctrl))
		return NULL;
	soft_lock(self->ctrl->ctrl->bus);
	ssd = soft_ssd(self->ctrl->ctrl->bus);
	return ssd;
}

static void sim_exit(struct py_sim *self)
{
	if (self->target)
		py_target_leave(self->target, self->number);
	else
		soft_unlock(self->ctrl->ctrl->bus);
}

/* The SSD that a controller has on its soft bus. */
static int sim_of_ctrl(struct py_sim *self, PyObject *arg)
{
	struct py_ctrl *ctrl = arg_object(arg, self->state->ctrl_type, "nvme", "Controller");

	if (!ctrl || py_ctrl_check(ctrl))
		return -1;
	if (!ctrl->ctrl->bus || ctrl->ctrl->bus->ops != &soft_ops) {
		py_fail(PyExc_TypeError, "%s is not a software SSD of this process",
			ctrl->ctrl->addr);
		return -1;
	}
	self->ctrl = (struct py_ctrl *)Py_NewRef((PyObject *)ctrl);
	return 0;
}

static int sim_of_target(struct py_sim *self, PyObject *target, PyObject *number)
{
	uint64_t n = 0;

	if (arg_uint(number, "number", UINT32_MAX, &n) ||
	    py_target_check((struct py_target *)target, n))
		return -1;
	self->target = (struct py_target *)Py_NewRef(target);
	self->number = (unsigned int)n;
	return 0;
}

static PyObject *sim_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Sim", 1, 2, "nvme", "number");
	struct py_state *state = py_state_of(type);
	struct py_sim *self;
	PyObject *arg[2];
	int rc;

	if (!state || args_bind_call(&spec, args, kwargs, arg))
		return NULL;
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	if (arg_is(arg[0], state->target_type))
		rc = sim_of_target(self, arg[0], arg[1]);
	else
		rc = sim_of_ctrl(self, arg[0]);
	if (!rc)
		return (PyObject *)self;
	Py_DECREF(self);
	return NULL;
}

static int sim_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct py_sim *)obj)->ctrl);
	Py_VISIT(((struct py_sim *)obj)->target);
	return 0;
}

static int sim_clear(PyObject *obj)
{
	Py_CLEAR(((struct py_sim *)obj)->ctrl);
	Py_CLEAR(((struct py_sim *)obj)->target);
	return 0;
}

static void sim_dealloc(PyObject *obj)
{
	PyObject_GC_UnTrack(obj);
	sim_clear(obj);
	py_free(obj);
}

PyDoc_STRVAR(
	add_doc,
	"_fault_add($self, /, admin, opcode, nsid, slba, nlb, nth, times, probability, action, "
	"status, delay_ns, value)\n--\n\n"
	"Add a rule (struct ssd_fault); -1 is any for admin and opcode. Returns its number.");

static PyObject *sim_fault_add(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			       PyObject *kwnames)
{
	ARGS_SPEC(spec, "_fault_add", 12, 12, "admin", "opcode", "nsid", "slba", "nlb", "nth",
		  "times", "probability", "action", "status", "delay_ns", "value");
	struct py_sim *self = (struct py_sim *)obj;
	struct ssd_fault fault = { 0 };
	Py_ssize_t admin = -1, opcode = -1, value = 0;
	uint64_t action = 0, status = 0;
	PyObject *arg[12];
	struct ssd *ssd;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_ssize(arg[0], "admin", &admin) ||
	    arg_ssize(arg[1], "opcode", &opcode) || arg_u32(arg[2], "nsid", &fault.nsid) ||
	    arg_uint(arg[3], "slba", UINT64_MAX, &fault.slba) ||
	    arg_uint(arg[4], "nlb", UINT64_MAX, &fault.nlb) ||
	    arg_uint(arg[5], "nth", UINT64_MAX, &fault.nth) ||
	    arg_uint(arg[6], "times", UINT64_MAX, &fault.times) ||
	    arg_double(arg[7], "probability", &fault.probability) ||
	    arg_uint(arg[8], "action", SSD_FAULT_ACTIONS - 1, &action) ||
	    arg_uint(arg[9], "status", 0x7ff, &status) ||
	    arg_uint(arg[10], "delay_ns", INT64_MAX, &fault.delay_ns) ||
	    arg_ssize(arg[11], "value", &value))
		return NULL;
	fault.admin = (int)admin;
	fault.opcode = (int)opcode;
	fault.action = (enum ssd_fault_action)action;
	fault.status = (uint16_t)status;
	fault.value = value;
	ssd = sim_enter(self);
	if (!ssd)
		return NULL;
	rc = ssd_fault_add(ssd, &fault);
	sim_exit(self);
	return rc < 0 ? py_error(self->state, NULL, rc) : PyLong_FromLong(rc);
}

PyDoc_STRVAR(del_doc, "_fault_del($self, /, number)\n--\n\nRemove a rule; False if it has ended.");

static PyObject *sim_fault_del(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			       PyObject *kwnames)
{
	ARGS_SPEC(spec, "_fault_del", 1, 1, "number");
	struct py_sim *self = (struct py_sim *)obj;
	uint64_t number = 0;
	PyObject *arg[1];
	struct ssd *ssd;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "number", INT32_MAX, &number) || !(ssd = sim_enter(self)))
		return NULL;
	rc = ssd_fault_del(ssd, (int)number);
	sim_exit(self);
	return PyBool_FromLong(!rc);
}

static PyObject *fault_tuple(int number, const struct ssd_fault *f)
{
	return Py_BuildValue("iiiIKKKKdiHKLKK", number, f->admin, f->opcode, f->nsid,
			     (unsigned long long)f->slba, (unsigned long long)f->nlb,
			     (unsigned long long)f->nth, (unsigned long long)f->times,
			     f->probability, (int)f->action, f->status,
			     (unsigned long long)f->delay_ns, (long long)f->value,
			     (unsigned long long)f->matched, (unsigned long long)f->hits);
}

PyDoc_STRVAR(list_doc, "_fault_list($self, /)\n--\n\n"
		       "All rules: number, what _fault_add() takes, matched, hits.");

static PyObject *sim_fault_list(PyObject *obj, PyObject *unused)
{
	struct py_sim *self = (struct py_sim *)obj;
	PyObject *list = PyList_New(0), *item;
	struct ssd_fault fault;
	unsigned int i = 0;
	struct ssd *ssd;
	int number, rc;

	for (; list; i++) {
		ssd = sim_enter(self);
		if (!ssd)
			break;
		rc = ssd_fault_get(ssd, i, &number, &fault);
		sim_exit(self);
		if (rc)
			return list;
		item = fault_tuple(number, &fault);
		if (!item || PyList_Append(list, item)) {
			Py_XDECREF(item);
			break;
		}
		Py_DECREF(item);
	}
	Py_XDECREF(list);
	return NULL;
}

PyDoc_STRVAR(remove_doc, "remove($self, /)\n--\n\n"
			 "Surprise removal, for good: registers read all-ones from now on.");

static PyObject *sim_remove(PyObject *obj, PyObject *unused)
{
	struct py_sim *self = (struct py_sim *)obj;
	struct ssd *ssd = sim_enter(self);

	if (!ssd)
		return NULL;
	ssd_remove(ssd, clock_now_ns());
	sim_exit(self);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(power_doc, "_power_ssd($self, on, /)\n--\n\n"
			"Power of the drive itself: hosts lose it, or can connect again.");

static PyObject *sim_power(PyObject *obj, PyObject *on)
{
	struct py_sim *self = (struct py_sim *)obj;
	bool wanted = false;
	struct ssd *ssd;
	int rc;

	if (arg_bool(on, "on", &wanted) || !(ssd = sim_enter(self)))
		return NULL;
	rc = ssd_power(ssd, wanted, clock_now_ns());
	sim_exit(self);
	if (rc)
		return py_error(self->state, NULL, rc);
	Py_RETURN_NONE;
}

static PyObject *get_temperature(PyObject *obj, void *closure)
{
	struct py_sim *self = (struct py_sim *)obj;
	struct ssd *ssd = sim_enter(self);
	unsigned int kelvin;

	if (!ssd)
		return NULL;
	kelvin = ssd_temperature(ssd);
	sim_exit(self);
	return PyLong_FromUnsignedLong(kelvin);
}

static int set_temperature(PyObject *obj, PyObject *value, void *closure)
{
	struct py_sim *self = (struct py_sim *)obj;
	uint64_t kelvin = 0;
	struct ssd *ssd;
	int rc;

	if (arg_assigned(value, "temperature", 0, 1000, &kelvin) || !(ssd = sim_enter(self)))
		return -1;
	rc = ssd_set_temperature(ssd, (unsigned int)kelvin, clock_now_ns());
	sim_exit(self);
	if (rc)
		py_error(self->state, NULL, rc);
	return rc ? -1 : 0;
}

static PyObject *get_stats(PyObject *obj, void *closure)
{
	struct py_sim *self = (struct py_sim *)obj;
	struct ssd *ssd = sim_enter(self);
	struct ssd_stats s;

	if (!ssd)
		return NULL;
	ssd_get_stats(ssd, &s);
	sim_exit(self);
	return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K}", "commands", s.commands, "reads", s.reads,
			     "writes", s.writes, "irqs", s.irqs, "media_bytes", s.media_bytes,
			     "faults_hit", s.faults_hit);
}

static PyObject *get_nvme(PyObject *obj, void *closure)
{
	struct py_sim *self = (struct py_sim *)obj;

	if (self->target)
		return py_fail(PyExc_AttributeError, "an SSD that is served has no Controller");
	return Py_NewRef((PyObject *)self->ctrl);
}

static PyGetSetDef sim_getset[] = {
	{ "nvme", get_nvme, NULL, "The Controller in front of it.", NULL },
	{ "temperature", get_temperature, set_temperature,
	  "Composite temperature in Kelvin; a new one is held against the thresholds at once.",
	  NULL },
	{ "_stats", get_stats, NULL, "struct ssd_stats as a dict.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef sim_methods[] = {
	ARGS_METHOD("_fault_add", sim_fault_add, add_doc),
	ARGS_METHOD("_fault_del", sim_fault_del, del_doc),
	{ "_fault_list", sim_fault_list, METH_NOARGS, list_doc },
	{ "remove", sim_remove, METH_NOARGS, remove_doc },
	{ "_power_ssd", sim_power, METH_O, power_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(sim_doc,
	     "Sim(nvme, number=0)\n--\n\n"
	     "The software SSD behind a Controller, or one of those that a Target serves.");

static PyType_Slot sim_slots[] = {
	{ Py_tp_new, sim_new },		  { Py_tp_dealloc, sim_dealloc },
	{ Py_tp_traverse, sim_traverse }, { Py_tp_clear, sim_clear },
	{ Py_tp_doc, (void *)sim_doc },	  { Py_tp_getset, sim_getset },
	{ Py_tp_methods, sim_methods },	  { 0, NULL },
};

static PyType_Spec sim_spec = {
	.name = "nvme._core.Sim",
	.basicsize = sizeof(struct py_sim),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = sim_slots,
};

int py_sim_add(PyObject *module, struct py_state *state)
{
	state->sim_type = py_add_type(module, &sim_spec);
	return state->sim_type ? 0 : -1;
}
