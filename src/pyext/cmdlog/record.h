/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * record.h - command records on their way to Python, which decodes them (nvme/cmdlog.py).
 */
#ifndef PYNVME_PYEXT_CMDLOG_RECORD_H
#define PYNVME_PYEXT_CMDLOG_RECORD_H

#include "pyext/pyext.h"

/* Records of a queue, newest first, struct nvme_cmdlog_record each, as bytes; NULL with an exception. */
PyObject *py_records(struct nvme_qpair *q);

#endif
