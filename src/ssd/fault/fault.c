/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Injected faults. A command is matched once, when it is about to execute; the first rule
 * that hits decides.
 */
#include "ssd/fault/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ssd/device.h"
#include "ssd/io/io.h"
#include "ssd/step.h"

int ssd_fault_add(struct ssd *ssd, const struct ssd_fault *fault)
{
	struct ssd_faults *fs = &ssd->faults;
	struct ssd_fault_rule *rules;

	if ((unsigned int)fault->action >= SSD_FAULT_ACTIONS || fault->opcode > 255 ||
	    !(fault->probability >= 0 && fault->probability <= 1))
		return err_set(-EINVAL, "fault: action %d, opcode %d, probability %g",
			       (int)fault->action, fault->opcode, fault->probability);
	rules = realloc(fs->rules, (fs->n + 1) * sizeof(*rules));
	if (!rules)
		return err_set(-ENOMEM, "fault: no memory");
	fs->rules = rules;
	rules[fs->n].id = ++fs->next_id;
	rules[fs->n].f = *fault;
	rules[fs->n].f.matched = 0;
	rules[fs->n].f.hits = 0;
	ssd->nfaults = ++fs->n;
	fs->nstale += fault->action == SSD_FAULT_STALE;
	return fs->next_id;
}

static int find(const struct ssd_faults *fs, int id)
{
	for (uint32_t i = 0; i < fs->n; i++)
		if (fs->rules[i].id == id)
			return (int)i;
	return -ENOENT;
}

int ssd_fault_del(struct ssd *ssd, int id)
{
	struct ssd_faults *fs = &ssd->faults;
	int i = find(fs, id);

	if (i < 0)
		return err_set(i, "fault: no rule %d", id);
	fs->n--;
	fs->nstale -= fs->rules[i].f.action == SSD_FAULT_STALE;
	memmove(&fs->rules[i], &fs->rules[i + 1], (fs->n - (uint32_t)i) * sizeof(fs->rules[0]));
	ssd->nfaults = fs->n;
	return 0;
}

int ssd_fault_get(const struct ssd *ssd, unsigned int i, int *id, struct ssd_fault *out)
{
	if (i >= ssd->faults.n)
		return -ENOENT;
	*id = ssd->faults.rules[i].id;
	*out = ssd->faults.rules[i].f;
	return 0;
}

void ssd_faults_fini(struct ssd *ssd)
{
	free(ssd->faults.rules);
	ssd->faults = (struct ssd_faults){ 0 };
	ssd->nfaults = 0;
}

/* Does an IO command of this opcode carry SLBA and NLB? */
static bool has_range(const struct ssd_ctx *c)
{
	switch (c->sqe.opc) {
	case NVME_CMD_WRITE:
	case NVME_CMD_READ:
	case NVME_CMD_WRITE_UNCORRECTABLE:
	case NVME_CMD_COMPARE:
	case NVME_CMD_WRITE_ZEROES:
	case NVME_CMD_VERIFY:
		return !(c->flags & SSD_CTX_ADMIN);
	default:
		return false;
	}
}

static bool matches(const struct ssd_fault *f, const struct ssd_ctx *c)
{
	bool admin = c->flags & SSD_CTX_ADMIN;

	if (f->admin >= 0 && (f->admin != 0) != admin)
		return false;
	if (f->opcode >= 0 && f->opcode != c->sqe.opc)
		return false;
	if (f->nsid && f->nsid != c->sqe.nsid)
		return false;
	if (!f->nlb)
		return true;
	if (!has_range(c))
		return false;
	return ssd_io_slba(c) < f->slba + f->nlb && f->slba < ssd_io_slba(c) + ssd_io_nlb(c);
}

/* The rule that hits @c, counted as a hit, or NULL. */
static const struct ssd_fault *match(struct ssd *ssd, const struct ssd_ctx *c)
{
	for (uint32_t i = 0; i < ssd->faults.n; i++) {
		struct ssd_fault *f = &ssd->faults.rules[i].f;

		if (!matches(f, c))
			continue;
		f->matched++;
		if (f->matched < f->nth || (f->times && f->hits >= f->times))
			continue;
		if (f->probability < 1 &&
		    (double)(rand_next(&ssd->rand) >> 11) / (double)(1ull << 53) >= f->probability)
			continue;
		f->hits++;
		ssd->stats.faults_hit++;
		return f;
	}
	return NULL;
}

/* The command is never answered; the whole drive may do something. */
static bool drastic(struct ssd *ssd, struct ssd_ctx *c, enum ssd_fault_action action)
{
	if (action != SSD_FAULT_DROP && action < SSD_FAULT_FATAL)
		return false;
	ssd_ctx_put(ssd, c);
	if (action == SSD_FAULT_FATAL)
		ssd_fatal(c->ctrl);
	else if (action == SSD_FAULT_REMOVE)
		ssd_remove(ssd, ssd->now_ns);
	else if (action == SSD_FAULT_POWER)
		ssd_power(ssd, false, ssd->now_ns);
	return true;
}

bool ssd_fault_before(struct ssd *ssd, struct ssd_ctx *c, uint16_t *status)
{
	const struct ssd_fault *f = match(ssd, c);

	*status = SSD_LATER;
	if (!f)
		return false;
	if (drastic(ssd, c, f->action))
		return true;
	if (f->action == SSD_FAULT_STATUS) {
		*status = f->status & NVME_STATUS_SC11_MASK;
		return true;
	}
	c->fault = (uint8_t)(f->action + 1);
	c->fault_value = f->action == SSD_FAULT_DELAY ? (int64_t)f->delay_ns : f->value;
	return false;
}

bool ssd_fault_completion(struct ssd *ssd, struct ssd_ctx *c)
{
	if (c->fault == SSD_FAULT_DELAY + 1)
		c->latency_ns += (uint64_t)c->fault_value;
	return false;
}

void ssd_fault_cqe(const struct ssd_ctx *c, struct nvme_cqe *cqe)
{
	switch (c->fault - 1) {
	case SSD_FAULT_WRONG_CID:
		cqe->cid = (uint16_t)c->fault_value;
		break;
	case SSD_FAULT_WRONG_SQID:
		cqe->sqid = (uint16_t)c->fault_value;
		break;
	case SSD_FAULT_NO_PHASE:
		cqe->status ^= NVME_STATUS_P_MASK;
		break;
	default:
		break;
	}
}
