/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pi.h - end-to-end protection on the host, 16-bit guard (NVM 1.1 section 5.3).
 */
#ifndef PYNVME_NVME_PI_H
#define PYNVME_NVME_PI_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/ns.h"
#include "nvme/req.h"

/* False: PRACT makes the controller insert and strip metadata that is nothing but PI. */
static inline bool nvme_pi_moves_meta(const struct nvme_ns_format *f, const struct nvme_sqe *sqe)
{
	return !(f->pi_type && f->meta_bytes == sizeof(struct nvme_pi16) &&
		 NVME_GET(sqe->cdw12, RW_PRINFO) & NVME_PRINFO_PRACT);
}

/**
 * nvme_pi_generate() - fill in the protection information of a write's data
 * @meta: separate metadata, NULL where it is interleaved
 *
 * Nothing happens without PI in the format, or where PRACT leaves it to the controller.
 * Tags are those of CDW14 and CDW15.
 */
void nvme_pi_generate(const struct nvme_ns_format *f, const struct nvme_req *req, void *meta);

/**
 * nvme_pi_check() - check what a read brought
 *
 * Checks what PRINFO asks the controller to check, and the guard also when verify is on.
 * Return: 0, or NVME_SC_GUARD_CHECK, NVME_SC_APPTAG_CHECK, NVME_SC_REFTAG_CHECK.
 */
uint16_t nvme_pi_check(const struct nvme_ns_format *f, const struct nvme_req *req,
		       const void *meta);

#endif
