/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair_wait.c - Qpair.waitdone(): exactly so many completions, reaped in slices.
 */
#include "pyext/qpair.h"

#include <errno.h>
#include <sched.h>

#include "base/clock.h"
#include "nvme/ctrl.h"
#include "nvme/qpair.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"

void py_qpair_deliver(struct py_qpair *self, struct py_wait *w)
{
	struct py_req *r;

	py_sink_collect(&self->sink);
	while ((r = py_sink_pop(&self->sink))) {
		self->latest_latency_ns = r->req.latency_ns;
		py_wait_deliver(w, r);
	}
}

/* One look with the GIL: on a fast device, or a soft one, most completions are there. */
static int poll_once(struct py_qpair *self, unsigned int max)
{
	struct nvme_qpair *q;
	int rc = -EAGAIN;

	if (pthread_mutex_trylock(&self->lock))
		return rc;
	q = self->q;
	rc = q ? nvme_qpair_enter(q) : -EAGAIN;
	if (!rc) {
		rc = (int)nvme_qpair_poll(q, max, clock_now_ns());
		if (!rc)
			rc = (int)nvme_qpair_poll(q, max, clock_now_ns());
		nvme_qpair_exit(q);
	}
	pthread_mutex_unlock(&self->lock);
	return rc;
}

/* Poll an entered queue until @max are there, or the flow stops, or something else is to do. */
static unsigned int poll_until(struct py_qpair *self, struct py_wait *w, struct nvme_qpair *q,
			       unsigned int max)
{
	uint64_t now = clock_now_ns(), begin = now, until = now + PY_WAIT_SLICE_NS;
	unsigned int got = 0, empty = 0, n;

	while (now < until) {
		n = nvme_qpair_poll(q, max - got, now);
		got += n;
		if (got == max || (got && !n) || nvme_event_any(q->ctrl) ||
		    atomic_load_explicit(&self->wanted, memory_order_relaxed) ||
		    atomic_load_explicit(&q->state, memory_order_relaxed) != NVME_QPAIR_LIVE)
			break;
		if (!n && (++empty < 16 || !nvme_qpair_wait(q)))
			py_wait_nap(w, empty, now);
		now = clock_now_ns();
	}
	if (got)
		w->progress_ns = now;
	w->slice_ns = now - begin;
	return got;
}

/* A slice without the GIL. Return: completions, or -errno. */
static int poll_slice(struct py_qpair *self, struct py_wait *w, unsigned int max)
{
	struct nvme_qpair *q;
	int rc;

	w->slice_ns = 0;
	Py_BEGIN_ALLOW_THREADS
		if (atomic_load_explicit(&self->wanted, memory_order_relaxed))
			sched_yield();
		pthread_mutex_lock(&self->lock);
		q = self->q;
		rc = q ? nvme_qpair_enter(q) : 0;
		if (q && !rc) {
			rc = (int)poll_until(self, w, q, max);
			nvme_qpair_exit(q);
		}
		pthread_mutex_unlock(&self->lock);
	Py_END_ALLOW_THREADS
	py_wait_slice(w);
	return rc;
}

static int wait_loop(struct py_qpair *self, struct py_wait *w, uint64_t want)
{
	int rc = poll_once(self, (unsigned int)want);

	for (;;) {
		py_qpair_deliver(self, w);
		if (w->ctrl->ctrl && nvme_event_any(w->ctrl->ctrl))
			py_wait_events(w);
		if (w->done >= want)
			return py_wait_end(w);
		if (py_wait_check(w) || py_qpair_check(self) || py_ctrl_check(w->ctrl))
			return -1;
		if (rc < 0 && rc != -EAGAIN) {
			py_error(self->state, NULL, rc);
			return -1;
		}
		rc = poll_slice(self, w, (unsigned int)(want - w->done));
	}
}

const char py_qpair_waitdone_doc[] =
	"waitdone($self, /, expected=1)\n--\n\n"
	"Wait for exactly `expected` completions of this queue; never reaps more.\n\n"
	"Callbacks and warnings happen in here. 0 returns at once.\n"
	"Returns command dword 0 of the last completion.\n"
	"Raises TimeoutError after 6 x the controller's timeout (30 s by default), SystemError when\n"
	"the queue is stale or the device is gone, AssertionError inside a callback.";

PyObject *py_qpair_waitdone(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	ARGS_SPEC(spec, "waitdone", 0, 1, "expected");
	struct py_qpair *self = (struct py_qpair *)obj;
	uint64_t want = 1;
	PyObject *arg[1];
	struct py_wait w;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "expected", INT32_MAX, &want) || py_wait_guard() ||
	    py_qpair_check(self) || py_ctrl_check(self->ctrl))
		return NULL;
	if (!want)
		return PyLong_FromLong(0);
	if (py_wait_lock(self->wait_lock))
		return NULL;
	py_wait_begin(&w, self->ctrl, &self->sink);
	w.of_script = true;
	rc = wait_loop(self, &w, want);
	PyThread_release_lock(self->wait_lock);
	return rc ? NULL : PyLong_FromUnsignedLong(w.cdw0);
}
