/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.h - a command of a script: what the driver gets, and what Python keeps for it.
 */
#ifndef PYNVME_PYEXT_REQUEST_H
#define PYNVME_PYEXT_REQUEST_H

#include "nvme/req.h"
#include "pyext/pyext.h"

#define PY_OPCODE_MAX 0x3ffu /* of send_cmd(): FUSE above the opcode */

/**
 * struct py_req - one command
 * @next: in the pool, in py_sink.done, in py_sink.ready
 * @node: in py_sink.flying from submission to delivery
 * @buf, @mbuf: kept alive for the device
 * @ns: kept open for the driver, which verifies at completion; NULL: none
 * @cb: callback, or NULL
 * @thread: that submitted it
 * @cb_arity: positional parameters of @cb: 1 (the whole completion) or 2
 * @by_worker: a worker's thread has reaped it; known after py_req_note_reaper()
 * @internal: of the tool: whoever waits for it takes it, and it is never counted
 * @finished: an @internal one was delivered; it is the waiting thread's until the queue is deleted
 * @abandoned: nobody waits for an @internal one any more
 */
struct py_req {
	struct nvme_req req;
	struct py_req *next;
	struct list_node node;
	struct py_sink *sink;
	PyObject *buf;
	PyObject *mbuf;
	PyObject *cb;
	struct nvme_ns *ns;
	unsigned long thread;
	uint8_t cb_arity;
	bool by_worker;
	bool internal;
	bool finished;
	bool abandoned;
};

/* A request with callback @cb (NULL: none), ready to be filled by nvme/cmd.h; NULL with an exception. */
struct py_req *py_req_get(struct py_state *state, PyObject *cb);
/* For a queue that many threads reap: note whether a worker's does. */
void py_req_note_reaper(struct py_req *r);
/* Let go of what it holds and put it into the pool. */
void py_req_put(struct py_state *state, struct py_req *r);
/* The transferred part of a Buffer; also keeps it alive. */
void py_req_hold(struct py_req *r, struct py_buffer *buf, struct py_buffer *mbuf);

/* The namespace may be closed while the command is in flight. */
void py_req_hold_ns(struct py_req *r, struct nvme_ns *ns);

void py_sink_init(struct py_sink *sink);
/* On its way to the driver; py_req_put() takes it off again. */
void py_sink_add(struct py_state *state, struct py_sink *sink, struct py_req *r);
/* Command identifier of the script's last command, an int; None: it has none (yet). */
PyObject *py_sink_latest_cid(const struct py_sink *sink);
/* Move what was completed to sink->ready, oldest first. */
void py_sink_collect(struct py_sink *sink);
/* The oldest of sink->ready, or NULL. */
struct py_req *py_sink_pop(struct py_sink *sink);
/*
 * Release all that completed without telling anybody: the queue is being deleted. Whoever waits
 * for a command of the tool sees that, and has no request any more.
 */
void py_sink_forget(struct py_state *state, struct py_sink *sink);
int py_sink_traverse(struct py_sink *sink, visitproc visit, void *arg);

/* Free the pool. */
void py_req_drain_pool(struct py_state *state);

#endif
