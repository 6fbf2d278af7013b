/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * assoc.h - the association of a host with a subsystem: its controller, its connections.
 *
 * Begins with Connect on the admin queue, ends with that connection, with a Keep Alive that
 * does not come, or with a reset of the subsystem. Each connection holds a reference.
 */
#ifndef PYNVME_TARGET_ASSOC_H
#define PYNVME_TARGET_ASSOC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "ssd/ssd.h"
#include "target/discovery.h"

struct subsys;
struct target;

/**
 * struct assoc
 * @ctrl: NULL: a discovery controller
 * @alive_ns: when anything last came from the host
 * @dead: its connections are to be closed
 * @epoch: rises with every Controller Reset: I/O connections of an older one are to be closed
 * @queues: bit qid: connected; under the target's lock, as @refs and @node
 */
struct assoc {
	struct subsys *sub;
	struct ssd_ctrl *ctrl;
	_Atomic uint64_t alive_ns;
	atomic_bool dead;
	atomic_uint epoch;
	/* cold from here */
	struct target *target;
	struct list_node node;
	unsigned int refs;
	uint64_t queues;
	uint16_t cntlid;
	uint8_t hostid[16];
	char hostnqn[256];
	struct discovery discovery;
};

/**
 * assoc_begin() - a controller for a new host
 * Return: 0, or what ssd_ctrl_create() returns, or -ENOMEM
 */
int assoc_begin(struct assoc **out, struct target *target, struct subsys *sub, const char *hostnqn,
		const uint8_t hostid[16], uint32_t kato_ms, uint64_t now_ns);

/* The living association of @cntlid with one more reference, or NULL. */
struct assoc *assoc_get(struct target *target, const struct subsys *sub, uint16_t cntlid);
void assoc_put(struct assoc *as);

/* All its connections go, in whatever thread they are. */
void assoc_end(struct assoc *as);
/* Its I/O connections go: Controller Reset. */
void assoc_reset(struct assoc *as);

/* Take queue @qid for a connection; false: it is taken. */
bool assoc_take_queue(struct assoc *as, uint16_t qid);
void assoc_release_queue(struct assoc *as, uint16_t qid);

/* Once in a while, by the thread of the admin connection: has it ended by itself? */
void assoc_check(struct assoc *as, uint64_t now_ns);

#endif
