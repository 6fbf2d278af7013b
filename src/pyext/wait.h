/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wait.h - waiting: slices without the GIL, deadlines, callbacks, events, exact counts.
 */
#ifndef PYNVME_PYEXT_WAIT_H
#define PYNVME_PYEXT_WAIT_H

#include "pyext/request.h"

#define PY_WAIT_SLICE_NS       5000000u /* between two looks at signals */
#define PY_WAIT_IDLE_NS	       10000000u /* after so long without a completion, sleep between polls */
#define PY_WAIT_TIMEOUT_FACTOR 6u	 /* waitdone gives up after so many command timeouts */

/**
 * struct py_wait - what one wait has seen so far
 * @done: commands of the script delivered
 * @aers: AERs delivered, the driver's and the script's
 * @cdw0: of the last one
 * @slice_ns: how long the last slice without the GIL took
 * @gone: the device was removed
 * @of_script: waitdone(), which lasts as long as the commands in flight may
 * @last_look: the limit has passed once, and there was one more look at the queue
 * @sink: of the queue that is waited for
 * @type, @value, @traceback: the first exception of a callback or a warning
 */
struct py_wait {
	struct py_state *state;
	struct py_ctrl *ctrl;
	const struct py_sink *sink;
	uint64_t begin_ns;
	uint64_t timeout_ns;
	uint64_t limit_ns;
	uint64_t progress_ns;
	uint64_t slice_ns;
	uint64_t done;
	uint64_t aers;
	uint32_t cdw0;
	bool gone;
	bool of_script;
	bool last_look;
	PyObject *type;
	PyObject *value;
	PyObject *traceback;
};

/* The controller may be closed already: whoever waits looks at it after every slice. */
void py_wait_begin(struct py_wait *w, struct py_ctrl *ctrl, const struct py_sink *sink);
/* Pop and report the events of the controller. */
void py_wait_events(struct py_wait *w);
/* The same for all but AERs, which count in the script's next wait. */
void py_wait_events_but_aers(struct py_wait *w);
/* Callback or warning of one completed request, then back into the pool. */
void py_wait_deliver(struct py_wait *w, struct py_req *r);
/* The end of a slice: 0 go on, -1 with an exception: callback's, signal, removal, time is up. */
int py_wait_check(struct py_wait *w);
/* Raise the noted exception if there is one: 0 or -1. */
int py_wait_end(struct py_wait *w);

/*
 * After a slice. One that took longer than any machine is busy for, and longer than the timeout, is
 * a host that did not run: the wait is longer by as much, and says so.
 */
void py_wait_slice(struct py_wait *w);

/* True inside a callback of this thread. */
bool py_wait_in_callback(void);
/* 0, or -1 with AssertionError: waitdone() inside a callback. */
int py_wait_guard(void);
/* Take a lock that another thread may hold for long; honours signals. 0 or -1. */
int py_wait_lock(PyThread_type_lock lock);

/**
 * py_wait_nap() - between two empty polls, without the GIL
 * @empty: empty polls in a row so far
 */
void py_wait_nap(const struct py_wait *w, unsigned int empty, uint64_t now_ns);

#endif
