/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_rw.c - the commands of a Namespace that name a range of LBAs.
 */
#include "pyext/ns.h"

#include "nvme/cmd.h"
#include "nvme/ns.h"
#include "pyext/args.h"
#include "pyext/qpair.h"
#include "pyext/request.h"

#define LBA_COUNT_MAX 65536u

/* What every command here has; a command without data leaves buf and mbuf NULL. */
struct range {
	struct py_qpair *qpair;
	struct py_buffer *buf;
	struct py_buffer *mbuf;
	PyObject *cb;
	uint64_t lba;
	uint64_t nlb;
	uint32_t cdw12_hi;
};

/* Both spellings: a value below 65536 is CDW12 bits 31:16, a larger one is in place already. */
static int parse_io_flags(PyObject *o, uint32_t *cdw12_hi)
{
	uint32_t flags = 0;

	if (arg_u32(o, "io_flags", &flags))
		return -1;
	*cdw12_hi = flags < 0x10000 ? flags << 16 : flags;
	if (!(*cdw12_hi & 0xffff))
		return 0;
	py_fail(PyExc_AssertionError, "io_flags must be 16 bits, or CDW12 with bits 15:0 clear: %x",
		flags);
	return -1;
}

static int parse_range(struct py_ns *self, PyObject *qpair, PyObject *lba, PyObject *nlb,
		       struct range *range)
{
	range->qpair = py_ns_qpair(self, qpair);
	range->nlb = 1;
	if (!range->qpair || arg_uint(lba, "lba", UINT64_MAX, &range->lba) ||
	    arg_range(nlb, "lba_count", 1, LBA_COUNT_MAX, &range->nlb))
		return -1;
	return 0;
}

static int check_size(const struct py_buffer *buf, const char *what, uint64_t bytes)
{
	if (!buf || buf->size >= bytes)
		return 0;
	py_fail(PyExc_AssertionError, "%s has %zu bytes, the transfer needs %llu", what, buf->size,
		(unsigned long long)bytes);
	return -1;
}

static PyObject *send_range(struct py_ns *self, uint8_t opcode, const struct range *range,
			    uint16_t flags, PyObject *const *cdw13_15)
{
	struct py_req *r = py_ns_req(self, range->cb);

	if (!r)
		return NULL;
	r->req.flags = flags;
	py_req_hold(r, range->buf, range->mbuf);
	nvme_cmd_rw(&r->req, r->ns, opcode, range->buf ? py_buffer_data(range->buf) : NULL,
		    range->lba, (uint32_t)range->nlb, range->cdw12_hi);
	if (check_size(range->buf, "buf", r->req.data_bytes) ||
	    check_size(range->mbuf, "mbuf", range->nlb * nvme_ns_format(r->ns)->meta_bytes)) {
		py_req_put(self->state, r);
		return NULL;
	}
	if (cdw13_15 && (arg_u32(cdw13_15[0], "cdw13", &r->req.sqe.cdw13) ||
			 arg_u32(cdw13_15[1], "cdw14", &r->req.sqe.cdw14) ||
			 arg_u32(cdw13_15[2], "cdw15", &r->req.sqe.cdw15))) {
		py_req_put(self->state, r);
		return NULL;
	}
	return py_qpair_submit(range->qpair, r);
}

/* read, write, compare */
static PyObject *transfer(PyObject *obj, const struct args_spec *spec, PyObject *const *args,
			  Py_ssize_t nargs, PyObject *kwnames, uint8_t opcode, uint16_t flags)
{
	struct py_ns *self = (struct py_ns *)obj;
	struct range range = { 0 };
	PyObject *arg[10];

	if (args_bind(spec, args, nargs, kwnames, arg) ||
	    parse_range(self, arg[0], arg[2], arg[3], &range) ||
	    parse_io_flags(arg[4], &range.cdw12_hi) || arg_callable(arg[5], "cb", &range.cb) ||
	    arg_buffer(self->state, arg[6], "mbuf", &range.mbuf))
		return NULL;
	range.buf = arg_object(arg[1], self->state->buffer_type, "buf", "Buffer");
	if (!range.buf)
		return NULL;
	return send_range(self, opcode, &range, flags, &arg[7]);
}

#define TRANSFER_SPEC(func)                                                                       \
	ARGS_SPEC(spec, func, 3, 6, "qpair", "buf", "lba", "lba_count", "io_flags", "cb", "mbuf", \
		  "cdw13", "cdw14", "cdw15")

#define TRANSFER_SIGNATURE                                                                      \
	"($self, /, qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, mbuf=None, cdw13=0, " \
	"cdw14=0, cdw15=0)\n--\n\n"

#define TRANSFER_PARAMETERS                                                                       \
	"buf: Buffer, at least as long as the transfer, or an AssertionError; its tail stays as " \
	"it is\n"                                                                                 \
	"lba, lba_count: 64-bit start and 1..65536 blocks\n"                                      \
	"io_flags: CDW12 bits 31:16, as 16 bits (FUA is 1 << 14) or in place (FUA is 1 << 30)\n"  \
	"cb: called at completion with (cdw0, status1)\n"                                         \
	"mbuf: Buffer for separate metadata\n"                                                    \
	"Returns the qpair, at once: its waitdone() waits."

const char py_ns_read_doc[] =
	"read" TRANSFER_SIGNATURE "Read (NVM 1.1, 3.3.4).\n\n" TRANSFER_PARAMETERS;

