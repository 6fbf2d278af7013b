/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buffer.c - nvme._core.Buffer: what a script sees of a piece of DMA memory.
 */
#include "pyext/buffer.h"

#include <limits.h>
#include <string.h>
#include <structmember.h>

#include "base/hexdump.h"
#include "pyext/args.h"

static PyObject *buffer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	ARGS_SPEC(spec, "Buffer", 0, 4, "size", "name", "pvalue", "ptype");
	struct py_state *state = py_state_of(type);
	struct py_buffer *self;
	PyObject *arg[4];
	Py_ssize_t size = DMA_PAGE_BYTES;
	uint32_t pvalue = 0, ptype = 0;
	int rc;

	if (!state || args_bind_call(&spec, args, kwargs, arg) ||
	    arg_ssize(arg[0], "size", &size) || arg_u32(arg[2], "pvalue", &pvalue) ||
	    arg_u32(arg[3], "ptype", &ptype))
		return NULL;
	if (size <= 0)
		return py_fail(PyExc_ValueError, "size must be at least 1 byte, not %zd", size);
	if (arg[1] && !PyUnicode_Check(arg[1]))
		return py_fail(PyExc_TypeError, "name must be a str");
	self = py_alloc(type, state);
	if (!self)
		return NULL;
	self->size = (size_t)size;
	self->name = arg[1] ? Py_NewRef(arg[1]) : PyUnicode_FromString("buffer");
	rc = self->name ? dma_alloc(&self->mem, (size_t)size) : 0;
	if (rc)
		py_error(state, NULL, rc);
	else
		state->nbuffers++;
	if (PyErr_Occurred() || py_buffer_fill(self, ptype, pvalue)) {
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static void buffer_dealloc(PyObject *obj)
{
	struct py_buffer *self = (struct py_buffer *)obj;

	if (self->weakrefs)
		PyObject_ClearWeakRefs(obj);
	if (self->mem.va)
		self->state->nbuffers--;
	dma_free(&self->mem);
	Py_CLEAR(self->name);
	py_free(self);
}

static PyObject *buffer_repr(PyObject *obj)
{
	PyObject *name = ((struct py_buffer *)obj)->name;

	return PyUnicode_FromFormat("<buffer name: %V>", name, "not made");
}

static Py_ssize_t buffer_length(PyObject *obj)
{
	return (Py_ssize_t)((struct py_buffer *)obj)->mem.len;
}

/* Byte offset of an index, negative ones counted from the end; -1 with IndexError. */
static Py_ssize_t buffer_index(struct py_buffer *self, PyObject *key)
{
	Py_ssize_t len = (Py_ssize_t)self->mem.len, i;

	if (!PyIndex_Check(key)) {
		PyErr_Format(PyExc_TypeError, "buffer indices must be integers or slices, not %R",
			     Py_TYPE(key));
		return -1;
	}
	i = PyNumber_AsSsize_t(key, PyExc_IndexError);
	if (i == -1 && PyErr_Occurred())
		return -1;
	if (i < -len || i >= len) {
		PyErr_Format(PyExc_IndexError, "index %zd is out of the buffer of %zd bytes", i,
			     len);
		return -1;
	}
	return i < 0 ? i + len : i;
}

static PyObject *buffer_slice(struct py_buffer *self, PyObject *key)
{
	Py_ssize_t start, stop, step, count, i;
	const uint8_t *src = self->mem.va;
	PyObject *bytes;
	char *dst;

	if (PySlice_Unpack(key, &start, &stop, &step))
		return NULL;
	count = PySlice_AdjustIndices((Py_ssize_t)self->mem.len, &start, &stop, step);
	if (step == 1)
		return PyBytes_FromStringAndSize((const char *)src + start, count);
	bytes = PyBytes_FromStringAndSize(NULL, count);
	if (!bytes)
		return NULL;
	dst = PyBytes_AsString(bytes);
	for (i = 0; i < count; i++)
		dst[i] = (char)src[start + i * step];
	return bytes;
}

static PyObject *buffer_subscript(PyObject *obj, PyObject *key)
{
	struct py_buffer *self = (struct py_buffer *)obj;
	Py_ssize_t i;

	if (Py_TYPE(key) == &PySlice_Type)
		return buffer_slice(self, key);
	i = buffer_index(self, key);
	return i < 0 ? NULL : PyLong_FromLong(((uint8_t *)self->mem.va)[i]);
}

static int assign_byte(struct py_buffer *self, PyObject *key, PyObject *value)
{
	Py_ssize_t i = buffer_index(self, key);
	uint64_t byte = 0;

	if (i < 0 || arg_uint(value, "a byte", 255, &byte))
		return -1;
	((uint8_t *)self->mem.va)[i] = (uint8_t)byte;
	return 0;
}

/* First byte of a slice as Python sees it; stop and step do not matter here. */
static int slice_start(struct py_buffer *self, PyObject *key, Py_ssize_t *start)
{
	PyObject *first = PyObject_GetAttrString(key, "start");
	Py_ssize_t len = (Py_ssize_t)self->mem.len;

	*start = 0;
	if (first && first != Py_None)
		*start = PyNumber_AsSsize_t(first, PyExc_IndexError);
	Py_XDECREF(first);
	if (PyErr_Occurred())
		return -1;
	if (*start < 0)
		*start = *start < -len ? 0 : *start + len;
	return 0;
}

/* The whole value goes in from the slice's start on, or nothing does. */
static int assign_slice(struct py_buffer *self, PyObject *key, PyObject *value)
{
	PyObject *bytes = PyBytes_FromObject(value);
	Py_ssize_t start, count, len = (Py_ssize_t)self->mem.len;
	int rc = -1;

	if (!bytes)
		return -1;
	count = PyBytes_Size(bytes);
	if (slice_start(self, key, &start))
		goto out;
	if (start > len || count > len - start) {
		PyErr_Format(PyExc_IndexError,
			     "%zd bytes from offset %zd on run past the buffer's end at %zd", count,
			     start, len);
		goto out;
	}
	memcpy((uint8_t *)self->mem.va + start, PyBytes_AsString(bytes), (size_t)count);
	rc = 0;
out:
	Py_DECREF(bytes);
	return rc;
}

static int buffer_ass_subscript(PyObject *obj, PyObject *key, PyObject *value)
{
	struct py_buffer *self = (struct py_buffer *)obj;

	if (!value) {
		PyErr_SetString(PyExc_TypeError, "bytes of a buffer cannot be deleted");
		return -1;
	}
	if (Py_TYPE(key) == &PySlice_Type)
		return assign_slice(self, key, value);
	return assign_byte(self, key, value);
}

static int buffer_getbuffer(PyObject *obj, Py_buffer *view, int flags)
{
	struct py_buffer *self = (struct py_buffer *)obj;

	return PyBuffer_FillInfo(view, obj, self->mem.va, (Py_ssize_t)self->mem.len, 0, flags);
}

PyDoc_STRVAR(dump_doc,
	     "dump($self, /, size=None)\n--\n\n"
	     "The buffer's name and its first `size` bytes (None: all of them) in hexadecimal.");

static PyObject *buffer_dump(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			     PyObject *kwnames)
{
	ARGS_SPEC(spec, "dump", 0, 1, "size");
	struct py_buffer *self = (struct py_buffer *)obj;
	PyObject *arg[1], *text, *hex;
	uint64_t size = self->mem.len;
	size_t chars;
	char *lines;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg_or_null(arg[0]), "size", UINT64_MAX, &size))
		return NULL;
	if (size > self->mem.len)
		size = self->mem.len;
	chars = hexdump(self->mem.va, (size_t)size, NULL, 0);
	lines = PyMem_Malloc(chars + 1);
	if (!lines)
		return PyErr_NoMemory();
	lines[0] = 0;
	hexdump(self->mem.va, (size_t)size, lines, chars + 1);
	hex = PyUnicode_FromString(lines);
	PyMem_Free(lines);
	if (!hex)
		return NULL;
	text = PyUnicode_FromFormat("%U\n%U", self->name, hex);
	Py_DECREF(hex);
	return text;
}

