/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wait.c - what all waits share: delivery of completions and events, deadlines, signals.
 */
#include "pyext/wait.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "nvme/ctrl.h"
#include "spec/names.h"

static __thread unsigned int callback_depth;

bool py_wait_in_callback(void)
{
	return callback_depth;
}

int py_wait_guard(void)
{
	if (!callback_depth)
		return 0;
	py_fail(PyExc_AssertionError, "cannot re-entry waitdone() in a callback function");
	return -1;
}

void py_wait_begin(struct py_wait *w, struct py_ctrl *ctrl, const struct py_sink *sink)
{
	uint64_t timeout_ms = NVME_CTRL_TIMEOUT_MS;

	/* Closed meanwhile: the first poll will say so. */
	if (ctrl->ctrl)
		timeout_ms = atomic_load_explicit(&ctrl->ctrl->timeout_ms, memory_order_relaxed);
	memset(w, 0, sizeof(*w));
	w->state = ctrl->state;
	w->ctrl = ctrl;
	w->sink = sink;
	w->begin_ns = clock_now_ns();
	w->progress_ns = w->begin_ns;
	w->timeout_ns = timeout_ms * 1000000u;
	w->limit_ns = w->timeout_ns * PY_WAIT_TIMEOUT_FACTOR;
}

/* The first exception is what the wait raises; later ones are printed. */
static void note_exception(struct py_wait *w, PyObject *where)
{
	if (w->type)
		PyErr_WriteUnraisable(where);
	else
		PyErr_Fetch(&w->type, &w->value, &w->traceback);
}

/* An assertion that fails in a callback is a warning; anything else goes to the user twice. */
static void callback_failed(struct py_wait *w, PyObject *cb)
{
	PyObject *type, *value, *traceback, *text;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (PyErr_GivenExceptionMatches(type, PyExc_AssertionError)) {
		text = PyUnicode_FromFormat("ASSERT: %S", value);
		if (py_warn_text(w->state, text))
			note_exception(w, cb);
		Py_XDECREF(text);
		Py_XDECREF(type);
		Py_XDECREF(value);
		Py_XDECREF(traceback);
		return;
	}
	if (PyErr_GivenExceptionMatches(type, PyExc_Exception)) {
		if (traceback)
			PyException_SetTraceback(value, traceback);
		PyErr_Display(type, value, traceback);
	}
	PyErr_Restore(type, value, traceback);
	note_exception(w, cb);
}

static PyObject *call_callback(const struct py_req *r)
{
	const struct nvme_cqe *cqe = &r->req.cqe;
	PyObject *cdw0, *status1, *result = NULL;
	uint32_t dwords[4];

	if (r->cb_arity == 1) {
		memcpy(dwords, cqe, sizeof(dwords));
		return PyObject_CallFunction(r->cb, "((IIII))", dwords[0], dwords[1], dwords[2],
					     dwords[3]);
	}
	cdw0 = PyLong_FromUnsignedLong(cqe->cdw0);
	status1 = PyLong_FromUnsignedLong(cqe->status);
	if (cdw0 && status1)
		result = PyObject_CallFunctionObjArgs(r->cb, cdw0, status1, NULL);
	Py_XDECREF(cdw0);
	Py_XDECREF(status1);
	return result;
}

static void run_callback(struct py_wait *w, struct py_req *r)
{
	PyObject *result;

	callback_depth++;
	result = call_callback(r);
	if (!result)
		callback_failed(w, r->cb);
	Py_XDECREF(result);
	callback_depth--;
}

/* Whose verdict the status is: what the host has found is not the drive's answer. */
static void describe(const struct nvme_req *req, char *text, size_t size)
{
	if (req->flags & NVME_REQ_MISS)
		snprintf(text, size,
			 "host: data mismatch, LBA 0x%llx, CRC expected 0x%08x, got 0x%08x",
			 (unsigned long long)req->miss_lba, req->miss.crc_expected,
			 req->miss.crc_got);
	else
		snprintf(text, size, "%s%s", req->flags & NVME_REQ_JUDGED ? "host: " : "",
			 nvme_status_name(nvme_req_status(req)));
}

static void warn_status(struct py_wait *w, const struct py_req *r)
{
	uint16_t status = nvme_req_status(&r->req);
	bool admin = r->sink == &w->ctrl->sink;
	uint8_t opcode = r->req.sqe.opc;
	char what[128];

	describe(&r->req, what, sizeof(what));
	if (py_warn(w->state, "ERROR status: %02x/%02x, %s: %s (%02x), qpair %u, cid %u, nsid %x",
		    status >> 8, status & 0xff, what,
		    admin ? nvme_admin_opcode_name(opcode) : nvme_io_opcode_name(opcode), opcode,
		    r->req.cqe.sqid, r->req.cid, r->req.sqe.nsid))
		note_exception(w, NULL);
}

void py_wait_deliver(struct py_wait *w, struct py_req *r)
{
	if (r->internal) {
		r->finished = true;
		if (r->abandoned)
			py_req_put(w->state, r);
		return;
	}
	if (r->req.flags & NVME_REQ_AER)
		w->aers++;
	else
		w->done++;
	w->cdw0 = r->req.cqe.cdw0;
	if (r->cb)
		run_callback(w, r);
	if (nvme_req_status(&r->req) &&
	    (!r->cb || (w->state->strict && r->req.flags & NVME_REQ_JUDGED)))
		warn_status(w, r);
	py_req_put(w->state, r);
}

