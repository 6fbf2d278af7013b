/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recorder.c - the flight recorder's files, of this process and of others, as Python reads them.
 */
#include "pyext/cmdlog/recorder.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/format.h"
#include "pyext/args.h"
#include "pyext/pyext.h"

/* A slot that changes hands is looked at again: it takes some ten microseconds. */
#define TRIES 8

/* The address is whatever bytes the file has: all of them must show. */
static PyObject *slot_tuple(const struct nvme_cmdlog_slot_info *slot,
			    const struct nvme_cmdlog_record *records, int count)
{
	PyObject *addr = PyUnicode_DecodeUTF8(slot->addr, (Py_ssize_t)strlen(slot->addr),
					      "backslashreplace");

	if (!addr)
		return NULL;
	return Py_BuildValue("NHKKy#", addr, slot->sqid, (unsigned long long)slot->opened_ns,
			     (unsigned long long)slot->closed_ns, (const char *)records,
			     (Py_ssize_t)((size_t)count * sizeof(*records)));
}

/* None: the slot cannot be read. */
static PyObject *slot_records(struct nvme_cmdlog_file *f, unsigned int i,
			      const struct nvme_cmdlog_slot_info *slot)
{
	unsigned int max = NVME_CMDLOG_RECORDS + slot->ncids;
	struct nvme_cmdlog_record *records = PyMem_Calloc(max, sizeof(*records));
	PyObject *tuple;
	int count;

	if (!records)
		return PyErr_NoMemory();
	count = nvme_cmdlog_file_read(f, i, records, max);
	if (count == -ENOMEM)
		tuple = PyErr_NoMemory();
	else
		tuple = count < 0 ? Py_NewRef(Py_None) : slot_tuple(slot, records, count);
	PyMem_Free(records);
	return tuple;
}