/* --- properties --- */

static PyObject *get_phys_addr(PyObject *obj, void *closure)
{
	/* Asked for anew: a first device without an IOMMU turns IOVAs into physical addresses. */
	return PyLong_FromUnsignedLongLong(dma_iova(((struct py_buffer *)obj)->mem.va));
}

static PyObject *get_name(PyObject *obj, void *closure)
{
	return Py_NewRef(((struct py_buffer *)obj)->name);
}

static PyObject *get_offset(PyObject *obj, void *closure)
{
	return PyLong_FromSize_t(((struct py_buffer *)obj)->offset);
}

static int set_offset(PyObject *obj, PyObject *value, void *closure)
{
	struct py_buffer *self = (struct py_buffer *)obj;
	uint64_t offset = 0;

	if (arg_assigned(value, "offset", 0, self->mem.len - 1, &offset))
		return -1;
	if (offset % 4) {
		PyErr_Format(PyExc_ValueError, "offset must be a multiple of 4, not %llu",
			     (unsigned long long)offset);
		return -1;
	}
	self->offset = (size_t)offset;
	self->size = self->mem.len - self->offset;
	return 0;
}

static PyObject *get_size(PyObject *obj, void *closure)
{
	return PyLong_FromSize_t(((struct py_buffer *)obj)->size);
}

