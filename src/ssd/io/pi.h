/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pi.h - protection information with the 16-bit guard: NVM 1.1 section 5.3.
 *
 *   guard	CRC of the data, and of the metadata in front of PI that is last: 02/82
 *   tag	application tag under its mask: 02/83
 *   reference	types 1 and 2: rises with the LBA: 02/84; type 3: not checked
 *   all ones	in the application tag (type 3: in both tags): nothing is checked
 */
#ifndef PYNVME_SSD_IO_PI_H
#define PYNVME_SSD_IO_PI_H

#include <stdbool.h>
#include <stdint.h>

struct ssd_ns;
struct ssd_ctx;

#define SSD_PI_BYTES 8u

/**
 * struct ssd_pi - what a command says about protection information
 * @prinfo: NVME_PRINFO_*
 * @reftag: of the first LBA
 */
struct ssd_pi {
	uint32_t prinfo;
	uint32_t reftag;
	uint16_t apptag;
	uint16_t appmask;
};

/* From CDW12, 14 and 15 of read-like and write-like commands. */
struct ssd_pi ssd_pi_of(const struct ssd_ctx *c);

/* 01/81: type 1 wants the reference tag of the LBA, type 3 no reference check. */
uint16_t ssd_pi_check_command(const struct ssd_ns *ns, const struct ssd_pi *pi, uint64_t slba);

/* Does PI stay inside the device: PRACT set, and metadata is nothing but PI? */
bool ssd_pi_stripped(const struct ssd_ns *ns, const struct ssd_pi *pi);

/* Check @nlb LBAs; the first bad one is c->error_lba. 0 or 02/82, 02/83, 02/84. */
uint16_t ssd_pi_check(const struct ssd_ns *ns, struct ssd_ctx *c, const struct ssd_pi *pi,
		      uint64_t slba, uint32_t nlb, const uint8_t *data, const uint8_t *meta);
/* Make PI of @nlb LBAs in @meta. */
void ssd_pi_make(const struct ssd_ns *ns, const struct ssd_pi *pi, uint32_t nlb,
		 const uint8_t *data, uint8_t *meta);

#endif