/* A slot that changes hands at the moment, or was cut off, is none; the others are. */
static PyObject *file_slots(struct nvme_cmdlog_file *f, unsigned int nslots)
{
	struct nvme_cmdlog_slot_info slot;
	PyObject *list = PyList_New(0), *item;
	unsigned int i;

	for (i = 0; list && i < nslots; i++) {
		if (nvme_cmdlog_file_slot(f, i, &slot))
			continue;
		item = slot_records(f, i, &slot);
		if (!item || (item != Py_None && PyList_Append(list, item)))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

/* OSError with its number, which says what to do next. */
static PyObject *refuse(int rc)
{
	PyObject *args = Py_BuildValue("is", -rc, err_text());

	if (args)
		PyErr_SetObject(PyExc_OSError, args);
	Py_XDECREF(args);
	return NULL;
}

static struct nvme_cmdlog_file *open_file(PyObject *o)
{
	struct nvme_cmdlog_file *f = NULL;
	PyObject *path;
	int rc;

	if (!PyUnicode_FSConverter(o, &path))
		return NULL;
	rc = nvme_cmdlog_file_open(&f, PyBytes_AsString(path));
	Py_DECREF(path);
	if (rc)
		refuse(rc);
	return f;
}

const char py_cmdlog_file_doc[] =
	"cmdlog_file($module, path, /)\n--\n\n"
	"The command log of any process: (pid, alive, realtime_ns, slots), where a slot is\n"
	"(address, sqid, opened_ns, closed_ns, records).";

PyObject *py_cmdlog_file(PyObject *module, PyObject *o)
{
	struct nvme_cmdlog_file *f = open_file(o);
	struct nvme_cmdlog_info info;
	PyObject *slots;

	if (!f)
		return NULL;
	nvme_cmdlog_file_info(f, &info);
	slots = file_slots(f, info.nslots);
	nvme_cmdlog_file_close(f);
	if (!slots)
		return NULL;
	return Py_BuildValue("iOLN", info.pid, info.alive ? Py_True : Py_False,
			     (long long)info.realtime_ns, slots);
}

const char py_cmdlog_path_doc[] = "cmdlog_path($module, /)\n--\n\n"
				  "File of this process's command log, '' while there is none.";

PyObject *py_cmdlog_path(PyObject *module, PyObject *unused)
{
	return PyUnicode_FromString(nvme_cmdlog_path());
}

/* --- for the console: the headers as they are in the file, which Python takes apart --- */

/* (index, header, outstanding), or (index, why it cannot be read, None). */
static PyObject *head_tuple(struct nvme_cmdlog_file *f, unsigned int i)
{
	struct nvme_cmdlog_slot slot;
	int n = -EAGAIN;

	for (int k = 0; k < TRIES && (n == -EAGAIN || n == -ESTALE); k++) {
		n = nvme_cmdlog_file_head(f, i, &slot);
		if (!n)
			n = nvme_cmdlog_file_outstanding(f, i, slot.edition);
	}
	if (n < 0)
		return Py_BuildValue("Isz", i, err_text(), NULL);
	return Py_BuildValue("Iy#i", i, (const char *)&slot, (Py_ssize_t)sizeof(slot), n);
}

static PyObject *heads(struct nvme_cmdlog_file *f, unsigned int nslots)
{
	PyObject *list = PyList_New(0), *item;

	for (unsigned int i = 0; list && i < nslots; i++) {
		item = head_tuple(f, i);
		if (!item || PyList_Append(list, item))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

const char py_recorder_doc[] =
	"recorder($module, path, /)\n--\n\n"
	"The recorder's file of any process: (header, alive, slots, bytes at the end that are no slot).\n"
	"A slot is (index, header, outstanding commands), or (index, why it cannot be read, None).\n"
	"Headers are bytes, as src/nvme/cmdlog/format.h has them.";

PyObject *py_recorder(PyObject *module, PyObject *o)
{
	struct nvme_cmdlog_file *f = open_file(o);
	struct nvme_cmdlog_info info;
	PyObject *slots, *result = NULL;

	if (!f)
		return NULL;
	nvme_cmdlog_file_info(f, &info);
	slots = heads(f, info.nslots);
	if (slots)
		result = Py_BuildValue("y#ONK", (const char *)nvme_cmdlog_file_header(f),
				       (Py_ssize_t)offsetof(struct nvme_cmdlog_header, reserved),
				       info.alive ? Py_True : Py_False, slots,
				       (unsigned long long)info.unread_bytes);
	nvme_cmdlog_file_close(f);
	return result;
}

static PyObject *records_of(struct nvme_cmdlog_file *f, unsigned int i, uint64_t edition)
{
	struct nvme_cmdlog_record *records;
	struct nvme_cmdlog_slot slot;
	PyObject *result = NULL;
	int n = nvme_cmdlog_file_head(f, i, &slot);
	unsigned int max;

	if (!n && slot.edition != edition)
		n = err_set(-ESTALE, "the slot is another queue's by now");
	if (n)
		return refuse(n);
	max = NVME_CMDLOG_RECORDS + slot.ncids;
	records = PyMem_Calloc(max, sizeof(*records));
	if (!records)
		return PyErr_NoMemory();
	n = nvme_cmdlog_file_read(f, i, records, max);
	if (n < 0)
		refuse(n);
	else
		result = PyBytes_FromStringAndSize((const char *)records,
						   (Py_ssize_t)((size_t)n * sizeof(*records)));
	PyMem_Free(records);
	return result;
}

const char py_recorder_records_doc[] =
	"recorder_records($module, /, path, index, edition)\n--\n\n"
	"Records of a queue in a recorder's file, newest first. OSError ESTALE: its slot is another\n"
	"queue's by now.";

PyObject *py_recorder_records(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
			      PyObject *kwnames)
{
	ARGS_SPEC(spec, "recorder_records", 3, 3, "path", "index", "edition");
	struct nvme_cmdlog_file *f;
	uint64_t index, edition;
	PyObject *arg[3], *result;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[1], "index", UINT32_MAX, &index) ||
	    arg_uint(arg[2], "edition", UINT64_MAX, &edition))
		return NULL;
	f = open_file(arg[0]);
	if (!f)
		return NULL;
	result = records_of(f, (unsigned int)index, edition);
	nvme_cmdlog_file_close(f);
	return result;
}