PyObject *py_ns_read(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	TRANSFER_SPEC("read");
	return transfer(obj, &spec, args, nargs, kwnames, NVME_CMD_READ, NVME_REQ_CHECK);
}

const char py_ns_write_doc[] =
	"write" TRANSFER_SIGNATURE
	"Write (NVM 1.1, 3.3.6). Stamps every LBA in buf: its number first, a token last.\n\n" //
	TRANSFER_PARAMETERS;

PyObject *py_ns_write(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	TRANSFER_SPEC("write");
	return transfer(obj, &spec, args, nargs, kwnames, NVME_CMD_WRITE, NVME_REQ_STAMP);
}

const char py_ns_compare_doc[] =
	"compare" TRANSFER_SIGNATURE "Compare (NVM 1.1, 3.3.1).\n\n" TRANSFER_PARAMETERS;

PyObject *py_ns_compare(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	TRANSFER_SPEC("compare");
	return transfer(obj, &spec, args, nargs, kwnames, NVME_CMD_COMPARE, 0);
}

/* write_zeroes, verify */
static PyObject *without_data(PyObject *obj, const struct args_spec *spec, PyObject *const *args,
			      Py_ssize_t nargs, PyObject *kwnames, uint8_t opcode)
{
	struct py_ns *self = (struct py_ns *)obj;
	struct range range = { 0 };
	PyObject *arg[5];

	if (args_bind(spec, args, nargs, kwnames, arg) ||
	    parse_range(self, arg[0], arg[1], arg[2], &range) ||
	    parse_io_flags(arg[3], &range.cdw12_hi) || arg_callable(arg[4], "cb", &range.cb))
		return NULL;
	return send_range(self, opcode, &range, 0, NULL);
}

const char py_ns_write_zeroes_doc[] =
	"write_zeroes($self, /, qpair, lba, lba_count=1, io_flags=0, cb=None)\n--\n\n"
	"Write Zeroes (NVM 1.1, 3.3.8). Deallocate (DEAC) is 1 << 9 of io_flags.\n\n"
	"Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_write_zeroes(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			     PyObject *kwnames)
{
	ARGS_SPEC(spec, "write_zeroes", 2, 5, "qpair", "lba", "lba_count", "io_flags", "cb");
	return without_data(obj, &spec, args, nargs, kwnames, NVME_CMD_WRITE_ZEROES);
}

const char py_ns_verify_doc[] =
	"verify($self, /, qpair, lba, lba_count=1, io_flags=0, cb=None)\n--\n\n"
	"Verify (NVM 1.1, 3.3.5): the device reads without a transfer.\n\n"
	"Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_verify(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "verify", 2, 5, "qpair", "lba", "lba_count", "io_flags", "cb");
	return without_data(obj, &spec, args, nargs, kwnames, NVME_CMD_VERIFY);
}

const char py_ns_write_uncorrectable_doc[] =
	"write_uncorrectable($self, /, qpair, lba, lba_count=1, cb=None)\n--\n\n"
	"Write Uncorrectable (NVM 1.1, 3.3.7): later reads of the LBAs fail with 02/81.\n\n"
	"Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_write_uncorrectable(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
				    PyObject *kwnames)
{
	ARGS_SPEC(spec, "write_uncorrectable", 2, 4, "qpair", "lba", "lba_count", "cb");
	struct py_ns *self = (struct py_ns *)obj;
	struct range range = { 0 };
	PyObject *arg[4];

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    parse_range(self, arg[0], arg[1], arg[2], &range) ||
	    arg_callable(arg[3], "cb", &range.cb))
		return NULL;
	return send_range(self, NVME_CMD_WRITE_UNCORRECTABLE, &range, 0, NULL);
}

const char py_ns_copy_doc[] =
	"copy($self, /, qpair, buf, range_count, dlba, io_flags=0, cb=None)\n--\n\n"
	"Copy (NVM 1.1, 3.3.2), descriptor format 0, to dlba on.\n\n"
	"buf: source ranges, written by Buffer.set_copy_range()\n"
	"range_count: 1..256\n"
	"Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_copy(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "copy", 4, 6, "qpair", "buf", "range_count", "dlba", "io_flags", "cb");
	struct py_ns *self = (struct py_ns *)obj;
	struct py_qpair *qpair;
	struct py_buffer *buf;
	uint64_t count = 0, dlba = 0;
	uint32_t cdw12_hi = 0;
	PyObject *arg[6], *cb;
	struct py_req *r;

	if (args_bind(&spec, args, nargs, kwnames, arg))
		return NULL;
	qpair = py_ns_qpair(self, arg[0]);
	buf = qpair ? arg_object(arg[1], self->state->buffer_type, "buf", "Buffer") : NULL;
	if (!buf || arg_range(arg[2], "range_count", 1, NVME_COPY_RANGES_MAX, &count) ||
	    arg_uint(arg[3], "dlba", UINT64_MAX, &dlba) || parse_io_flags(arg[4], &cdw12_hi) ||
	    arg_callable(arg[5], "cb", &cb))
		return NULL;
	r = py_ns_req(self, cb);
	if (!r)
		return NULL;
	if (check_size(buf, "buf", count * sizeof(struct nvme_copy_range))) {
		py_req_put(self->state, r);
		return NULL;
	}
	py_req_hold(r, buf, NULL);
	nvme_cmd_copy(&r->req, r->ns, py_buffer_data(buf), (uint32_t)count, dlba, cdw12_hi, 0);
	return py_qpair_submit(qpair, r);
}
