/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.c - the pool of requests, and the way of a completion back to the GIL.
 *
 * done() may run in any thread, with or without the GIL: it pushes the request onto a
 * lock-free stack of its queue. Everything else here runs with the GIL.
 */
#include "pyext/request.h"

#include <stdlib.h>
#include <string.h>

#include "nvme/ctrl.h"
#include "nvme/ns.h"

static void req_done(struct nvme_req *req)
{
	struct py_req *r = list_entry(req, struct py_req, req);
	struct py_sink *sink = r->sink;
	struct py_req *head = atomic_load_explicit(&sink->done, memory_order_relaxed);

	do
		r->next = head;
	while (!atomic_compare_exchange_weak_explicit(&sink->done, &head, r, memory_order_release,
						      memory_order_relaxed));
}

static void req_done_noting(struct nvme_req *req)
{
	/* Threads of workers are none of Python's. */
	list_entry(req, struct py_req, req)->by_worker = !PyGILState_GetThisThreadState();
	req_done(req);
}

void py_req_note_reaper(struct py_req *r)
{
	r->req.done = req_done_noting;
}

/* Number of required positional parameters of a plain Python function. */
static int function_arity(struct py_state *state, PyObject *function)
{
	PyObject *code = PyObject_GetAttr(function, state->str_code);
	PyObject *defaults = PyObject_GetAttr(function, state->str_defaults);
	PyObject *argcount = NULL;
	int arity = -1;

	if (code && defaults)
		argcount = PyObject_GetAttr(code, state->str_argcount);
	if (argcount)
		arity = (int)PyLong_AsLong(argcount);
	if (argcount && defaults != Py_None)
		arity -= (int)PyTuple_Size(defaults);
	Py_XDECREF(argcount);
	Py_XDECREF(defaults);
	Py_XDECREF(code);
	return arity;
}

/* 1 if @cb shows exactly one required positional parameter, else 2; -1 with an exception. */
static int callback_arity(struct py_state *state, PyObject *cb)
{
	PyObject *inner, *result;
	int arity;

	if (Py_TYPE(cb) == state->function_type) {
		arity = function_arity(state, cb);
	} else if (Py_TYPE(cb) == state->method_type) {
		inner = PyObject_GetAttr(cb, state->str_func);
		if (!inner)
			return -1;
		arity = Py_TYPE(inner) == state->function_type ? function_arity(state, inner) - 1 :
								 2;
		Py_DECREF(inner);
	} else {
		result = PyObject_CallFunctionObjArgs(state->arity, cb, NULL);
		if (!result)
			return -1;
		arity = (int)PyLong_AsLong(result);
		Py_DECREF(result);
	}
	if (PyErr_Occurred())
		return -1;
	return arity == 1 ? 1 : 2;
}

struct py_req *py_req_get(struct py_state *state, PyObject *cb)
{
	struct py_req *r = state->free_reqs;
	int arity = cb ? callback_arity(state, cb) : 0;

	if (arity < 0)
		return NULL;
	if (r)
		state->free_reqs = r->next;
	else if (posix_memalign((void **)&r, 64, sizeof(*r)))
		return (struct py_req *)PyErr_NoMemory();
	memset(r, 0, sizeof(*r));
	list_init(&r->node);
	r->req.done = req_done;
	r->req.cid = UINT16_MAX;
	r->cb = Py_XNewRef(cb);
	r->cb_arity = (uint8_t)arity;
	r->thread = PyThread_get_thread_ident();
	return r;
}

void py_req_put(struct py_state *state, struct py_req *r)
{
	PyObject *buf = r->buf, *mbuf = r->mbuf, *cb = r->cb;
	struct nvme_ns *ns = r->ns;

	if (!list_empty(&r->node)) {
		list_del(&r->node);
		state->nreqs--;
		if (r->sink->latest == r) {
			r->sink->latest_cid = r->req.cid;
			r->sink->latest = NULL;
		}
	}
	r->next = state->free_reqs;
	state->free_reqs = r;
	/* A child of the process that opened it has no say in its references. */
	if (ns && ns->ctrl->pid == nvme_process)
		nvme_ns_put(ns);
	/* Last: these may run any Python code. */
	Py_XDECREF(buf);
	Py_XDECREF(mbuf);
	Py_XDECREF(cb);
}