static int set_size(PyObject *obj, PyObject *value, void *closure)
{
	struct py_buffer *self = (struct py_buffer *)obj;
	uint64_t size = 0;

	if (arg_assigned(value, "size", 0, self->mem.len - self->offset, &size))
		return -1;
	self->size = (size_t)size;
	return 0;
}

/* closure: NULL for the first 8 bytes of the transferred part, else the last 8 */
static PyObject *get_word(PyObject *obj, void *closure)
{
	struct py_buffer *self = (struct py_buffer *)obj;
	size_t bytes = self->size < 8 ? self->size : 8;
	const uint8_t *at = py_buffer_data(self);
	uint64_t word = 0;

	memcpy(&word, closure ? at + self->size - bytes : at, bytes);
	return PyLong_FromUnsignedLongLong(word);
}

static PyGetSetDef buffer_getset[] = {
	{ "phys_addr", get_phys_addr, NULL,
	  "Address that a device uses for the first byte (IOVA, or physical).", NULL },
	{ "name", get_name, NULL, "Name given at creation.", NULL },
	{ "offset", get_offset, set_offset,
	  "First byte that commands transfer, a multiple of 4; setting it makes the rest the size.",
	  NULL },
	{ "size", get_size, set_size, "Bytes from `offset` on that commands transfer.", NULL },
	{ "data_head", get_word, NULL,
	  "First 8 bytes of the transferred part, little endian: the LBA number of a stamped LBA.",
	  NULL },
	{ "data_tail", get_word, NULL,
	  "Last 8 bytes of the transferred part, little endian: the token of a stamped LBA.", "" },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef buffer_methods[] = {
	ARGS_METHOD("_data", py_buffer_field, py_buffer_field_doc),
	ARGS_METHOD("dump", buffer_dump, dump_doc),
	ARGS_METHOD("set_dsm_range", py_buffer_set_dsm_range, py_buffer_set_dsm_range_doc),
	ARGS_METHOD("set_copy_range", py_buffer_set_copy_range, py_buffer_set_copy_range_doc),
	{ NULL, NULL, 0, NULL },
};

static PyMemberDef buffer_members[] = {
	{ "__weaklistoffset__", T_PYSSIZET, offsetof(struct py_buffer, weakrefs), READONLY, NULL },
	{ NULL, 0, 0, 0, NULL },
};

PyDoc_STRVAR(
	buffer_doc,
	"Buffer(size=4096, name='buffer', pvalue=0, ptype=0)\n--\n\n"
	"Zeroed memory that a device can reach, aligned to 4 KiB.\n\n"
	"size: bytes, at least 1\n"
	"name: printed by dump() and repr()\n"
	"ptype, pvalue: first content. 0: zeros, or ones if pvalue is not 0; 32: the dword\n"
	"pvalue repeated; 0xbeef: random in pvalue per cent of the bytes, zeros in the rest\n\n"
	"An index gives an int, a slice bytes. Assigning to a slice writes the whole value from\n"
	"the slice's start on; past the end is an IndexError, and nothing is written.\n"
	"memoryview() and numpy see the memory itself. A buffer stays alive while commands use it.");

static PyType_Slot buffer_slots[] = {
	{ Py_tp_new, buffer_new },
	{ Py_tp_dealloc, buffer_dealloc },
	{ Py_tp_repr, buffer_repr },
	{ Py_tp_doc, (void *)buffer_doc },
	{ Py_mp_length, buffer_length },
	{ Py_sq_length, buffer_length },
	{ Py_mp_subscript, buffer_subscript },
	{ Py_mp_ass_subscript, buffer_ass_subscript },
	{ Py_bf_getbuffer, buffer_getbuffer },
	{ Py_tp_getset, buffer_getset },
	{ Py_tp_methods, buffer_methods },
	{ Py_tp_members, buffer_members },
	{ 0, NULL },
};

static PyType_Spec buffer_spec = {
	.name = "nvme._core.Buffer",
	.basicsize = sizeof(struct py_buffer),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	.slots = buffer_slots,
};

int py_buffer_add(PyObject *module, struct py_state *state)
{
	state->buffer_type = py_add_type(module, &buffer_spec);
	return state->buffer_type ? 0 : -1;
}
