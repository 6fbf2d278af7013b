/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioworker.c - nvme._core.Worker: a worker's thread, and what came out of it. Its public face,
 * with all that scripts may write for an argument, is Python's.
 */
#include "pyext/ioworker.h"

#include <errno.h>

#include "base/clock.h"
#include "base/rand.h"
#include "ioworker/ioworker.h"
#include "nvme/ctrl.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/ns.h"
#include "pyext/wait.h"

#define SLICE_NS	20000000u /* between two looks at signals */
#define DRAIN_MARGIN_NS UINT64_C(10000000000)

/* --- arguments: lists come packed, as bytes of little-endian numbers --- */

static int arg_packed(PyObject *o, const char *name, size_t each, const void **out, uint64_t *n)
{
	Py_ssize_t len = 0;
	char *bytes;

	if (!arg_or_null(o))
		return 0;
	if (PyBytes_AsStringAndSize(o, &bytes, &len))
		return -1;
	if ((size_t)len % each) {
		PyErr_Format(PyExc_ValueError, "%s: %zd bytes are not a multiple of %zu", name, len,
			     each);
		return -1;
	}
	*out = bytes;
	*n = (size_t)len / each;
	return 0;
}

/* As packed by Python: opcode and weight. */
struct packed_op {
	uint32_t opcode;
	uint32_t weight;
};

struct packed_replay {
	uint64_t at_ns;
	uint64_t slba;
	uint32_t nlb;
	uint32_t opcode;
};

struct lists {
	struct plan_op ops[PLAN_OPS_MAX];
	struct plan_replay *replay;
};

static int unpack_ops(struct lists *l, PyObject *o, struct plan_opts *plan)
{
	const struct packed_op *packed = NULL;
	uint64_t n = 0;

	if (arg_packed(o, "ops", sizeof(*packed), (const void **)&packed, &n))
		return -1;
	if (n > PLAN_OPS_MAX) {
		PyErr_Format(PyExc_AssertionError, "more than %u different opcodes", PLAN_OPS_MAX);
		return -1;
	}
	for (uint64_t i = 0; i < n; i++)
		l->ops[i] = (struct plan_op){ .opcode = (uint8_t)packed[i].opcode,
					      .weight = packed[i].weight };
	plan->ops = l->ops;
	plan->nops = (uint32_t)n;
	return 0;
}

static int unpack_replay(struct lists *l, PyObject *o, struct plan_opts *plan)
{
	const struct packed_replay *packed = NULL;
	uint64_t n = 0;

	if (arg_packed(o, "replay", sizeof(*packed), (const void **)&packed, &n))
		return -1;
	if (!n)
		return 0;
	l->replay = PyMem_Calloc(n, sizeof(*l->replay));
	if (!l->replay) {
		PyErr_NoMemory();
		return -1;
	}
	for (uint64_t i = 0; i < n; i++)
		l->replay[i] = (struct plan_replay){ .at_ns = packed[i].at_ns,
						     .slba = packed[i].slba,
						     .nlb = packed[i].nlb,
						     .opcode = (uint8_t)packed[i].opcode };
	plan->replay = l->replay;
	plan->nreplay = n;
	return 0;
}

static int unpack_lists(struct lists *l, PyObject *const *arg, struct plan_opts *plan)
{
	const void *slices = NULL;
	uint64_t nsizes = 0, nslices = 0;

	if (arg_packed(arg[0], "sizes", sizeof(*plan->sizes), (const void **)&plan->sizes,
		       &nsizes) ||
	    unpack_ops(l, arg[1], plan) ||
	    arg_packed(arg[2], "slices", sizeof(uint16_t), &slices, &nslices) ||
	    unpack_replay(l, arg[3], plan))
		return -1;
	plan->nsizes = (uint32_t)nsizes;
	if (slices && nslices != PLAN_SLICES) {
		PyErr_Format(PyExc_AssertionError, "a distribution has %u weights, not %llu",
			     PLAN_SLICES, (unsigned long long)nslices);
		return -1;
	}
	plan->slices = slices;
	return 0;
}

