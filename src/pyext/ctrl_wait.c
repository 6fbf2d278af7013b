/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl_wait.c - admin commands of nvme._core.Controller, and waiting for them.
 */
#include "pyext/ctrl.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "pyext/args.h"

static bool is_aer(const struct py_req *r)
{
	return r->req.flags & NVME_REQ_AER;
}

/* Whether this thread has a command with the driver, or completed and not delivered. */
static bool has_own(struct py_ctrl *self, unsigned long me)
{
	struct list_node *node;

	for (node = self->sink.flying.next; node != &self->sink.flying; node = node->next) {
		struct py_req *r = list_entry(node, struct py_req, node);

		if (r->thread == me && !r->internal && !is_aer(r))
			return true;
	}
	return false;
}

/* Whose requests a wait takes out of sink->ready, beside the tool's own. */
enum taken {
	TAKEN_OURS,	   /* those of this thread */
	TAKEN_OURS_REAPED, /* the same, but not what a worker has reaped */
	TAKEN_ANYBODYS,
};

static bool is_for(const struct py_req *r, unsigned long me, enum taken whose)
{
	if (r->internal || whose == TAKEN_ANYBODYS)
		return true;
	return r->thread == me && (whose == TAKEN_OURS || !r->by_worker);
}

/* The first one; NULL: none. */
static struct py_req *take(struct py_ctrl *self, unsigned long me, enum taken whose)
{
	struct py_req **link = &self->sink.ready, *r;

	for (; (r = *link); link = &r->next) {
		if (!is_for(r, me, whose))
			continue;
		*link = r->next;
		if (!*link)
			self->sink.ready_tail = link;
		return r;
	}
	return NULL;
}

static void deliver_one(struct py_ctrl *self, struct py_wait *w, struct py_req *r)
{
	if (!r->internal) {
		self->latest_latency_ns = r->req.latency_ns;
		if (!is_aer(r))
			self->script--;
	}
	py_wait_deliver(w, r);
}

void py_ctrl_deliver(struct py_ctrl *self, struct py_wait *w, uint64_t want)
{
	/* What a worker reaped while the tool waits is left for the script's own wait. */
	enum taken whose = want ? TAKEN_OURS : TAKEN_OURS_REAPED;
	unsigned long me = PyThread_get_thread_ident();
	struct py_req *r;

	py_sink_collect(&self->sink);
	while ((r = take(self, me, whose)))
		deliver_one(self, w, r);
	while (self->sink.ready && w->done + w->aers < want && !has_own(self, me)) {
		r = take(self, me, TAKEN_ANYBODYS);
		deliver_one(self, w, r);
	}
}

int py_ctrl_settle(struct py_ctrl *self)
{
	struct list_node *node;
	PyObject *qpairs;
	struct py_wait w;
	Py_ssize_t i;

	if (py_wait_in_callback() || !self->ctrl)
		return 0;
	qpairs = PyList_New(0);
	if (!qpairs)
		return -1;
	for (node = self->qpairs.next; node != &self->qpairs; node = node->next) {
		PyObject *qpair = (PyObject *)list_entry(node, struct py_qpair, node);

		/* Not one that is on its way out: what its attributes do may bring us here. */
		if (Py_REFCNT(qpair) && PyList_Append(qpairs, qpair)) {
			Py_DECREF(qpairs);
			return -1;
		}
	}
	py_wait_begin(&w, self, &self->sink);
	py_ctrl_deliver(self, &w, 0);
	for (i = 0; i < PyList_Size(qpairs); i++)
		py_qpair_deliver((struct py_qpair *)PyList_GetItem(qpairs, i), &w);
	Py_DECREF(qpairs);
	py_wait_events(&w);
	return py_wait_end(&w);
}

/* Poll without the GIL until something is there to be told, for at most a slice. */
static int poll_slice(struct py_ctrl *self, struct py_wait *w)
{
	uint64_t now = clock_now_ns(), begin = now, until = now + PY_WAIT_SLICE_NS;
	struct nvme_ctrl *ctrl;
	unsigned int empty = 0;
	int rc;

	if (!self->ctrl)
		return err_set(-ESHUTDOWN, "the controller is closed");
	ctrl = py_ctrl_enter(self);
	Py_BEGIN_ALLOW_THREADS
		while (!(rc = nvme_admin_poll(ctrl, now)) && !nvme_event_any(ctrl) &&
		       !atomic_load_explicit(&self->sink.done, memory_order_relaxed)) {
			py_wait_nap(w, empty++, now);
			now = clock_now_ns();
			if (now >= until)
				break;
		}
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	if (rc > 0)
		w->progress_ns = now;
	w->slice_ns = now - begin;
	py_wait_slice(w);
	return rc;
}

/* AERs count only once no other command of the script is outstanding. */
static bool satisfied(struct py_ctrl *self, const struct py_wait *w, uint64_t want)
{
	return w->done >= want || (!self->script && w->done + w->aers >= want);
}

