#include "base/counts.h"

_Atomic int64_t counts_live[COUNT_KINDS];

const char *count_name(enum count_kind kind)
{
	static const char *const names[COUNT_KINDS] = {
		[COUNT_REQUESTS] = "requests",
		[COUNT_CHUNKS] = "chunks",
		[COUNT_FDS] = "fds",
		[COUNT_THREADS] = "threads",
		[COUNT_RECORDER_SLOTS] = "recorder_slots",
		[COUNT_BUSES] = "buses",
		[COUNT_CTRLS] = "ctrls",
		[COUNT_QPAIRS] = "qpairs",
	};

	return names[kind];
}
