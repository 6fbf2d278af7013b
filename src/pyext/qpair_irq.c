/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair_irq.c - the interrupt of a Qpair.
 */
#include "pyext/qpair.h"

#include <errno.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/irq.h"
#include "nvme/ctrl.h"
#include "nvme/qpair.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/fabric.h"

/* The bus and vector of the queue, or NULL with an exception. */
static struct bus *vector_of(struct py_qpair *self, unsigned int *vector)
{
	if (py_qpair_check(self) || py_ctrl_check(self->ctrl))
		return NULL;
	if (!self->ctrl->ctrl->bus)
		return (struct bus *)py_fabric_without(self->ctrl, "interrupts");
	*vector = self->q->vector;
	if (*vector != NVME_QPAIR_NO_IRQ)
		return self->ctrl->ctrl->bus;
	return (struct bus *)py_fail(self->state->nvme_error,
				     "qpair %u was created without an interrupt", self->sqid);
}

const char py_qpair_msix_clear_doc[] = "msix_clear($self, /)\n--\n\n"
				       "Forget that the interrupt of this queue fired.";

PyObject *py_qpair_msix_clear(PyObject *obj, PyObject *unused)
{
	struct py_qpair *self = (struct py_qpair *)obj;
	unsigned int vector;
	struct bus *bus = vector_of(self, &vector);
	int rc = bus ? bus_irq_clear(bus, vector) : 0;

	if (!bus || rc)
		return bus ? py_error(self->state, NULL, rc) : NULL;
	Py_RETURN_NONE;
}

const char py_qpair_msix_isset_doc[] =
	"msix_isset($self, /)\n--\n\n"
	"Whether the interrupt of this queue fired since the last msix_clear(), and is not masked.";

PyObject *py_qpair_msix_isset(PyObject *obj, PyObject *unused)
{
	struct py_qpair *self = (struct py_qpair *)obj;
	unsigned int vector;
	struct bus *bus = vector_of(self, &vector);
	int rc;

	if (!bus)
		return NULL;
	rc = bus_irq_isset(bus, vector);
	return rc < 0 ? py_error(self->state, NULL, rc) : PyBool_FromLong(rc);
}

static PyObject *set_mask(PyObject *obj, bool masked)
{
	struct py_qpair *self = (struct py_qpair *)obj;
	unsigned int vector;
	struct bus *bus = vector_of(self, &vector);
	int rc = bus ? bus_irq_set_mask(bus, vector, masked) : 0;

	if (!bus || rc)
		return bus ? py_error(self->state, NULL, rc) : NULL;
	Py_RETURN_NONE;
}

const char py_qpair_msix_mask_doc[] =
	"msix_mask($self, /)\n--\n\n"
	"Mask the interrupt of this queue; one that arrives stays pending until msix_unmask().";

PyObject *py_qpair_msix_mask(PyObject *obj, PyObject *unused)
{
	return set_mask(obj, true);
}

const char py_qpair_msix_unmask_doc[] =
	"msix_unmask($self, /)\n--\n\n"
	"Unmask the interrupt of this queue; a pending one fires now.";

PyObject *py_qpair_msix_unmask(PyObject *obj, PyObject *unused)
{
	return set_mask(obj, false);
}

const char py_qpair_wait_int_doc[] =
	"wait_int($self, /, timeout)\n--\n\n"
	"Sleep until the interrupt of this queue fires, at most `timeout` milliseconds.\n\n"
	"Returns True if it fired. Does not reap: waitdone() does.";

PyObject *py_qpair_wait_int(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	ARGS_SPEC(spec, "wait_int", 1, 1, "timeout");
	struct py_qpair *self = (struct py_qpair *)obj;
	uint64_t until, slice;
	double timeout_ms = 0;
	PyObject *arg[1];
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_double(arg[0], "timeout", &timeout_ms))
		return NULL;
	if (timeout_ms < 0 || timeout_ms > 1e12)
		return py_fail(PyExc_ValueError, "timeout must be 0..1e12 ms");
	until = clock_now_ns() + (uint64_t)(timeout_ms * 1e6);
	do {
		unsigned int vector;
		struct bus *bus;

		if (PyErr_CheckSignals() || !(bus = vector_of(self, &vector)))
			return NULL;
		slice = clock_now_ns() + 10 * PY_WAIT_SLICE_NS;
		py_ctrl_enter(self->ctrl);
		Py_BEGIN_ALLOW_THREADS
			rc = bus_irq_wait(bus, vector, slice < until ? slice : until);
			py_ctrl_leave(self->ctrl);
		Py_END_ALLOW_THREADS
	} while (!rc ? clock_now_ns() < until : rc == -EINTR);
	return rc < 0 ? py_error(self->state, NULL, rc) : PyBool_FromLong(rc);
}