static int arg_step(PyObject *o, struct plan_opts *plan)
{
	Py_ssize_t step = 0;

	if (!arg_or_null(o))
		return 0;
	plan->has_step = true;
	if (arg_ssize(o, "lba_step", &step))
		return -1;
	plan->lba_step = step;
	return 0;
}

#define WORKER_PARAMS                                                                          \
	"ns", "sizes", "ops", "slices", "replay", "region_start", "region_end", "lba_start",   \
		"random_percent", "lba_step", "once", "time_ns", "io_count", "iops", "qdepth", \
		"qprio", "ptype", "pvalue", "per_second", "nrecent", "cpu", "fw_debug"
#define WORKER_NPARAMS 22

static int parse(struct py_state *state, PyObject *const *arg, struct lists *lists,
		 struct ioworker_opts *o)
{
	Py_ssize_t cpu = -1;

	if (unpack_lists(lists, arg + 1, &o->plan) ||
	    arg_uint(arg[5], "region_start", UINT64_MAX, &o->plan.region_start) ||
	    arg_uint(arg[6], "region_end", UINT64_MAX, &o->plan.region_end) ||
	    arg_uint(arg[7], "lba_start", UINT64_MAX, &o->plan.lba_start) ||
	    arg_u32(arg[8], "random_percent", &o->plan.random_percent) ||
	    arg_step(arg[9], &o->plan) || arg_bool(arg[10], "once", &o->plan.once) ||
	    arg_uint(arg[11], "time", UINT64_MAX, &o->time_ns) ||
	    arg_uint(arg[12], "io_count", UINT64_MAX, &o->io_count) ||
	    arg_double(arg[13], "iops", &o->iops) || arg_u32(arg[14], "qdepth", &o->qdepth) ||
	    arg_u32(arg[15], "qprio", &o->qprio) || arg_u32(arg[16], "ptype", &o->ptype) ||
	    arg_u32(arg[17], "pvalue", &o->pvalue) ||
	    arg_bool(arg[18], "per_second", &o->per_second) ||
	    arg_uint(arg[19], "nrecent", UINT32_MAX, &o->nrecent) ||
	    arg_ssize(arg[20], "cpu", &cpu) || arg_bool(arg[21], "fw_debug", &o->fw_debug))
		return -1;
	o->cpu = (int)cpu;
	o->plan.seed = rand_derive(state->seed, state->streams++);
	return 0;
}

/* --- life --- */

/* The GIL is held. A worker that does not end is left alone, memory and all. */
static void worker_close(struct py_live *live)
{
	struct py_worker *self = list_entry(live, struct py_worker, live);
	struct ioworker *w = self->w;
	uint64_t patience_ns;
	int rc;

	py_live_del(live);
	self->w = NULL;
	if (!w || self->generation != py_process_generation())
		return;
	patience_ns = DRAIN_MARGIN_NS;
	if (self->ctrl->ctrl)
		patience_ns += UINT64_C(3000000) * atomic_load(&self->ctrl->ctrl->timeout_ms);
	ioworker_stop(w);
	Py_BEGIN_ALLOW_THREADS
		rc = ioworker_join(w, patience_ns);
		while (atomic_load_explicit(&self->users, memory_order_acquire))
			clock_sleep_until_ns(clock_now_ns() + PY_WAIT_SLICE_NS);
		if (!rc)
			ioworker_destroy(w);
	Py_END_ALLOW_THREADS
}

