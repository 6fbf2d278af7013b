/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * functions.c - what nvme._core offers beside its types.
 */
#include "pyext/functions.h"

#include <errno.h>
#include <string.h>

#include "base/counts.h"
#include "base/err.h"
#include "nvme/ns.h"
#include "pyext/args.h"
#include "pyext/fabric.h"
#include "pyext/cmdlog/hang.h"
#include "pyext/cmdlog/recorder.h"
#include "spec/names.h"
#include "ssd/ssd.h"
#include "verify/verify.h"

PyDoc_STRVAR(config_doc,
	     "config($module, /, verify=None, fua_read=False, fua_write=False)\n--\n\n"
	     "Settings of the whole process, for single commands and IOWorkers.\n\n"
	     "verify: check the data of every read; None leaves it as it is\n"
	     "fua_read, fua_write: Force Unit Access on every read, on every write\n"
	     "Returns the settings after the call: bit 0 verify, bit 1 fua_read, bit 2 fua_write.");

static PyObject *config(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
			PyObject *kwnames)
{
	ARGS_SPEC(spec, "config", 0, 3, "verify", "fua_read", "fua_write");
	bool verify = nvme_config.verify, fua_read = false, fua_write = false;
	PyObject *arg[3];

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_bool(arg_or_null(arg[0]), "verify", &verify) ||
	    arg_bool(arg[1], "fua_read", &fua_read) || arg_bool(arg[2], "fua_write", &fua_write))
		return NULL;
	if (verify && verify_memory_check()) {
		verify = false;
		if (py_warn(PyModule_GetState(module), "verify is off: %s", err_text()))
			return NULL;
	}
	nvme_config.verify = verify;
	nvme_config.fua_read = fua_read;
	nvme_config.fua_write = fua_write;
	return PyLong_FromLong(verify | fua_read << 1 | fua_write << 2);
}

PyDoc_STRVAR(strict_doc, "strict($module, on, /)\n--\n\n"
			 "Warn of data that does not match even where a callback sees the status.");

static PyObject *strict(PyObject *module, PyObject *o)
{
	struct py_state *state = PyModule_GetState(module);

	if (arg_bool(o, "on", &state->strict))
		return NULL;
	Py_RETURN_NONE;
}

PyDoc_STRVAR(srand_doc,
	     "srand($module, /, seed)\n--\n\n"
	     "Seed every random choice of the tool; workers derive distinct streams from it.");

static PyObject *seed(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "srand", 1, 1, "seed");
	struct py_state *state = PyModule_GetState(module);
	PyObject *arg[1];

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "seed", UINT64_MAX, &state->seed))
		return NULL;
	state->streams = 0;
	Py_RETURN_NONE;
}

PyDoc_STRVAR(counts_doc,
	     "counts($module, /)\n--\n\n"
	     "How many of everything that must be given back are alive now, as a dict.");

static PyObject *counts(PyObject *module, PyObject *unused)
{
	struct py_state *state = PyModule_GetState(module);
	PyObject *dict =
		Py_BuildValue("{s:K,s:K}", "commands", state->nreqs, "buffers", state->nbuffers);
	PyObject *number;
	int kind, rc;

	for (kind = 0; dict && kind < COUNT_KINDS; kind++) {
		number = PyLong_FromLongLong(count_get((enum count_kind)kind));
		rc = number ?
			     PyDict_SetItemString(dict, count_name((enum count_kind)kind), number) :
			     -1;
		Py_XDECREF(number);
		if (rc)
			Py_CLEAR(dict);
	}
	return dict;
}

/* A name by number, which is argument @name. */
static PyObject *name_of(PyObject *o, const char *name, unsigned int max,
			 const char *(*find)(uint16_t number))
{
	uint64_t number = 0;

	return arg_uint(o, name, max, &number) ? NULL :
						 PyUnicode_FromString(find((uint16_t)number));
}

static const char *admin_name(uint16_t number)
{
	return nvme_admin_opcode_name((uint8_t)number);
}

static const char *io_name(uint16_t number)
{
	return nvme_io_opcode_name((uint8_t)number);
}

