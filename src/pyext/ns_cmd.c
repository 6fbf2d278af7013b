/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_cmd.c - the commands of a Namespace that name no range of LBAs: flush, dsm, any other.
 */
#include "pyext/ns.h"

#include "nvme/cmd.h"
#include "nvme/ns.h"
#include "pyext/args.h"
#include "pyext/qpair.h"
#include "pyext/request.h"

#define DSM_RANGES_MAX 256u

const char py_ns_flush_doc[] = "flush($self, /, qpair, cb=None)\n--\n\n"
			       "Flush (Base 2.1, 7.2): what was acknowledged becomes durable.\n\n"
			       "Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_flush(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "flush", 1, 2, "qpair", "cb");
	struct py_ns *self = (struct py_ns *)obj;
	struct py_qpair *qpair;
	PyObject *arg[2], *cb;
	struct py_req *r;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_callable(arg[1], "cb", &cb))
		return NULL;
	qpair = py_ns_qpair(self, arg[0]);
	if (!qpair)
		return NULL;
	r = py_ns_req(self, cb);
	if (!r)
		return NULL;
	nvme_cmd_flush(&r->req, r->ns);
	return py_qpair_submit(qpair, r);
}

const char py_ns_dsm_doc[] = "dsm($self, /, qpair, buf, range_count, attribute=4, cb=None)\n--\n\n"
			     "Dataset Management (NVM 1.1, 3.3.3).\n\n"
			     "buf: ranges, written by Buffer.set_dsm_range()\n"
			     "range_count: 1..256\n"
			     "attribute: CDW11; 4 deallocates\n"
			     "Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_dsm(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "dsm", 3, 5, "qpair", "buf", "range_count", "attribute", "cb");
	struct py_ns *self = (struct py_ns *)obj;
	struct py_qpair *qpair;
	struct py_buffer *buf;
	uint32_t attribute = 4;
	uint64_t count = 0;
	PyObject *arg[5], *cb;
	struct py_req *r;

	if (args_bind(&spec, args, nargs, kwnames, arg))
		return NULL;
	qpair = py_ns_qpair(self, arg[0]);
	buf = qpair ? arg_object(arg[1], self->state->buffer_type, "buf", "Buffer") : NULL;
	if (!buf || arg_range(arg[2], "range_count", 1, DSM_RANGES_MAX, &count) ||
	    arg_u32(arg[3], "attribute", &attribute) || arg_callable(arg[4], "cb", &cb))
		return NULL;
	r = py_ns_req(self, cb);
	if (!r)
		return NULL;
	if (buf->size < count * sizeof(struct nvme_dsm_range)) {
		py_req_put(self->state, r);
		return py_fail(PyExc_AssertionError, "buf has %zu bytes, %llu ranges need %zu",
			       buf->size, (unsigned long long)count,
			       (size_t)count * sizeof(struct nvme_dsm_range));
	}
	py_req_hold(r, buf, NULL);
	nvme_cmd_dsm(&r->req, r->ns, py_buffer_data(buf), (uint32_t)count, attribute);
	return py_qpair_submit(qpair, r);
}

const char py_ns_send_cmd_doc[] =
	"send_cmd($self, /, opcode, qpair, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, "
	"cdw14=0, cdw15=0, cb=None)\n--\n\n"
	"Send any IO command, known or not, exactly as given; nsid too.\n\n"
	"opcode: bits 9:8 are FUSE of command dword 0: 5 | 1 << 8 is the first of a fused pair\n"
	"buf: Buffer whose transferred part the data pointer covers (PRP)\n"
	"cb: called at completion with (cdw0, status1)\n"
	"Returns the qpair, at once: its waitdone() waits.";

PyObject *py_ns_send_cmd(PyObject *obj, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ARGS_SPEC(spec, "send_cmd", 2, 11, "opcode", "qpair", "buf", "nsid", "cdw10", "cdw11",
		  "cdw12", "cdw13", "cdw14", "cdw15", "cb");
	struct py_ns *self = (struct py_ns *)obj;
	struct py_qpair *qpair;
	struct py_buffer *buf;
	uint32_t dwords[7] = { 0 };
	uint64_t opcode = 0;
	PyObject *arg[11], *cb;
	struct py_req *r;
	unsigned int i;

	if (args_bind(&spec, args, nargs, kwnames, arg) ||
	    arg_uint(arg[0], "opcode", PY_OPCODE_MAX, &opcode) ||
	    arg_buffer(self->state, arg[2], "buf", &buf) || arg_callable(arg[10], "cb", &cb))
		return NULL;
	qpair = py_ns_qpair(self, arg[1]);
	if (!qpair)
		return NULL;
	for (i = 0; i < 7; i++)
		if (arg_u32(arg[3 + i], spec.names[3 + i], &dwords[i]))
			return NULL;
	r = py_req_get(self->state, cb);
	if (!r)
		return NULL;
	py_req_hold(r, buf, NULL);
	nvme_cmd_raw(&r->req, (uint8_t)opcode, dwords[0], buf ? py_buffer_data(buf) : NULL,
		     buf ? (uint32_t)buf->size : 0, &dwords[1]);
	r->req.sqe.flags = (uint8_t)(opcode >> 8);
	return py_qpair_submit(qpair, r);
}
