/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx.h - memory of what goes out.
 */
#ifndef PYNVME_NVME_TCP_TX_H
#define PYNVME_NVME_TCP_TX_H

#include <stdbool.h>

#include "nvme/tcp/queue.h"

int nvme_tcp_tx_alloc(struct nvme_tcp_tx *tx, unsigned int ncids);
void nvme_tcp_tx_free(struct nvme_tcp_tx *tx);
/* Nothing is waiting any more. */
void nvme_tcp_tx_rewind(struct nvme_tcp_tx *tx);

/* A PDU may be half gone: nothing else may be sent before its rest. */
static inline bool nvme_tcp_tx_split(const struct nvme_tcp_tx *tx)
{
	return tx->sent != tx->queued;
}

#endif
