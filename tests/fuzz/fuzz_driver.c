// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host driver and a device that says anything at any time: see liar.h. The bytes begin with
 * what kind of device it is, then comes what a script does with it.
 */
#include "driver_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "base/log.h"
#include "nvme/cmdlog/cmdlog.h"

#define SLOTS 8u /* of the recorder: more queues than there are at a time */

/* First byte of an input. */
#define HAS_CAP	  0x01u
#define HAS_ID	  0x02u
#define HAS_NS	  0x04u
#define OWN_INIT  0x08u
#define TRAPPED	  0x10u
#define CTRL_DIES 0x20u /* the controller's own reference goes first */

static int64_t at_rest[COUNT_KINDS];

/*
 * A slot of the recorder in shared memory is used again, a private one is mapped each time. The
 * file itself is not needed.
 */
static void warm_recorder(void)
{
	struct nvme_cmdlog_queue *slots[SLOTS];
	char folder[] = "/tmp/fuzz-driver-XXXXXX";
	struct nvme_ctrl ctrl = { .addr = "liar" };

	if (!mkdtemp(folder))
		return;
	setenv("PYNVME_CMDLOG_DIR", folder, 1);
	for (size_t i = 0; i < SLOTS; i++)
		slots[i] = nvme_cmdlog_open(&ctrl, 0, NVME_ADMIN_CIDS);
	for (size_t i = 0; i < SLOTS; i++)
		nvme_cmdlog_close(slots[i]);
	unlink(nvme_cmdlog_path());
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t nothing[1];

	log_set_level(LOG_LEVEL_ERROR);
	if (rig_memory())
		return 1;
	/* What is made once, at the first use. */
	warm_recorder();
	LLVMFuzzerTestOneInput(nothing, sizeof(nothing));
	for (enum count_kind kind = 0; kind < COUNT_KINDS; kind++)
		at_rest[kind] = count_get(kind);
	return 0;
}

/* A bring-up of the script's own, in any order. */
static int own_init(struct nvme_ctrl *ctrl, void *priv)
{
	struct rig *r = priv;
	int err = 0;

	for (int steps = 0; steps < 8 && !err; steps++) {
		uint8_t op = input_u8(r->in);

		switch (op & 7) {
		case 0:
			err = nvme_ctrl_setup_adminq(ctrl);
			break;
		case 1:
			err = nvme_ctrl_enable(ctrl, op & 8 ? input_u32(r->in) : 0);
			break;
		case 2:
			err = nvme_ctrl_wait_ready(ctrl, !(op & 8));
			break;
		case 3:
			err = nvme_ctrl_identify(ctrl);
			break;
		case 4:
			err = nvme_ctrl_init_queues(ctrl);
			break;
		case 5:
			err = nvme_ctrl_post_aers(ctrl);
			break;
		case 6:
			err = nvme_ctrl_poke32(ctrl, NVME_REG_CC, input_u32(r->in));
			break;
		case 7:
			return op & 8 ? err_set(-EIO, "the script has enough") : 0;
		}
	}
	return err;
}

static void set_up_device(struct rig *r, uint8_t how)
{
	struct liar *liar = r->liar;

	liar_init(liar, r->in);
	liar->lies = input_u8(r->in);
	liar->quirks = input_u8(r->in);
	if (how & HAS_CAP) {
		liar->cap = input_u64(r->in);
		liar->vs = input_u32(r->in);
		liar->crto = input_u32(r->in);
		liar->csts = input_u8(r->in);
		liar->cc = liar->csts & 1;
	}
	if (how & HAS_ID)
		input_bytes(r->in, &liar->id, r->in->left < 600 ? 128 : 600);
	if (how & HAS_NS)
		input_bytes(r->in, &liar->id_ns, 192);
	if (how & TRAPPED)
		liar->bus.doorbells = NULL;
	if (liar->quirks & LIAR_IRQS)
		liar->bus.irq_max = 2;
}

static int open_rig(struct rig *r, uint8_t how)
{
	struct nvme_ctrl_opts opts = {
		.init = how & OWN_INIT ? own_init : NULL,
		.init_priv = r,
		.time = &liar_time,
		.time_priv = r->liar,
	};

	return nvme_ctrl_open_bus(&r->ctrl, &r->liar->bus, &opts);
}

static void close_rig(struct rig *r, uint8_t how)
{
	if (how & CTRL_DIES)
		nvme_ctrl_put(r->ctrl);
	for (size_t i = 0; i < RIG_QUEUES; i++)
		rig_delete_queue(r, i);
	for (size_t i = 0; i < RIG_NAMESPACES; i++)
		nvme_ns_put(r->ns[i]);
	if (!(how & CTRL_DIES))
		nvme_ctrl_put(r->ctrl);
	for (size_t i = 0; i < RIG_REQS; i++) {
		if (r->reqs[i].busy)
			liar_fail("a request never ended");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct liar liar;
	static struct rig rig;
	struct input in = { data, size };
	uint8_t how = input_u8(&in);

	rig = (struct rig){ .liar = &liar, .in = &in };
	atomic_store(&nvme_config.verify, false);
	set_up_device(&rig, how);
	if (!open_rig(&rig, how)) {
		atomic_store(&rig.ctrl->timeout_ms, 1000);
		while (in.left)
			rig_act(&rig);
		close_rig(&rig, how);
	}
	if (!liar.closed)
		liar_fail("its bus was never closed");
	for (enum count_kind kind = 0; kind < COUNT_KINDS && at_rest[COUNT_CHUNKS]; kind++) {
		if (count_get(kind) == at_rest[kind])
			continue;
		fprintf(stderr, "%s: %lld, %lld at rest\n", count_name(kind),
			(long long)count_get(kind), (long long)at_rest[kind]);
		liar_fail("something was not given back");
	}
	return 0;
}
