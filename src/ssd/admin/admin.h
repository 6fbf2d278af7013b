/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * admin.h - the tables that admin commands, log pages and features are entered in.
 */
#ifndef PYNVME_SSD_ADMIN_ADMIN_H
#define PYNVME_SSD_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ssd/cmd.h"

/**
 * struct ssd_op - a line of the table of admin or IO commands
 * @fn: NULL: the opcode is not supported
 * @effects: NVME_EFFECTS_*, for log page 05h, CSUPP set by the table
 * @flags: SSD_OP_* below
 */
struct ssd_op {
	ssd_cmd_fn *fn;
	uint32_t effects;
	uint32_t flags;
};

#define SSD_OP_SANITIZE 0x1u /* allowed while a sanitize operation runs */
#define SSD_OP_ANY_NS	0x2u /* IO: NSID FFFFFFFFh is for the handler */
#define SSD_OP_PCIE	0x4u /* not over fabrics */
#define SSD_OP_FABRICS	0x8u /* only there */

/* What this controller does with the opcode; .fn is NULL: it is not supported. */
const struct ssd_op *ssd_admin_op(const struct ssd_ctrl *ctrl, uint8_t opcode);
extern const struct ssd_op ssd_io_ops[256];

/**
 * struct ssd_log - a log page as it was built for one command
 * @data: calloc()ed by the builder, freed by the caller
 */
struct ssd_log {
	uint8_t *data;
	size_t len;
};

/* Fill @log for the Get Log Page command @c; 0 or NVME_SC_*. */
typedef uint16_t ssd_log_fn(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log);

/* @log->data of @len zero bytes; 0 or NVME_SC_INTERNAL_ERROR. For builders. */
uint16_t ssd_log_alloc(struct ssd_log *log, size_t len);

ssd_log_fn ssd_log_supported_pages, ssd_log_error, ssd_log_smart, ssd_log_fw_slot;
ssd_log_fn ssd_log_changed_ns, ssd_log_effects, ssd_log_self_test;
ssd_log_fn ssd_log_telemetry_host, ssd_log_telemetry_ctrl, ssd_log_persistent;
ssd_log_fn ssd_log_feature_effects, ssd_log_sanitize;

/**
 * struct ssd_feature - a line of the table of features
 * @caps: NVME_SEL_CAP_*
 * @mask: bits of CDW11 that are kept in ssd_features.current
 * @def: value from the factory
 * @set: checks and effects beyond storing CDW11 (c->sqe.cdw11 may be changed); NULL: store
 * @get: the value that SEL asks for (not capabilities), with c->cdw0 set or data transferred;
 *       NULL: the stored dword
 */
struct ssd_feature {
	uint32_t caps;
	uint32_t mask;
	uint32_t def;
	ssd_cmd_fn *set;
	ssd_cmd_fn *get;
};

/* NULL: this controller does not have it. */
const struct ssd_feature *ssd_feature(const struct ssd_ctrl *ctrl, uint8_t fid);

ssd_cmd_fn ssd_feature_set_power, ssd_feature_get_power, ssd_feature_set_hctm;
ssd_cmd_fn ssd_feature_set_threshold, ssd_feature_get_threshold;
ssd_cmd_fn ssd_feature_set_lba_range, ssd_feature_get_lba_range;
ssd_cmd_fn ssd_feature_set_apst, ssd_feature_get_apst;
ssd_cmd_fn ssd_feature_set_hmb, ssd_feature_get_hmb;
ssd_cmd_fn ssd_feature_set_timestamp, ssd_feature_get_timestamp;
ssd_cmd_fn ssd_feature_set_behavior, ssd_feature_get_behavior;
ssd_cmd_fn ssd_feature_set_host_id, ssd_feature_get_host_id;

#endif