static int wait_loop(struct py_ctrl *self, struct py_wait *w, uint64_t want)
{
	int rc;

	for (;;) {
		rc = poll_slice(self, w);
		py_ctrl_deliver(self, w, want);
		py_wait_events(w);
		if (satisfied(self, w, want))
			return py_wait_end(w);
		if (py_wait_check(w))
			return -1;
		if (rc < 0) {
			py_error(self->state, NULL, rc);
			return -1;
		}
	}
}

const char py_ctrl_waitdone_doc[] =
	"waitdone($self, /, expected=1)\n--\n\n"
	"Wait until `expected` admin commands of the script have completed since this call began.\n\n"
	"Everything available is reaped; AERs count only when no other command of the script is\n"
	"outstanding. Callbacks and warnings happen in here. 0 returns at once.\n"
	"Returns command dword 0 of the last completion.\n"
	"Raises TimeoutError after 6 x timeout (30 s by default), SystemError when the device is gone\n"
	"or was reset, AssertionError inside a callback.";

PyObject *py_ctrl_waitdone(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames)
{
	ARGS_SPEC(spec, "waitdone", 0, 1, "expected");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	PyObject *arg[1];
	uint64_t want = 1;
	struct py_wait w;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "expected", UINT32_MAX, &want) || py_wait_guard() ||
	    py_ctrl_check(self))
		return NULL;
	if (!want)
		return PyLong_FromLong(0);
	if (py_wait_lock(self->wait_lock))
		return NULL;
	py_wait_begin(&w, self, &self->sink);
	w.of_script = true;
	rc = wait_loop(self, &w, want);
	PyThread_release_lock(self->wait_lock);
	return rc ? NULL : PyLong_FromUnsignedLong(w.cdw0);
}

/* --- submission --- */

static int submit(struct py_ctrl *self, struct py_req *r)
{
	struct nvme_ctrl *ctrl;
	bool counted = !r->internal && !is_aer(r);
	int rc;

	/* Since the last look Python code has made numbers of the arguments, say. */
	if (py_ctrl_check(self)) {
		py_req_put(self->state, r);
		return -1;
	}
	self->script += counted;
	py_req_note_reaper(r);
	py_sink_add(self->state, &self->sink, r);
	ctrl = py_ctrl_enter(self);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_admin_submit(ctrl, &r->req);
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	if (rc) {
		self->script -= counted;
		py_req_put(self->state, r);
		py_error(self->state, NULL, rc);
		return -1;
	}
	return 0;
}

const char py_ctrl_send_cmd_doc[] =
	"send_cmd($self, /, opcode, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, "
	"cdw15=0, cb=None)\n--\n\n"
	"Send any admin command, known or not, exactly as given.\n\n"
	"opcode: bits 9:8 are FUSE of command dword 0\n"
	"buf: Buffer whose transferred part the data pointer covers (PRP)\n"
	"cb: called at completion with (cdw0, status1), or, if it has one required parameter, with\n"
	"the 4 dwords of the completion\n"
	"Returns self, at once: waitdone() waits.";

PyObject *py_ctrl_send_cmd(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			   PyObject *kwnames)
{
	ARGS_SPEC(spec, "send_cmd", 1, 10, "opcode", "buf", "nsid", "cdw10", "cdw11", "cdw12",
		  "cdw13", "cdw14", "cdw15", "cb");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	struct py_buffer *buf;
	uint32_t dwords[7] = { 0 };
	uint64_t opcode = 0;
	PyObject *arg[10], *cb;
	struct py_req *r;
	unsigned int i;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "opcode", PY_OPCODE_MAX, &opcode) ||
	    arg_buffer(self->state, arg[1], "buf", &buf) || arg_callable(arg[9], "cb", &cb) ||
	    py_ctrl_check(self))
		return NULL;
	for (i = 0; i < 7; i++)
		if (arg_u32(arg[2 + i], spec.names[2 + i], &dwords[i]))
			return NULL;
	r = py_req_get(self->state, cb);
	if (!r)
		return NULL;
	py_req_hold(r, buf, NULL);
	if ((uint8_t)opcode == NVME_ADMIN_ASYNC_EVENT)
		r->req.flags = NVME_REQ_AER;
	nvme_cmd_raw(&r->req, (uint8_t)opcode, dwords[0], buf ? py_buffer_data(buf) : NULL,
		     buf ? (uint32_t)buf->size : 0, &dwords[1]);
	r->req.sqe.flags = (uint8_t)(opcode >> 8);
	return submit(self, r) ? NULL : Py_NewRef(obj);
}

/* --- commands of the tool --- */

/* Inside a callback nothing but the tool's own commands may be taken. */
static void deliver_internal(struct py_ctrl *self, struct py_wait *w)
{
	struct py_req **link = &self->sink.ready, *r;

	py_sink_collect(&self->sink);
	while ((r = *link)) {
		if (!r->internal) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		if (!*link)
			self->sink.ready_tail = link;
		deliver_one(self, w, r);
	}
}