static PyObject *worker_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Worker", 1, WORKER_NPARAMS, WORKER_PARAMS);
	struct py_state *state = py_state_of(type);
	struct ioworker_opts opts = { .plan.region_end = UINT64_MAX, .qdepth = 64, .cpu = -1 };
	PyObject *arg[WORKER_NPARAMS];
	struct lists lists = { .replay = NULL };
	struct py_worker *self;
	struct py_ns *ns;
	int rc;

	if (!state || args_bind_call(&spec, args, kwargs, arg))
		return NULL;
	ns = arg_object(arg[0], state->ns_type, "ns", "Namespace");
	if (!ns)
		return NULL;
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->generation = py_process_generation();
	self->ctrl = (struct py_ctrl *)Py_NewRef((PyObject *)ns->ctrl);
	list_init(&self->live.node);
	rc = parse(state, arg, &lists, &opts);
	/* Parsing may run Python code: it is looked at only now. */
	if (!rc)
		rc = py_ns_check(ns);
	if (!rc) {
		opts.ns = ns->ns;
		rc = ioworker_create(&self->w, &opts);
		if (rc)
			py_error(state, PyExc_AssertionError, rc);
	}
	PyMem_Free(lists.replay);
	if (rc) {
		Py_DECREF(self);
		return NULL;
	}
	py_live_add(state, &self->live, (PyObject *)self, worker_close);
	return (PyObject *)self;
}

static int worker_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct py_worker *)obj)->ctrl);
	return 0;
}

static int worker_clear(PyObject *obj)
{
	struct py_worker *self = (struct py_worker *)obj;

	worker_close(&self->live);
	Py_CLEAR(self->ctrl);
	return 0;
}

static void worker_dealloc(PyObject *obj)
{
	struct py_worker *self = (struct py_worker *)obj;

	PyObject_GC_UnTrack(obj);
	if (self->live.node.next)
		worker_clear(obj);
	py_free(self);
}

struct ioworker *py_worker_check(PyObject *obj)
{
	struct py_worker *self = (struct py_worker *)obj;

	if (py_check_process(self->state, self->generation))
		return NULL;
	if (!self->w)
		py_fail(PyExc_SystemError, "the worker is closed");
	return self->w;
}

/* The same for what can be read only when nobody writes it any more. */
struct ioworker *py_worker_check_ended(PyObject *obj)
{
	struct ioworker *w = py_worker_check(obj);

	if (w && !((struct py_worker *)obj)->ended) {
		py_fail(PyExc_SystemError, "the worker has not ended");
		return NULL;
	}
	return w;
}

PyDoc_STRVAR(start_doc, "start($self, /)\n--\n\nStart its thread; returns at once.");

static PyObject *worker_start(PyObject *obj, PyObject *unused)
{
	struct py_worker *self = (struct py_worker *)obj;
	struct ioworker *w = py_worker_check(obj);
	int rc = w ? ioworker_start(w) : 0;

	if (!w)
		return NULL;
	return rc ? py_error(self->state, PyExc_SystemError, rc) : Py_NewRef(Py_None);
}

PyDoc_STRVAR(stop_doc, "stop($self, /)\n--\n\nAsk it to issue no more commands; returns at once.");

static PyObject *worker_stop(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check(obj);

	if (!w)
		return NULL;
	ioworker_stop(w);
	Py_RETURN_NONE;
}

/* Without the GIL; at its end the worker may be closed. Return: as ioworker_join(). */
static int join_slice(struct py_worker *self, struct ioworker *w, double left_ns)
{
	uint64_t slice_ns = left_ns > SLICE_NS ? SLICE_NS : left_ns > 0 ? (uint64_t)left_ns : 0;
	int rc;

	atomic_fetch_add_explicit(&self->users, 1, memory_order_relaxed);
	Py_BEGIN_ALLOW_THREADS
		rc = ioworker_join(w, slice_ns);
		atomic_fetch_sub_explicit(&self->users, 1, memory_order_release);
	Py_END_ALLOW_THREADS
	return rc;
}

PyDoc_STRVAR(join_doc, "join($self, /, timeout)\n--\n\n"
		       "Wait for its end, at most so many seconds. Returns True if it has ended.");

