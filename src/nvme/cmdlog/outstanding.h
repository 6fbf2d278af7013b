/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outstanding.h - what every queue of this process waits for, said from a signal handler.
 */
#ifndef PYNVME_NVME_CMDLOG_OUTSTANDING_H
#define PYNVME_NVME_CMDLOG_OUTSTANDING_H

#include <stdint.h>

/**
 * nvme_cmdlog_write_outstanding() - lines for people, a queue after the other, oldest first
 * @fd: where to; what cannot be written is lost
 * @now_ns: base/clock.h
 *
 * Async-signal-safe, and takes no lock: whoever hangs may hold them all. The Asynchronous Event
 * Requests, which wait by nature, are only counted.
 */
void nvme_cmdlog_write_outstanding(int fd, uint64_t now_ns);

#endif
