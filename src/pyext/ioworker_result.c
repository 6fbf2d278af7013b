/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioworker_result.c - nvme._core.Worker: what came out of it.
 */
#include "pyext/ioworker.h"

#include <math.h>

#include "pyext/args.h"

PyObject *py_worker_progress(PyObject *obj, void *closure)
{
	struct ioworker *w = py_worker_check(obj);
	struct ioworker_progress p;

	if (!w)
		return NULL;
	ioworker_get_progress(w, &p);
	return Py_BuildValue("NdKKK", PyBool_FromLong(p.running), p.percent,
			     (unsigned long long)p.ios, (unsigned long long)p.reads,
			     (unsigned long long)p.bytes);
}

const char py_worker_result_doc[] = "result($self, /)\n--\n\nstruct ioworker_result as a dict.";

PyObject *py_worker_result(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check_ended(obj);
	struct ioworker_result r;
	struct hist *h;
	PyObject *dict;

	if (!w)
		return NULL;
	h = PyMem_Malloc(sizeof(*h));
	if (!h)
		return PyErr_NoMemory();
	ioworker_get_result(w, &r);
	stats_latency(ioworker_stats(w), h);
	dict = Py_BuildValue(
		"{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d,s:N,s:i,s:i,s:s,s:i,s:K}",
		"reads", (unsigned long long)r.reads, "writes", (unsigned long long)r.writes,
		"others", (unsigned long long)r.others, "read_bytes",
		(unsigned long long)r.read_bytes, "write_bytes", (unsigned long long)r.write_bytes,
		"run_ns", (unsigned long long)r.run_ns, "start_ns", (unsigned long long)r.start_ns,
		"stall_ns", (unsigned long long)r.stall_ns, "frozen_ns",
		(unsigned long long)r.frozen_ns, "cpu_ns", (unsigned long long)r.cpu_ns, "max_ns",
		(unsigned long long)hist_max_ns(h), "mean_ns", hist_mean_ns(h), "failed",
		PyBool_FromLong(r.failed), "status", (int)r.status, "fault", (int)r.fault, "why",
		r.why, "left_sqid", (int)r.left_sqid, "nerrors", (unsigned long long)r.nerrors);
	PyMem_Free(h);
	return dict;
}

/* Takes over the reference on @item: 0, or -1. */
static int append(PyObject *list, PyObject *item)
{
	int rc = item ? PyList_Append(list, item) : -1;

	Py_XDECREF(item);
	return rc;
}

/*
 * A list of @n rows. Each of them may run Python code, which may close the worker: every row takes
 * it anew.
 */
static PyObject *list_of(PyObject *obj, uint64_t n,
			 PyObject *(*row)(struct ioworker *w, uint64_t i))
{
	PyObject *list = PyList_New(0);

	for (uint64_t i = 0; list && i < n; i++) {
		struct ioworker *w = py_worker_check_ended(obj);

		if (!w || append(list, row(w, i)))
			Py_CLEAR(list);
	}
	return list;
}

const char py_worker_per_second_doc[] =
	"per_second($self, /)\n--\n\nCommands that ended in each second.";

static PyObject *second(struct ioworker *w, uint64_t i)
{
	return PyLong_FromUnsignedLongLong(ioworker_stats(w)->per_second[i]);
}

PyObject *py_worker_per_second(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check_ended(obj);
	const struct stats *s;
	uint64_t n;

	if (!w)
		return NULL;
	s = ioworker_stats(w);
	/* All seconds of a run of known length, or those that there were. */
	n = s->last_second == UINT64_MAX ? s->second + 1 : s->last_second + 1;
	if (!s->per_second || n > s->room)
		n = 0;
	return list_of(obj, n, second);
}

const char py_worker_opcodes_doc[] =
	"opcodes($self, /)\n--\n\n"
	"For each opcode: (opcode, count, LBAs, min, mean, max, standard\n"
	"deviation), in ns.";

static double deviation(const struct hist *h)
{
	double mean = hist_mean_ns(h), sum = 0, n = 0;
	struct hist_bucket b;
	unsigned int pos = 0;

	while (hist_next(h, &pos, &b)) {
		double mid = (double)b.low_ns + ((double)(b.high_ns - b.low_ns)) / 2 - mean;

		sum += mid * mid * (double)b.count;
		n += (double)b.count;
	}
	return n > 0 ? sqrt(sum / n) : 0;
}

static PyObject *opcode_row(struct ioworker *w, uint64_t i)
{
	const struct stats_op *op = &ioworker_stats(w)->ops[i];
	uint32_t n;

	return Py_BuildValue("iKKKdKd", (int)ioworker_opcodes(w, &n)[i],
			     (unsigned long long)op->count, (unsigned long long)op->lbas,
			     (unsigned long long)hist_min_ns(&op->latency),
			     hist_mean_ns(&op->latency),
			     (unsigned long long)hist_max_ns(&op->latency),
			     deviation(&op->latency));
}

PyObject *py_worker_opcodes(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check_ended(obj);
	uint32_t n = 0;

	if (!w)
		return NULL;
	ioworker_opcodes(w, &n);
	return list_of(obj, n, opcode_row);
}