/* The texts of events are Python's: Controller._on_event(). */
static void report_event(struct py_wait *w, const struct nvme_event *ev)
{
	PyObject *result;

	if (ev->type == NVME_EVENT_AER)
		w->aers++;
	if (ev->type == NVME_EVENT_GONE)
		w->gone = true;
	callback_depth++;
	result = PyObject_CallMethod((PyObject *)w->ctrl, "_on_event", "iIIIIIIKKKIII",
				     (int)ev->type, (unsigned int)ev->sqid, (unsigned int)ev->cid,
				     ev->cqe.cdw0, (unsigned int)ev->cqe.status, ev->timeout_ms,
				     ev->nsid, (unsigned long long)ev->lba,
				     (unsigned long long)ev->stamp, (unsigned long long)ev->token,
				     ev->crc_expected, ev->crc_got, ev->bad_lbas);
	callback_depth--;
	if (!result)
		note_exception(w, (PyObject *)w->ctrl);
	Py_XDECREF(result);
}

/* A bounded number a call, so that a storm of events leaves room for deadlines and signals. */
#define EVENTS_MAX 64u

void py_wait_events_but_aers(struct py_wait *w)
{
	struct nvme_event ev;
	unsigned int left = EVENTS_MAX;

	while (left-- && w->ctrl->ctrl &&
	       nvme_event_pop_but(w->ctrl->ctrl, NVME_EVENT_AER, &ev) > 0)
		report_event(w, &ev);
}

void py_wait_events(struct py_wait *w)
{
	struct nvme_event ev;
	unsigned int left = EVENTS_MAX;

	while (left-- && w->ctrl->ctrl && nvme_event_pop(w->ctrl->ctrl, &ev, NULL) > 0)
		report_event(w, &ev);
}

int py_wait_end(struct py_wait *w)
{
	if (!w->type)
		return 0;
	PyErr_Restore(w->type, w->value, w->traceback);
	w->type = NULL;
	return -1;
}

/* AERs are always outstanding, and nobody waits for what was abandoned. */
static void time_is_up(const struct py_wait *w)
{
	const struct py_sink *sink = w->sink;
	unsigned int left = 0;
	struct list_node *node;

	for (node = sink->flying.next; node != &sink->flying; node = node->next) {
		const struct py_req *r = list_entry(node, struct py_req, node);

		left += !r->abandoned && !(r->req.flags & NVME_REQ_AER);
	}
	if (left)
		py_fail(PyExc_TimeoutError, "pynvme timeout: %g sec, %u command%s outstanding",
			(double)w->limit_ns / 1e9, left, left == 1 ? " is" : "s are");
	else
		py_fail(PyExc_TimeoutError,
			"pynvme timeout: %g sec, no command of the script is outstanding",
			(double)w->limit_ns / 1e9);
}

void py_wait_slice(struct py_wait *w)
{
	uint64_t took_ns = w->slice_ns;

	if (took_ns <= NVME_STALL_NS || took_ns <= w->timeout_ns)
		return;
	w->limit_ns += took_ns;
	if (py_warn(w->state,
		    "the host did not run for %llu.%llu s: no device is late because of that",
		    (unsigned long long)(took_ns / 1000000000),
		    (unsigned long long)(took_ns / 100000000 % 10)))
		note_exception(w, NULL);
}

/* A command in flight that was submitted under a longer timeout has its own limit. */
static bool has_longer(struct py_wait *w, uint64_t now_ns)
{
	struct list_node *node;
	uint64_t longest_ns = 0;

	if (!w->of_script || !w->ctrl->ctrl)
		return false;
	for (node = w->sink->flying.next; node != &w->sink->flying; node = node->next) {
		const struct py_req *r = list_entry(node, struct py_req, node);
		uint64_t ns = UINT64_C(1000000) * nvme_timeout_ms(w->ctrl->ctrl, r->req.submit_ns);

		if (!r->abandoned && !(r->req.flags & NVME_REQ_AER) && ns > longest_ns)
			longest_ns = ns;
	}
	longest_ns *= PY_WAIT_TIMEOUT_FACTOR;
	if (longest_ns > w->limit_ns)
		w->limit_ns = longest_ns;
	return now_ns - w->begin_ns < w->limit_ns;
}

static void gone(struct py_wait *w)
{
	struct nvme_ctrl *ctrl = w->ctrl->ctrl;

	if (ctrl && !ctrl->bus && nvme_ctrl_check(ctrl))
		py_error(w->state, NULL, -ENODEV);
	else
		py_fail(PyExc_SystemError,
			"%s is gone: its registers read all-ones, or the kernel "
			"asked for it back",
			ctrl ? ctrl->addr : "the device");
}

int py_wait_check(struct py_wait *w)
{
	uint64_t now = clock_now_ns();

	if (py_wait_end(w) || PyErr_CheckSignals())
		return -1;
	if (w->gone) {
		gone(w);
		return -1;
	}
	if (now - w->begin_ns < w->limit_ns || has_longer(w, now))
		return 0;
	/* Whatever kept us from looking: what is there by now has come in time. */
	if (!w->last_look) {
		w->last_look = true;
		return 0;
	}
	time_is_up(w);
	return -1;
}

int py_wait_lock(PyThread_type_lock lock)
{
	int got;

	if (PyThread_acquire_lock(lock, NOWAIT_LOCK))
		return 0;
	do {
		if (PyErr_CheckSignals())
			return -1;
		Py_BEGIN_ALLOW_THREADS
			got = PyThread_acquire_lock_timed(lock, PY_WAIT_SLICE_NS / 1000, 0);
		Py_END_ALLOW_THREADS
	} while (got != PY_LOCK_ACQUIRED);
	return 0;
}

void py_wait_nap(const struct py_wait *w, unsigned int empty, uint64_t now_ns)
{
	if (empty < 16)
		clock_pause();
	else if (now_ns - w->progress_ns < PY_WAIT_IDLE_NS)
		sched_yield();
	else
		clock_sleep_until_ns(now_ns + 50000);
}
