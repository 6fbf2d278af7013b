/* SPDX-License-Identifier: BSD-3-Clause */
#include "pyext/cmdlog/record.h"

#include "nvme/cmdlog/cmdlog.h"
#include "nvme/qpair.h"

PyObject *py_records(struct nvme_qpair *q)
{
	unsigned int max = NVME_CMDLOG_RECORDS + (q ? q->ntrackers : 0), count;
	struct nvme_cmdlog_record *records;
	PyObject *bytes;

	if (!q || !q->log)
		return PyBytes_FromStringAndSize(NULL, 0);
	records = PyMem_Calloc(max, sizeof(*records));
	if (!records)
		return PyErr_NoMemory();
	count = nvme_cmdlog_read(q->log, records, max);
	bytes = PyBytes_FromStringAndSize((const char *)records,
					  (Py_ssize_t)(count * sizeof(*records)));
	PyMem_Free(records);
	return bytes;
}
