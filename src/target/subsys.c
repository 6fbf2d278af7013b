/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/subsys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "spec/fabrics.h"

/* Nothing is behind the drive's PCI function. */
static int no_memory(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	return -EFAULT;
}

static void no_interrupt(void *host, unsigned int vector)
{
}

static const struct ssd_host_ops no_host = { .map = no_memory, .irq = no_interrupt };

static int open_ssd(struct subsys *sub, const char *options, const char *nqn)
{
	int rc = ssd_create(&sub->ssd, options, &no_host, sub, clock_now_ns());

	if (!rc && nqn)
		rc = ssd_set_nqn(sub->ssd, nqn);
	if (rc)
		return rc;
	snprintf(sub->nqn, sizeof(sub->nqn), "%s", ssd_nqn(sub->ssd));
	sub->fabrics = (struct ssd_fabrics){
		.incapsule_bytes = TARGET_INCAPSULE_BYTES,
		.maxcmd = (uint16_t)(ssd_mqes(sub->ssd) - 1),
	};
	return 0;
}

int subsys_create(struct subsys **out, const char *options, const char *nqn)
{
	struct subsys *sub = calloc(1, sizeof(*sub));
	int rc = 0;

	if (!sub)
		return err_set(-ENOMEM, "no memory");
	pthread_mutex_init(&sub->lock, NULL);
	atomic_init(&sub->next_ns, UINT64_MAX);
	if (options)
		rc = open_ssd(sub, options, nqn);
	else
		snprintf(sub->nqn, sizeof(sub->nqn), "%s", NVME_DISCOVERY_NQN);
	if (rc) {
		subsys_destroy(sub);
		return rc;
	}
	*out = sub;
	return 0;
}

void subsys_destroy(struct subsys *sub)
{
	ssd_destroy(sub->ssd);
	pthread_mutex_destroy(&sub->lock);
	free(sub);
}