static PyObject *worker_join(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			     PyObject *kwnames)
{
	ARGS_SPEC(spec, "join", 1, 1, "timeout");
	struct py_worker *self = (struct py_worker *)obj;
	struct ioworker *w;
	double left_ns = 0;
	PyObject *arg[1];
	int rc = -ETIMEDOUT;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_double(arg[0], "timeout", &left_ns))
		return NULL;
	for (left_ns *= 1e9; rc; left_ns -= SLICE_NS) {
		w = py_worker_check(obj);
		if (!w)
			return NULL;
		rc = join_slice(self, w, left_ns);
		if (PyErr_CheckSignals())
			return NULL;
		if (left_ns <= SLICE_NS)
			break;
	}
	if (rc)
		Py_RETURN_FALSE;
	self->ended = true;
	Py_RETURN_TRUE;
}

PyDoc_STRVAR(
	report_doc,
	"report($self, /)\n--\n\n"
	"Report the events of the controller. Completions of the script, and AERs, are left for\n"
	"its next waitdone().");

static PyObject *worker_report(PyObject *obj, PyObject *unused)
{
	struct py_worker *self = (struct py_worker *)obj;
	struct py_wait w;

	if (!py_worker_check(obj))
		return NULL;
	if (!self->ctrl->ctrl || py_wait_in_callback())
		Py_RETURN_NONE;
	py_wait_begin(&w, self->ctrl, &self->ctrl->sink);
	py_wait_events_but_aers(&w);
	return py_wait_end(&w) ? NULL : Py_NewRef(Py_None);
}

static PyGetSetDef worker_getset[] = {
	{ "progress", py_worker_progress, NULL,
	  "(running, per cent, commands, reads, bytes) as of now.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef worker_methods[] = {
	{ "start", worker_start, METH_NOARGS, start_doc },
	{ "stop", worker_stop, METH_NOARGS, stop_doc },
	ARGS_METHOD("join", worker_join, join_doc),
	{ "report", worker_report, METH_NOARGS, report_doc },
	{ "result", py_worker_result, METH_NOARGS, py_worker_result_doc },
	{ "per_second", py_worker_per_second, METH_NOARGS, py_worker_per_second_doc },
	{ "opcodes", py_worker_opcodes, METH_NOARGS, py_worker_opcodes_doc },
	ARGS_METHOD("percentile", py_worker_percentile, py_worker_percentile_doc),
	ARGS_METHOD("latencies", py_worker_latencies, py_worker_latencies_doc),
	{ "recent", py_worker_recent, METH_NOARGS, py_worker_recent_doc },
	{ "errors", py_worker_errors, METH_NOARGS, py_worker_errors_doc },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(
	worker_doc,
	"Worker(ns, sizes=None, ops=None, slices=None, replay=None, region_start=0, "
	"region_end=2**64-1, lba_start=0, random_percent=0, lba_step=None, once=False, time_ns=0, "
	"io_count=0, iops=0, qdepth=64, qprio=0, ptype=0, pvalue=0, per_second=False, "
	"nrecent=0, cpu=-1, fw_debug=False)\n--\n\n"
	"One queue pair, kept busy by a thread. Lists are bytes of packed numbers.");

static PyType_Slot worker_slots[] = {
	{ Py_tp_new, worker_new },	     { Py_tp_dealloc, worker_dealloc },
	{ Py_tp_traverse, worker_traverse }, { Py_tp_clear, worker_clear },
	{ Py_tp_doc, (void *)worker_doc },   { Py_tp_getset, worker_getset },
	{ Py_tp_methods, worker_methods },   { 0, NULL },
};

static PyType_Spec worker_spec = {
	.name = "nvme._core.Worker",
	.basicsize = sizeof(struct py_worker),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	.slots = worker_slots,
};

int py_ioworker_add(PyObject *module, struct py_state *state)
{
	state->ioworker_type = py_add_type(module, &worker_spec);
	return state->ioworker_type ? 0 : -1;
}
