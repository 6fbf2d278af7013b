/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pyext.h - what the files of the extension nvme._core share: module state and object structs.
 *
 * Limited API of Python 3.11. Every object keeps a pointer to the state of the module it
 * was made by. The GIL guards everything here that is not said to be otherwise.
 */
#ifndef PYNVME_PYEXT_PYEXT_H
#define PYNVME_PYEXT_PYEXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "bus/dma.h"

struct nvme_ctrl;
struct nvme_ns;
struct nvme_qpair;
struct py_req;

#define PYEXT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct py_live - link of an object that must be closed before the process ends
 *
 * The newest is closed first: what depends on something is younger than that.
 */
struct py_live {
	struct list_node node;
	PyObject *object; /* borrowed: its dealloc takes it off the list */
	void (*close)(struct py_live *live);
};

/**
 * struct py_state - state of the module
 * @live: open objects, struct py_live
 * @free_reqs: pool of requests
 * @arity: nvme._signature.arity(), for callbacks that are not plain functions
 * @strict: a mismatch of data is a warning even where a callback sees the status
 */
struct py_state {
	PyTypeObject *buffer_type;
	PyTypeObject *ctrl_type;
	PyTypeObject *qpair_type;
	PyTypeObject *ns_type;
	PyTypeObject *function_type;
	PyTypeObject *method_type;
	PyObject *module; /* borrowed */
	struct py_req *free_reqs;
	struct list_node live;
	/* cold from here */
	PyTypeObject *pcie_type;
	PyTypeObject *sim_type;
	PyTypeObject *target_type;
	PyTypeObject *ioworker_type;
	PyObject *nvme_error;
	PyObject *enumerate_error;
	PyObject *deletion_error;
	PyObject *qpair_creation_error;
	PyObject *qpair_deletion_error;
	PyObject *ns_creation_error;
	PyObject *ns_deletion_error;
	PyObject *arity;
	PyObject *say; /* nvme.warn.say(), once there was something to say */
	PyObject *str_argcount;
	PyObject *str_code;
	PyObject *str_defaults;
	PyObject *str_func;
	uint64_t nreqs; /* given to the driver and not delivered yet */
	uint64_t nbuffers;
	bool strict;
	uint64_t seed;	  /* of srand() */
	uint64_t streams; /* random streams handed out since */
	pid_t pid;	  /* where the module was loaded; see py_check_process() */
};

/**
 * struct py_buffer - DMA memory; never moves and never shrinks while it lives
 * @offset, @size: the part that commands transfer; all of it unless the script says otherwise
 */
struct py_buffer {
	PyObject_HEAD struct py_state *state;
	struct dma_mem mem;
	size_t offset;
	size_t size;
	/* cold from here */
	PyObject *name;
	PyObject *weakrefs;
};

/**
 * struct py_sink - where completed requests of one queue wait for the GIL
 * @done: newest first; pushed by whoever reaps, any thread, without the GIL
 * @flying: requests with the driver, struct py_req.node
 * @latest: the script's last command, until it is delivered
 * @latest_cid: of the script's last command once that was delivered; UINT16_MAX: it had none
 */
struct py_sink {
	_Atomic(struct py_req *) done;
	struct py_req *ready; /* oldest first; taken off @done, not delivered yet */
	struct py_req **ready_tail;
	struct list_node flying;
	struct py_req *latest;
	uint16_t latest_cid;
};

/**
 * struct py_ctrl - a Controller
 * @ctrl: NULL once closed
 * @users: threads that use @ctrl without the GIL; closing waits for them
 * @wait_lock: held by the thread that is inside waitdone
 * @opener: the thread whose nvme_ctrl_open() has not returned yet, or 0
 * @script: admin commands of the script, AERs not counted, that are not delivered yet
 * @qpairs: open Qpairs, struct py_qpair.node
 * @addr: address, also once closed; NULL in one that could not be opened
 */
struct py_ctrl {
	PyObject_HEAD struct py_state *state;
	struct nvme_ctrl *ctrl;
	struct py_sink sink;
	struct py_live live;
	_Atomic uint32_t users;
	/* cold from here */
	PyThread_type_lock wait_lock;
	struct list_node qpairs;
	PyObject *addr;
	PyObject *init_func;
	PyObject *init_exception;
	unsigned long opener;
	uint32_t script;
	uint32_t generation; /* of the process, see py_check_process() */
	uint64_t latest_latency_ns;
};

