/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/assoc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "target/server.h"
#include "target/subsys.h"

/* Base 2.1 section 3.1.3.3: without Keep Alive a discovery controller ends when nothing comes */
#define DISCOVERY_IDLE_NS (120ull * 1000000000ull)

static int make_ctrl(struct assoc *as, uint32_t kato_ms, uint64_t now_ns)
{
	struct subsys *sub = as->sub;
	int rc;

	if (!sub->ssd) {
		as->discovery.kato_ms = ssd_kato_round_ms(kato_ms);
		as->cntlid = server_discovery_cntlid(as->target);
		return 0;
	}
	now_ns = subsys_enter(sub, now_ns);
	rc = ssd_ctrl_create(&as->ctrl, sub->ssd, &sub->fabrics, now_ns);
	if (!rc) {
		ssd_ctrl_set_kato_ms(as->ctrl, kato_ms);
		ssd_ctrl_set_host_id(as->ctrl, as->hostid);
		as->cntlid = ssd_ctrl_id(as->ctrl);
	}
	subsys_leave(sub);
	return rc;
}

int assoc_begin(struct assoc **out, struct target *target, struct subsys *sub, const char *hostnqn,
		const uint8_t hostid[16], uint32_t kato_ms, uint64_t now_ns)
{
	struct assoc *as = calloc(1, sizeof(*as));
	int rc;

	if (!as)
		return -ENOMEM;
	as->sub = sub;
	as->target = target;
	as->refs = 1;
	atomic_init(&as->alive_ns, now_ns);
	memcpy(as->hostid, hostid, sizeof(as->hostid));
	snprintf(as->hostnqn, sizeof(as->hostnqn), "%s", hostnqn);
	rc = make_ctrl(as, kato_ms, now_ns);
	if (rc) {
		free(as);
		return rc;
	}
	server_lock(target);
	list_add_tail(server_assocs(target), &as->node);
	server_unlock(target);
	*out = as;
	return 0;
}

struct assoc *assoc_get(struct target *target, const struct subsys *sub, uint16_t cntlid)
{
	struct list_node *head = server_assocs(target);
	struct assoc *found = NULL;

	server_lock(target);
	for (struct list_node *n = head->next; n != head && !found; n = n->next) {
		struct assoc *as = list_entry(n, struct assoc, node);

		if (as->sub == sub && as->cntlid == cntlid && !atomic_load(&as->dead))
			found = as;
	}
	if (found)
		found->refs++;
	server_unlock(target);
	return found;
}

void assoc_put(struct assoc *as)
{
	bool last;

	server_lock(as->target);
	last = !--as->refs;
	if (last)
		list_del(&as->node);
	server_unlock(as->target);
	if (!last)
		return;
	if (as->ctrl) {
		subsys_enter(as->sub, 0);
		ssd_ctrl_destroy(as->ctrl);
		subsys_leave(as->sub);
	}
	free(as);
}

void assoc_end(struct assoc *as)
{
	atomic_store(&as->dead, true);
	server_wake(as->target);
}

void assoc_reset(struct assoc *as)
{
	atomic_fetch_add(&as->epoch, 1);
	server_wake(as->target);
}

bool assoc_take_queue(struct assoc *as, uint16_t qid)
{
	bool taken;

	server_lock(as->target);
	taken = as->queues >> qid & 1;
	as->queues |= 1ull << qid;
	server_unlock(as->target);
	return !taken;
}

void assoc_release_queue(struct assoc *as, uint16_t qid)
{
	server_lock(as->target);
	as->queues &= ~(1ull << qid);
	server_unlock(as->target);
}

/*
 * How long nothing may come. The Keep Alive Timer runs while the controller is ready (Base 2.1
 * section 3.9): before and after that, a host that is gone is found by its connection.
 */
static uint64_t limit_ns(struct assoc *as, bool *lost)
{
	uint64_t kato_ms = as->discovery.kato_ms;
	bool ready;

	if (!as->ctrl)
		return kato_ms && discovery_ready(&as->discovery) ? kato_ms * 1000000 :
								    DISCOVERY_IDLE_NS;
	subsys_enter(as->sub, 0);
	kato_ms = ssd_ctrl_kato_ms(as->ctrl);
	ready = ssd_ctrl_ready(as->ctrl);
	*lost = ssd_ctrl_lost(as->ctrl);
	subsys_leave(as->sub);
	return kato_ms && ready ? kato_ms * 1000000 : UINT64_MAX;
}

void assoc_check(struct assoc *as, uint64_t now_ns)
{
	bool lost = false;
	uint64_t limit = limit_ns(as, &lost);
	uint64_t alive_ns = atomic_load_explicit(&as->alive_ns, memory_order_relaxed);

	/* once it is ready, the timer begins anew */
	if (limit == UINT64_MAX)
		atomic_store_explicit(&as->alive_ns, now_ns, memory_order_relaxed);
	if (!lost && (now_ns < alive_ns || now_ns - alive_ns <= limit))
		return;
	if (!lost)
		log_info("target: host %s: nothing came for %llu ms, the Keep Alive Timeout",
			 as->hostnqn, (unsigned long long)(limit / 1000000));
	if (!lost && as->ctrl) {
		subsys_enter(as->sub, now_ns);
		ssd_ctrl_fail(as->ctrl);
		subsys_leave(as->sub);
	}
	assoc_end(as);
}