static int execute_loop(struct py_ctrl *self, struct py_wait *w, struct py_req *r)
{
	for (;;) {
		int rc = poll_slice(self, w);

		if (py_wait_in_callback())
			deliver_internal(self, w);
		else
			py_ctrl_deliver(self, w, 0);
		py_wait_events(w);
		/* Before a look at the request, which is no longer ours then. */
		if (!self->ctrl)
			return py_wait_end(w) ? -1 : py_ctrl_check(self);
		if (r->finished)
			return py_wait_end(w);
		if (py_wait_check(w))
			return -1;
		if (rc < 0) {
			py_error(self->state, NULL, rc);
			return -1;
		}
	}
}

const char py_ctrl_execute_doc[] =
	"_execute($self, /, opcode, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, "
	"cdw15=0, timeout=0)\n--\n\n"
	"Send an admin command of the tool and wait for it, `timeout` ms long (0: as waitdone).\n\n"
	"Never counted by waitdone(). Returns (cdw0, status1).";

PyObject *py_ctrl_execute(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "_execute", 1, 10, "opcode", "buf", "nsid", "cdw10", "cdw11", "cdw12",
		  "cdw13", "cdw14", "cdw15", "timeout");
	struct py_ctrl *self = (struct py_ctrl *)obj;
	uint32_t dwords[8] = { 0 };
	struct py_buffer *buf;
	uint64_t opcode = 0;
	PyObject *arg[10], *result;
	struct py_req *r;
	struct py_wait w;
	unsigned int i;
	int rc;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "opcode", 255, &opcode) ||
	    arg_buffer(self->state, arg[1], "buf", &buf) || py_ctrl_check(self))
		return NULL;
	for (i = 0; i < 8; i++)
		if (arg_u32(arg[2 + i], spec.names[2 + i], &dwords[i]))
			return NULL;
	r = py_req_get(self->state, NULL);
	if (!r)
		return NULL;
	py_req_hold(r, buf, NULL);
	r->internal = true;
	r->req.flags = NVME_REQ_INTERNAL;
	nvme_cmd_raw(&r->req, (uint8_t)opcode, dwords[0], buf ? py_buffer_data(buf) : NULL,
		     buf ? (uint32_t)buf->size : 0, &dwords[1]);
	if (submit(self, r))
		return NULL;
	py_wait_begin(&w, self, &self->sink);
	if (dwords[7])
		w.limit_ns = dwords[7] * UINT64_C(1000000);
	rc = execute_loop(self, &w, r);
	if (!self->ctrl)
		return NULL;
	if (!r->finished) {
		r->abandoned = true;
		return NULL;
	}
	result = rc ? NULL : Py_BuildValue("II", r->req.cqe.cdw0, (unsigned int)r->req.cqe.status);
	py_req_put(self->state, r);
	return result;
}

const char py_ctrl_settle_now_doc[] =
	"_settle($self, /)\n--\n\n"
	"Reap what completed on the admin queue, with callbacks, warnings and events; waits for nothing.";

PyObject *py_ctrl_settle_now(PyObject *obj, PyObject *unused)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	struct nvme_ctrl *ctrl;

	if (py_ctrl_check(self))
		return NULL;
	ctrl = py_ctrl_enter(self);
	Py_BEGIN_ALLOW_THREADS
		nvme_admin_poll(ctrl, clock_now_ns());
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	if (py_ctrl_settle(self))
		return NULL;
	Py_RETURN_NONE;
}

const char py_ctrl_forget_doc[] =
	"_forget($self, /)\n--\n\n"
	"Reap what completed on the admin queue and drop it without callback or warning, events too;\n"
	"what is still outstanding is dropped when it completes. Returns how many of all these.";

/* Nobody wants to hear of it any more. */
static void disown(struct py_ctrl *self, struct py_req *r)
{
	if (!is_aer(r))
		self->script--;
	r->internal = true;
	r->abandoned = true;
}

PyObject *py_ctrl_forget(PyObject *obj, PyObject *unused)
{
	struct py_ctrl *self = (struct py_ctrl *)obj;
	struct nvme_ctrl *ctrl;
	struct list_node *node;
	struct nvme_event ev;
	struct py_wait w;
	long dropped = 0;

	if (py_ctrl_check(self))
		return NULL;
	for (node = self->sink.flying.next; node != &self->sink.flying; node = node->next) {
		struct py_req *r = list_entry(node, struct py_req, node);

		if (r->internal)
			continue;
		disown(self, r);
		dropped++;
	}
	ctrl = py_ctrl_enter(self);
	Py_BEGIN_ALLOW_THREADS
		nvme_admin_poll(ctrl, clock_now_ns());
		py_ctrl_leave(self);
	Py_END_ALLOW_THREADS
	py_wait_begin(&w, self, &self->sink);
	py_ctrl_deliver(self, &w, 0);
	while (self->ctrl && nvme_event_pop(self->ctrl, &ev, NULL) > 0)
		dropped++;
	return PyLong_FromLong(dropped);
}
