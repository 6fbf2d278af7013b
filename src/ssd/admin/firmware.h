/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * firmware.h - firmware slots and the image being downloaded (Base 2.1 sections 5.1.8, 5.1.9).
 *
 * An image is valid if it begins with struct ssd_firmware_header; `pynvme sim firmware` makes
 * one. Activation shows as another Firmware Revision, nothing else changes; a slot is copied to
 * what runs by an activation, and by a power cycle, which has nothing else to start from.
 */
#ifndef PYNVME_SSD_ADMIN_FIRMWARE_H
#define PYNVME_SSD_ADMIN_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

#define SSD_FW_SLOTS	 3
#define SSD_FW_MAX_BYTES (16u << 20)
#define SSD_FW_MAGIC	 "PYNVMEFW"
#define SSD_FW_RANGES	 4096

struct ssd;

/**
 * struct ssd_firmware_header - at offset 0 of an image
 * @bytes: of the whole image, this header included
 * @crc: CRC32C of everything behind this field
 */
struct ssd_firmware_header {
	char magic[8];
	uint32_t bytes;
	uint32_t crc;
	char fr[8];
	uint8_t rsvd24[40];
};

struct ssd_firmware_range {
	uint32_t from;
	uint32_t to;
};

struct ssd_firmware {
	char fr[SSD_FW_SLOTS][8]; /* zeros: empty slot */
	char running[8];	  /* a replaced image does not change what runs */
	uint8_t active;		  /* slot that @running came from, one-based */
	uint8_t next;		  /* to activate at the next reset; 0: none */
	uint8_t *image;
	size_t room;
	struct ssd_firmware_range *ranges; /* what was downloaded */
	unsigned int nranges;
};

void ssd_firmware_init(struct ssd *ssd);
void ssd_firmware_fini(struct ssd *ssd);
/* Any controller level reset: the download is forgotten, a committed slot becomes active. */
void ssd_firmware_reset(struct ssd *ssd);
/* Loss of power: what will run is what is in the active slot. */
void ssd_firmware_power(struct ssd *ssd);

#endif
