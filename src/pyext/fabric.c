/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fabric.c - controllers that are reached over a network, and discovery of them.
 */
#include "pyext/fabric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvme/ctrl.h"
#include "nvme/tcp/address.h"
#include "nvme/tcp/discover.h"
#include "pyext/args.h"
#include "pyext/ctrl.h"
#include "pyext/interrupt.h"

int py_fabric_options(PyObject *arg, const char *addr, const char **out)
{
	*out = NULL;
	if (!arg_or_null(arg))
		return 0;
	if (!PyUnicode_Check(arg)) {
		py_fail(PyExc_TypeError, "fabric must be a str");
		return -1;
	}
	if (!addr || !nvme_tcp_address_is(addr)) {
		py_fail(PyExc_ValueError,
			"\"%s\" is no NVMe/TCP address, so it has no options %.200s",
			addr ? addr : "a Pcie", PyUnicode_AsUTF8AndSize(arg, NULL));
		return -1;
	}
	*out = PyUnicode_AsUTF8AndSize(arg, NULL);
	return *out ? 0 : -1;
}

PyObject *py_fabric_without(struct py_ctrl *ctrl, const char *what)
{
	return py_fail(ctrl->state->nvme_error, "%s: an NVMe/TCP controller has no %s",
		       ctrl->ctrl->addr, what);
}

const char py_discover_doc[] =
	"discover($module, /, addr, fabric=None)\n--\n\n"
	"Entries of the discovery log at an NVMe/TCP address, referrals followed once.\n\n"
	"Each is (trtype, adrfam, subtype, treq, portid, cntlid, asqsz, eflags, trsvcid, subnqn,\n"
	"traddr, sectype).\n"
	"Raises NvmeEnumerateError when nothing answers there.";

static PyObject *text(const char *field, size_t len)
{
	char buf[257];

	nvme_tcp_log_text(buf, field, len);
	return PyUnicode_DecodeUTF8(buf, (Py_ssize_t)strlen(buf), "backslashreplace");
}

static PyObject *entry_tuple(const struct nvme_discovery_entry *e)
{
	return Py_BuildValue("(iiiiiiiiNNNi)", e->trtype, e->adrfam, e->subtype, e->treq, e->portid,
			     e->cntlid, e->asqsz, e->eflags, text(e->trsvcid, sizeof(e->trsvcid)),
			     text(e->subnqn, sizeof(e->subnqn)), text(e->traddr, sizeof(e->traddr)),
			     e->tsas[0]);
}

static PyObject *entry_list(const struct nvme_tcp_log *log)
{
	PyObject *list = PyList_New(0), *item;

	for (size_t i = 0; list && i < log->n; i++) {
		item = entry_tuple(&log->entry[i]);
		if (!item || PyList_Append(list, item))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

PyObject *py_discover(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "discover", 1, 2, "addr", "fabric");
	struct py_state *state = PyModule_GetState(module);
	struct nvme_ctrl_opts opts = { 0 };
	struct py_interrupt interrupt;
	struct nvme_tcp_log log;
	PyObject *arg[2], *list;
	const char *addr;
	int rc, cut;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    !(addr = PyUnicode_AsUTF8AndSize(arg[0], NULL)) ||
	    py_fabric_options(arg[1], addr, &opts.fabric))
		return NULL;
	py_interrupt_begin(&interrupt);
	Py_BEGIN_ALLOW_THREADS
		rc = nvme_tcp_discover(&log, addr, &opts);
	Py_END_ALLOW_THREADS
	cut = py_interrupt_end(&interrupt);
	if (rc && !cut)
		py_error(state, state->enumerate_error, rc);
	list = rc || cut ? NULL : entry_list(&log);
	free(log.entry);
	return list;
}