/**
 * struct py_qpair - a Qpair
 * @q: NULL once deleted
 * @lock: one thread at a time between nvme_qpair_enter() and exit; never held while
 *        waiting for the GIL
 * @wanted: threads that want @lock while waitdone goes from slice to slice
 */
struct py_qpair {
	PyObject_HEAD struct py_state *state;
	struct nvme_qpair *q;
	struct py_sink sink;
	pthread_mutex_t lock;
	_Atomic uint32_t wanted;
	/* cold from here */
	PyThread_type_lock wait_lock;
	struct py_ctrl *ctrl;
	struct py_live live;
	struct list_node node;
	uint32_t generation;
	uint16_t sqid;
	uint64_t latest_latency_ns;
};

/* struct py_ns - a Namespace; @ns NULL once closed, @nsid for its repr */
struct py_ns {
	PyObject_HEAD struct py_state *state;
	struct nvme_ns *ns;
	struct py_ctrl *ctrl;
	struct py_live live;
	uint32_t generation;
	uint32_t nsid;
};

/* --- module.c --- */

extern PyModuleDef py_module_def;

/* State of the module that @type, or the nearest of its bases, belongs to; NULL with TypeError. */
struct py_state *py_state_of(PyTypeObject *type);

/* Makes a heap type from @spec and adds it to the module. NULL with an exception set. */
PyTypeObject *py_add_type(PyObject *module, PyType_Spec *spec);

/**
 * py_alloc() - a zeroed object, whose struct begins with PyObject_HEAD and its state
 *
 * It keeps the module alive: at interpreter exit the collector takes both in any order.
 * Return: NULL with MemoryError.
 */
void *py_alloc(PyTypeObject *type, struct py_state *state);
/* tp_free, the references on type and module; the end of every dealloc. */
void py_free(void *self);

/* Put on and take off the list of open objects. */
void py_live_add(struct py_state *state, struct py_live *live, PyObject *object,
		 void (*close)(struct py_live *live));
void py_live_del(struct py_live *live);

/**
 * py_check_process() - refuse objects that were opened before a fork
 * @generation: the object's, taken from py_process_generation() when it was opened
 * Return: 0, or -1 with NvmeError "opened in process N".
 */
int py_check_process(struct py_state *state, uint32_t generation);
uint32_t py_process_generation(void);

/* --- one function a type: make it and add it to the module; 0 or -1 --- */

int py_buffer_add(PyObject *module, struct py_state *state);
int py_ctrl_add(PyObject *module, struct py_state *state);
int py_qpair_add(PyObject *module, struct py_state *state);
int py_ns_add(PyObject *module, struct py_state *state);
int py_pcie_add(PyObject *module, struct py_state *state);
int py_target_add(PyObject *module, struct py_state *state);
int py_sim_add(PyObject *module, struct py_state *state);
int py_ioworker_add(PyObject *module, struct py_state *state);

/* --- error.c --- */

/* Makes the exceptions and adds them to the module; 0 or -1. */
int py_error_add(PyObject *module, struct py_state *state);

/**
 * py_error() - raise @exc with the text of base/err.h for @rc (0 > rc)
 *
 * -ENOMEM is a MemoryError whatever @exc says; @exc NULL: chosen by @rc.
 * Return: NULL, for convenience.
 */
PyObject *py_error(struct py_state *state, PyObject *exc, int rc);

/* Raise @exc with a text of our own. Return: NULL. */
PyObject *py_fail(PyObject *exc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A UserWarning at the script's line (nvme/warn.py): 0, or -1 when a filter made it an exception. */
int py_warn(struct py_state *state, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same; @text NULL: there is an exception already. */
int py_warn_text(struct py_state *state, PyObject *text);

/* --- buffer.c --- */

/* First byte of the part that commands transfer. */
static inline void *py_buffer_data(const struct py_buffer *buf)
{
	return (uint8_t *)buf->mem.va + buf->offset;
}

#endif