/* Latencies of one opcode, or of all for None; to be freed. NULL with an exception. */
static struct hist *latencies(PyObject *worker, PyObject *opcode)
{
	const uint8_t *opcodes;
	struct ioworker *w;
	uint64_t wanted = 0;
	uint32_t n = 0;
	struct hist *h;

	if (arg_uint(arg_or_null(opcode), "opcode", 0xff, &wanted) ||
	    !(w = py_worker_check_ended(worker)))
		return NULL;
	h = PyMem_Malloc(sizeof(*h));
	if (!h) {
		PyErr_NoMemory();
		return NULL;
	}
	if (!arg_or_null(opcode)) {
		stats_latency(ioworker_stats(w), h);
		return h;
	}
	hist_init(h);
	opcodes = ioworker_opcodes(w, &n);
	for (uint32_t i = 0; i < n; i++)
		if (opcodes[i] == wanted)
			hist_merge(h, &ioworker_stats(w)->ops[i].latency);
	return h;
}

const char py_worker_percentile_doc[] =
	"percentile($self, /, percent, opcode=None)\n--\n\n"
	"Latency in ns that so many per cent of the commands do not exceed.";

PyObject *py_worker_percentile(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			       PyObject *kwnames)
{
	ARGS_SPEC(spec, "percentile", 1, 2, "percent", "opcode");
	double percent = 0;
	PyObject *arg[2];
	struct hist *h;
	uint64_t ns;

	if (args_bind(&spec, args, nargs, kwnames, arg) || arg_double(arg[0], "percent", &percent))
		return NULL;
	if (!(percent > 0 && percent <= 100))
		return py_fail(PyExc_ValueError, "a percentile must be above 0 and at most 100");
	h = latencies(obj, arg[1]);
	if (!h)
		return NULL;
	ns = hist_percentile_ns(h, percent);
	PyMem_Free(h);
	return PyLong_FromUnsignedLongLong(ns);
}

const char py_worker_latencies_doc[] =
	"latencies($self, /, opcode=None)\n--\n\n"
	"The histogram: (lowest ns, highest ns, count) of every bucket in use.";

PyObject *py_worker_latencies(PyObject *obj, PyObject *const *args, Py_ssize_t nargs,
			      PyObject *kwnames)
{
	ARGS_SPEC(spec, "latencies", 0, 1, "opcode");
	struct hist_bucket b;
	unsigned int pos = 0;
	PyObject *arg[1], *list;
	struct hist *h;

	if (args_bind(&spec, args, nargs, kwnames, arg))
		return NULL;
	h = latencies(obj, arg[0]);
	list = h ? PyList_New(0) : NULL;
	while (list && hist_next(h, &pos, &b))
		if (append(list, Py_BuildValue("KKK", (unsigned long long)b.low_ns,
					       (unsigned long long)b.high_ns,
					       (unsigned long long)b.count)))
			Py_CLEAR(list);
	PyMem_Free(h);
	return list;
}

const char py_worker_recent_doc[] =
	"recent($self, /)\n--\n\n"
	"The last commands that ended well, oldest first: (slba, nlb, opcode).";

static PyObject *recent(struct ioworker *w, uint64_t i)
{
	const struct stats_recent *r = stats_get_recent(ioworker_stats(w), i);

	return Py_BuildValue("KIi", (unsigned long long)r->slba, (unsigned int)r->nlb,
			     (int)r->opcode);
}

PyObject *py_worker_recent(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check_ended(obj);

	return w ? list_of(obj, stats_nrecent(ioworker_stats(w)), recent) : NULL;
}

const char py_worker_errors_doc[] =
	"errors($self, /)\n--\n\n"
	"Failures in detail: (record of the command log, status that the host found\n"
	"instead or 0, mismatch), where mismatch is None or (LBA, stamp, token, expected CRC, CRC, bad LBAs, first bytes).";

static PyObject *mismatch_of(const struct ioworker_error *e)
{
	if (!e->mismatch)
		return Py_NewRef(Py_None);
	return Py_BuildValue("KKKIIIy#", (unsigned long long)e->miss.lba,
			     (unsigned long long)e->miss.stamp, (unsigned long long)e->miss.token,
			     (unsigned int)e->miss.crc_expected, (unsigned int)e->miss.crc_got,
			     (unsigned int)e->miss.bad_lbas, (const char *)e->data,
			     (Py_ssize_t)sizeof(e->data));
}

static PyObject *error_row(struct ioworker *w, uint64_t i)
{
	struct ioworker_error e = *ioworker_get_error(w, (uint32_t)i);

	return Py_BuildValue("y#iN", (const char *)&e.record, (Py_ssize_t)sizeof(e.record),
			     (int)e.judged, mismatch_of(&e));
}

PyObject *py_worker_errors(PyObject *obj, PyObject *unused)
{
	struct ioworker *w = py_worker_check_ended(obj);
	uint32_t n = 0;

	if (!w)
		return NULL;
	while (ioworker_get_error(w, n))
		n++;
	return list_of(obj, n, error_row);
}
