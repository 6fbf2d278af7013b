/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buffer_field.c - fields, ranges and patterns inside a nvme.Buffer.
 */
#include "pyext/buffer.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/pattern.h"
#include "pyext/args.h"
#include "spec/io.h"

static PyObject *field_int(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	if (count > sizeof(value))
		return PyObject_CallMethod((PyObject *)&PyLong_Type, "from_bytes", "y#s",
					   (const char *)bytes, (Py_ssize_t)count, "little");
	memcpy(&value, bytes, count);
	return PyLong_FromUnsignedLongLong(value);
}

/* ASCII without the spaces (or NULs) that the specification pads it with. */
static PyObject *field_str(const uint8_t *bytes, size_t count)
{
	while (count && (bytes[count - 1] == 0 || isspace(bytes[count - 1])))
		count--;
	return PyUnicode_DecodeASCII((const char *)bytes, (Py_ssize_t)count, "backslashreplace");
}

const char py_buffer_field_doc[] =
	"_data($self, /, byte_end, byte_begin=None, type=None)\n--\n\n"
	"The field from byte_begin to byte_end, both included, as the specification numbers them.\n\n"
	"byte_begin: None for a field of one byte\n"
	"type: int (little endian; None, too) or str (ASCII, padding stripped), else AssertionError";

PyObject *py_buffer_field(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "data", 1, 3, "byte_end", "byte_begin", "type");
	struct py_buffer *self = (struct py_buffer *)obj;
	const uint8_t *bytes = self->mem.va;
	PyObject *arg[3];
	uint64_t begin, end = 0;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "byte_end", UINT64_MAX, &end))
		return NULL;
	begin = end;
	if (arg_uint(arg_or_null(arg[1]), "byte_begin", UINT64_MAX, &begin))
		return NULL;
	if (begin > end)
		return py_fail(PyExc_ValueError, "byte_begin %llu is beyond byte_end %llu",
			       (unsigned long long)begin, (unsigned long long)end);
	if (end >= self->mem.len)
		return py_fail(PyExc_IndexError, "byte_end %llu is out of the buffer of %zu bytes",
			       (unsigned long long)end, self->mem.len);
	if (!arg_or_null(arg[2]) || arg[2] == (PyObject *)&PyLong_Type)
		return field_int(bytes + begin, (size_t)(end - begin + 1));
	if (arg[2] == (PyObject *)&PyUnicode_Type)
		return field_str(bytes + begin, (size_t)(end - begin + 1));
	return py_fail(PyExc_AssertionError, "type must be int or str");
}

/* Where entry @index of @bytes each lies; NULL with IndexError past the end. */
static void *entry_at(struct py_buffer *self, uint64_t index, size_t bytes)
{
	if (index >= self->mem.len / bytes) {
		py_fail(PyExc_IndexError, "index %llu is out of the buffer, which holds %zu ranges",
			(unsigned long long)index, self->mem.len / bytes);
		return NULL;
	}
	return (uint8_t *)self->mem.va + index * bytes;
}

const char py_buffer_set_dsm_range_doc[] =
	"set_dsm_range($self, /, index, lba, lba_count, attr=0)\n--\n\n"
	"Write range number `index` of a Dataset Management command (NVM 1.1, 3.2.3).\n\n"
	"attr: context attributes, 32 bits";

PyObject *py_buffer_set_dsm_range(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				  PyObject *kwnames)
{
	ARGS_SPEC(spec, "set_dsm_range", 3, 4, "index", "lba", "lba_count", "attr");
	struct nvme_dsm_range range = { 0 };
	uint64_t index = 0, lba = 0;
	uint32_t count = 0, attr = 0;
	PyObject *arg[4];
	void *at;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "index", UINT64_MAX, &index) ||
	    arg_uint(arg[1], "lba", UINT64_MAX, &lba) || arg_u32(arg[2], "lba_count", &count) ||
	    arg_u32(arg[3], "attr", &attr))
		return NULL;
	at = entry_at((struct py_buffer *)obj, index, sizeof(range));
	if (!at)
		return NULL;
	range.cattr = attr;
	range.nlb = count;
	range.slba = lba;
	memcpy(at, &range, sizeof(range));
	Py_RETURN_NONE;
}

const char py_buffer_set_copy_range_doc[] =
	"set_copy_range($self, /, index, lba, lba_count)\n--\n\n"
	"Write source range number `index` of a Copy command, descriptor format 0 (NVM 1.1, 3.2.2).\n\n"
	"lba_count: 1..65536";

PyObject *py_buffer_set_copy_range(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				   PyObject *kwnames)
{
	ARGS_SPEC(spec, "set_copy_range", 3, 3, "index", "lba", "lba_count");
	struct nvme_copy_range range = { 0 };
	uint64_t index = 0, lba = 0, count = 0;
	PyObject *arg[3];
	void *at;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "index", UINT64_MAX, &index) ||
	    arg_uint(arg[1], "lba", UINT64_MAX, &lba) ||
	    arg_range(arg[2], "lba_count", 1, 65536, &count))
		return NULL;
	at = entry_at((struct py_buffer *)obj, index, sizeof(range));
	if (!at)
		return NULL;
	range.slba = lba;
	range.nlb = (uint16_t)(count - 1);
	memcpy(at, &range, sizeof(range));
	Py_RETURN_NONE;
}

int py_buffer_fill(struct py_buffer *self, uint32_t ptype, uint32_t pvalue)
{
	struct rand rand;

	rand_seed(&rand, rand_derive(self->state->seed, self->state->streams++));
	if (!pattern_fill(self->mem.va, self->mem.len, ptype, pvalue, &rand))
		return 0;
	PyErr_SetString(PyExc_ValueError, err_text());
	return -1;
}
