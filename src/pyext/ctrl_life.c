/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl_life.c - resets, power and the steps of initialisation of nvme._core.Controller.
 */
#include "pyext/ctrl.h"

#include <errno.h>
#include <string.h>

#include "nvme/ctrl.h"
#include "nvme/ns_list.h"
#include "pyext/args.h"
#include "pyext/interrupt.h"

/*
 * The end of a call that had to wait: the error, or None after what the wait reaped. A Ctrl-C that
 * cut it short is the error.
 */
static PyObject *finish(struct py_ctrl *self, int rc, struct py_interrupt *interrupt)
{
	int cut = py_interrupt_end(interrupt);
	PyObject *exception;

	if (!rc && !cut) {
		if (py_ctrl_settle(self))
			return NULL;
		Py_RETURN_NONE;
	}
	if (!cut)
		py_ctrl_error(self, NULL, rc);
	exception = py_take_exception();
	if (py_ctrl_settle(self))
		PyErr_WriteUnraisable((PyObject *)self);
	py_raise_exception(exception);
	return NULL;
}

const char py_ctrl_reset_doc[] =
	"_reset($self, /, kind)\n--\n\n"
	"Freeze the queues, drain them as 00/08, reset and initialise again.\n\n"
	"kind: 0 controller (CC.EN), 1 function level, 2 hot reset of the bus, 3 subsystem (NSSR)";

PyObject *py_ctrl_reset(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "_reset", 1, 1, "kind");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint64_t kind = 0;
	PyObject *arg[1];
	struct py_interrupt interrupt;
	struct nvme_ctrl *ctrl;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "kind", NVME_RESET_SUBSYSTEM, &kind) || py_ctrl_check(self))
		return NULL;
	ctrl = py_ctrl_enter(self);
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ctrl_reset(ctrl, (enum nvme_reset)kind);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	return finish(self, rc, &interrupt);
}

const char py_ctrl_shutdown_doc[] =
	"_shutdown($self, /, abrupt=False)\n--\n\n"
	"CC.SHN; an orderly one waits for CSTS.SHST = 10b, an abrupt one does not.";

PyObject *py_ctrl_shutdown(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames)
{
	ARGS_SPEC(spec, "_shutdown", 0, 1, "abrupt");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	bool abrupt = false;
	PyObject *arg[1];
	struct py_interrupt interrupt;
	struct nvme_ctrl *ctrl;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_bool(arg[0], "abrupt", &abrupt) ||
	    py_ctrl_check(self))
		return NULL;
	ctrl = py_ctrl_enter(self);
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ctrl_shutdown(ctrl, abrupt);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	return finish(self, rc, &interrupt);
}

const char py_ctrl_power_doc[] =
	"_power($self, /, on)\n--\n\n"
	"Switch the power of the function itself; on initialises again.\n\n"
	"Returns False where the bus has no such means.";

PyObject *py_ctrl_power(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "_power", 1, 1, "on");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	PyObject *arg[1], *done;
	bool on = false;
	struct py_interrupt interrupt;
	struct nvme_ctrl *ctrl;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_bool(arg[0], "on", &on) ||
	    py_ctrl_check(self))
		return NULL;
	ctrl = py_ctrl_enter(self);
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_ctrl_power(ctrl, on);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	if (rc == -EOPNOTSUPP && !py_interrupt_end(&interrupt))
		Py_RETURN_FALSE;
	done = finish(self, rc, &interrupt);
	if (!done)
		return NULL;
	Py_DECREF(done);
	Py_RETURN_TRUE;
}

static int disable(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_disable(ctrl);
}

static int setup_adminq(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_setup_adminq(ctrl);
}

static int wait_ready(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_wait_ready(ctrl, value != 0);
}

static int identify(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_identify(ctrl);
}

static int init_queues(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_init_queues(ctrl);
}

static int post_aers(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_post_aers(ctrl);
}

static int quiesce(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_quiesce(ctrl, "stopped by the script");
}

static int reinit(struct nvme_ctrl *ctrl, uint32_t value)
{
	return nvme_ctrl_reinit(ctrl);
}

static int power_lost(struct nvme_ctrl *ctrl, uint32_t value)
{
	nvme_ns_power_lost(ctrl);
	return 0;
}

struct step {
	const char *name;
	int (*run)(struct nvme_ctrl *ctrl, uint32_t value);
};

static const struct step steps[] = {
	{ "disable", disable },		{ "setup_adminq", setup_adminq },
	{ "enable", nvme_ctrl_enable }, { "wait_ready", wait_ready },
	{ "identify", identify },	{ "init_queues", init_queues },
	{ "post_aers", post_aers },	{ "quiesce", quiesce },
	{ "reinit", reinit },		{ "power_lost", power_lost },
};

const char py_ctrl_step_doc[] =
	"_step($self, /, name, value=0)\n--\n\n"
	"One step of initialisation: disable, setup_adminq, enable (value: CC, 0 the standard one),\n"
	"wait_ready (value: 0 or 1), identify, init_queues, post_aers; or quiesce, power_lost, reinit.";

PyObject *py_ctrl_step(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "_step", 1, 2, "name", "value");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	const char *name = NULL;
	uint32_t value = 0;
	PyObject *arg[2];
	size_t i;
	struct py_interrupt interrupt;
	struct nvme_ctrl *ctrl;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_u32(arg[1], "value", &value) ||
	    py_ctrl_check(self))
		return NULL;
	name = PyUnicode_AsUTF8AndSize(arg[0], NULL);
	for (i = 0; name && i < PYEXT_ARRAY_SIZE(steps); i++) {
		if (strcmp(name, steps[i].name))
			continue;
		ctrl = py_ctrl_enter(self);
		py_interrupt_begin(&interrupt);
		Py_BEGIN_ALLOW_THREADS
			rc = steps[i].run(ctrl, value);
			py_ctrl_leave(self);
		Py_END_ALLOW_THREADS
		return finish(self, rc, &interrupt);
	}
	if (name)
		py_fail(PyExc_ValueError, "no step is called %s", name);
	return NULL;
}