PyDoc_STRVAR(admin_name_doc, "admin_name($module, opcode, /)\n--\n\nName of an admin command.");

static PyObject *admin_opcode_name(PyObject *module, PyObject *o)
{
	return name_of(o, "opcode", 0xff, admin_name);
}

PyDoc_STRVAR(io_name_doc, "io_name($module, opcode, /)\n--\n\nName of an IO command.");

static PyObject *io_opcode_name(PyObject *module, PyObject *o)
{
	return name_of(o, "opcode", 0xff, io_name);
}

PyDoc_STRVAR(status_name_doc,
	     "status_name($module, status, /)\n--\n\nName of a status, SCT << 8 | SC.");

static PyObject *status_name(PyObject *module, PyObject *o)
{
	return name_of(o, "status", 0x7ff, nvme_status_name);
}

static const char *feature_of(uint16_t number)
{
	return nvme_feature_name((uint8_t)number);
}

static const char *log_of(uint16_t number)
{
	return nvme_log_name((uint8_t)number);
}

static const char *fctype_of(uint16_t number)
{
	return nvme_fctype_name((uint8_t)number);
}

PyDoc_STRVAR(feature_name_doc, "feature_name($module, fid, /)\n--\n\nName of a feature.");

static PyObject *feature_name(PyObject *module, PyObject *o)
{
	return name_of(o, "fid", 0xff, feature_of);
}

PyDoc_STRVAR(log_name_doc, "log_name($module, lid, /)\n--\n\nName of a log page.");

static PyObject *log_name(PyObject *module, PyObject *o)
{
	return name_of(o, "lid", 0xff, log_of);
}

PyDoc_STRVAR(fctype_name_doc, "fctype_name($module, fctype, /)\n--\n\nName of a Fabrics command.");

static PyObject *fctype_name(PyObject *module, PyObject *o)
{
	return name_of(o, "fctype", 0xff, fctype_of);
}

PyDoc_STRVAR(fabrics_status_name_doc, "fabrics_status_name($module, status, /)\n--\n\n"
				      "Name of the status of a Fabrics command.");

static PyObject *fabrics_status_name(PyObject *module, PyObject *o)
{
	return name_of(o, "status", 0x7ff, nvme_fabrics_status_name);
}

PyDoc_STRVAR(sim_help_doc, "sim_help($module, /)\n--\n\nOptions of a `sim:` address.");

static PyObject *sim_help(PyObject *module, PyObject *unused)
{
	return PyUnicode_FromString(ssd_options_help());
}

PyMethodDef py_functions[] = {
	ARGS_METHOD("config", config, config_doc),
	ARGS_METHOD("srand", seed, srand_doc),
	{ "strict", strict, METH_O, strict_doc },
	{ "counts", counts, METH_NOARGS, counts_doc },
	{ "admin_name", admin_opcode_name, METH_O, admin_name_doc },
	{ "io_name", io_opcode_name, METH_O, io_name_doc },
	{ "status_name", status_name, METH_O, status_name_doc },
	{ "feature_name", feature_name, METH_O, feature_name_doc },
	{ "log_name", log_name, METH_O, log_name_doc },
	{ "fctype_name", fctype_name, METH_O, fctype_name_doc },
	{ "fabrics_status_name", fabrics_status_name, METH_O, fabrics_status_name_doc },
	{ "sim_help", sim_help, METH_NOARGS, sim_help_doc },
	{ "cmdlog_file", py_cmdlog_file, METH_O, py_cmdlog_file_doc },
	{ "cmdlog_path", py_cmdlog_path, METH_NOARGS, py_cmdlog_path_doc },
	{ "recorder", py_recorder, METH_O, py_recorder_doc },
	ARGS_METHOD("recorder_records", py_recorder_records, py_recorder_records_doc),
	{ "quit_report", py_quit_report, METH_O, py_quit_report_doc },
	{ "quit_default", py_quit_default, METH_NOARGS, py_quit_default_doc },
	ARGS_METHOD("discover", py_discover, py_discover_doc),
	{ "close_all", py_close_all, METH_NOARGS, py_close_all_doc },
	{ NULL, NULL, 0, NULL },
};