void py_req_hold(struct py_req *r, struct py_buffer *buf, struct py_buffer *mbuf)
{
	r->buf = Py_XNewRef((PyObject *)buf);
	r->mbuf = Py_XNewRef((PyObject *)mbuf);
	if (!mbuf)
		return;
	r->req.meta = py_buffer_data(mbuf);
	r->req.meta_bytes = mbuf->size < UINT32_MAX ? (uint32_t)mbuf->size : UINT32_MAX;
}

void py_req_hold_ns(struct py_req *r, struct nvme_ns *ns)
{
	r->ns = nvme_ns_get(ns);
}

void py_sink_init(struct py_sink *sink)
{
	atomic_init(&sink->done, NULL);
	sink->ready = NULL;
	sink->ready_tail = &sink->ready;
	sink->latest_cid = UINT16_MAX;
	list_init(&sink->flying);
}

PyObject *py_sink_latest_cid(const struct py_sink *sink)
{
	uint16_t cid = sink->latest_cid;

	/* One that waits in software gets it from whoever reaps, without the GIL. */
	if (sink->latest)
		cid = __atomic_load_n(&sink->latest->req.cid, __ATOMIC_RELAXED);
	return cid == UINT16_MAX ? Py_NewRef(Py_None) : PyLong_FromLong(cid);
}

void py_sink_add(struct py_state *state, struct py_sink *sink, struct py_req *r)
{
	r->sink = sink;
	if (!r->internal)
		sink->latest = r;
	list_add_tail(&sink->flying, &r->node);
	state->nreqs++;
}

void py_sink_collect(struct py_sink *sink)
{
	struct py_req *r, *next, *oldest = NULL, *newest;

	if (!atomic_load_explicit(&sink->done, memory_order_relaxed))
		return;
	r = atomic_exchange_explicit(&sink->done, NULL, memory_order_acquire);
	newest = r;
	for (; r; r = next) {
		next = r->next;
		r->next = oldest;
		oldest = r;
	}
	if (!oldest)
		return;
	*sink->ready_tail = oldest;
	sink->ready_tail = &newest->next;
}

struct py_req *py_sink_pop(struct py_sink *sink)
{
	struct py_req *r = sink->ready;

	if (r) {
		sink->ready = r->next;
		if (!sink->ready)
			sink->ready_tail = &sink->ready;
	}
	return r;
}

/* One that was delivered to a wait that has not seen it yet; NULL if there is none. */
static struct py_req *find_finished(struct py_sink *sink)
{
	struct list_node *node;

	for (node = sink->flying.next; node != &sink->flying; node = node->next) {
		struct py_req *r = list_entry(node, struct py_req, node);

		if (r->internal && r->finished)
			return r;
	}
	return NULL;
}

void py_sink_forget(struct py_state *state, struct py_sink *sink)
{
	struct py_req *r;

	py_sink_collect(sink);
	while ((r = py_sink_pop(sink)) || (r = find_finished(sink)))
		py_req_put(state, r);
}

int py_sink_traverse(struct py_sink *sink, visitproc visit, void *arg)
{
	struct list_node *node;

	if (!sink->flying.next)
		return 0; /* not initialised yet */
	for (node = sink->flying.next; node != &sink->flying; node = node->next)
		Py_VISIT(list_entry(node, struct py_req, node)->cb);
	return 0;
}

void py_req_drain_pool(struct py_state *state)
{
	struct py_req *r;

	while ((r = state->free_reqs)) {
		state->free_reqs = r->next;
		free(r);
	}
}
