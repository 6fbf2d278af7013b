/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Firmware Image Download and Firmware Commit (Base 2.1 sections 5.1.9 and 5.1.8), in order of
 * their checks:
 *
 *   Download	beyond MDTS or 16 MiB	00/02	Commit	action 4..7	00/02
 *		overlapping range	01/14		slot 4..7	01/06
 *							no valid image	01/07
 *
 *   sanitize in progress: 00/1d (admin.c)
 *
 * A download at offset 0 while that is there already begins a new image: the host started over.
 */
#include "ssd/admin/firmware.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "ssd/admin/admin.h"
#include "ssd/device.h"
#include "ssd/admin/pel.h"

_Static_assert(sizeof(struct ssd_firmware_header) == 64, "part of the image format");

/* Padded with spaces, as in Identify, whatever the image has. */
static void set_revision(struct ssd_firmware *fw, uint8_t slot, const char *text)
{
	char *fr = fw->fr[slot - 1];

	memset(fr, ' ', sizeof(fw->fr[0]));
	memcpy(fr, text, strnlen(text, sizeof(fw->fr[0])));
}

static void run_slot(struct ssd_firmware *fw, uint8_t slot)
{
	memcpy(fw->running, fw->fr[slot - 1], sizeof(fw->running));
	fw->active = slot;
	fw->next = 0;
}

void ssd_firmware_init(struct ssd *ssd)
{
	set_revision(&ssd->fw, 1, ssd->opts.fr);
	run_slot(&ssd->fw, 1);
}

void ssd_firmware_power(struct ssd *ssd)
{
	run_slot(&ssd->fw, ssd->fw.active);
}

static void forget_image(struct ssd_firmware *fw)
{
	free(fw->image);
	free(fw->ranges);
	fw->image = NULL;
	fw->ranges = NULL;
	fw->room = 0;
	fw->nranges = 0;
}

void ssd_firmware_fini(struct ssd *ssd)
{
	forget_image(&ssd->fw);
}

void ssd_firmware_reset(struct ssd *ssd)
{
	struct ssd_firmware *fw = &ssd->fw;

	forget_image(fw);
	if (fw->next)
		run_slot(fw, fw->next);
}

static uint16_t make_room(struct ssd_firmware *fw, size_t bytes)
{
	uint8_t *image;

	if (!fw->ranges)
		fw->ranges = calloc(SSD_FW_RANGES, sizeof(*fw->ranges));
	if (!fw->ranges || fw->nranges == SSD_FW_RANGES)
		return NVME_SC_INTERNAL_ERROR;
	if (bytes <= fw->room)
		return 0;
	image = realloc(fw->image, bytes);
	if (!image)
		return NVME_SC_INTERNAL_ERROR;
	memset(image + fw->room, 0, bytes - fw->room);
	fw->image = image;
	fw->room = bytes;
	return 0;
}

static bool overlaps(const struct ssd_firmware *fw, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < fw->nranges; i++)
		if (from < fw->ranges[i].to && to > fw->ranges[i].from)
			return true;
	return false;
}

uint16_t ssd_admin_fw_download(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_firmware *fw = &ssd->fw;
	uint64_t len = ((uint64_t)c->sqe.cdw10 + 1) * 4;
	uint64_t from = (uint64_t)c->sqe.cdw11 * 4;
	uint16_t sc;

	if (len > ssd->mdts_bytes || from + len > SSD_FW_MAX_BYTES) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (!from && overlaps(fw, 0, 4))
		forget_image(fw);
	if (overlaps(fw, from, from + len))
		return NVME_SC_OVERLAPPING_RANGE;
	sc = make_room(fw, from + len);
	if (!sc)
		sc = ssd_data_from_host(ssd, c, fw->image + from, len);
	if (!sc)
		fw->ranges[fw->nranges++] =
			(struct ssd_firmware_range){ (uint32_t)from, (uint32_t)(from + len) };
	return sc;
}

static bool image_valid(const struct ssd_firmware *fw)
{
	const struct ssd_firmware_header *h = (const void *)fw->image;
	const size_t head = offsetof(struct ssd_firmware_header, fr);

	if (fw->room < sizeof(*h) || memcmp(h->magic, SSD_FW_MAGIC, sizeof(h->magic)))
		return false;
	if (h->bytes < sizeof(*h) || h->bytes > fw->room || !h->fr[0])
		return false;
	return h->crc == crc32c(0, fw->image + head, h->bytes - head);
}

/* Slot 0: the drive chooses; replace the one that is not in use, activate the one that is. */
static uint8_t choose_slot(const struct ssd_firmware *fw, bool replace)
{
	return replace ? (uint8_t)(fw->active % SSD_FW_SLOTS + 1) : fw->active;
}

static void activate(struct ssd *ssd, uint8_t slot, bool now)
{
	if (!now) {
		ssd->fw.next = slot;
		return;
	}
	ssd_aer_raise_all(ssd, NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_FW_ACTIVATION,
			  NVME_LOG_FW_SLOT);
	run_slot(&ssd->fw, slot);
}

uint16_t ssd_admin_fw_commit(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_firmware *fw = &ssd->fw;
	uint32_t action = NVME_GET(c->sqe.cdw10, FW_ACTION);
	uint8_t slot = (uint8_t)NVME_GET(c->sqe.cdw10, FW_SLOT);
	bool replace = action <= NVME_FW_ACTION_REPLACE_ACTIVATE;
	uint16_t sc = 0;

	if (action > NVME_FW_ACTION_ACTIVATE_IMMEDIATE) {
		c->error_loc = SSD_LOC(40, NVME_FW_ACTION_SHIFT);
		return NVME_SC_INVALID_FIELD;
	}
	if (slot > SSD_FW_SLOTS)
		return NVME_SC_INVALID_FW_SLOT;
	/* "activate immediately" takes a downloaded image along, if there is one */
	if (action == NVME_FW_ACTION_ACTIVATE_IMMEDIATE && fw->nranges)
		replace = true;
	if (!slot)
		slot = choose_slot(fw, replace);
	if (replace && !image_valid(fw))
		sc = NVME_SC_INVALID_FW_IMAGE;
	else if (replace)
		set_revision(fw, slot, ((struct ssd_firmware_header *)fw->image)->fr);
	else if (!fw->fr[slot - 1][0])
		sc = NVME_SC_INVALID_FW_IMAGE;
	if (replace)
		forget_image(fw);
	ssd_pel_fw_commit(ssd, slot, (uint8_t)action, sc);
	if (!sc && action != NVME_FW_ACTION_REPLACE)
		activate(ssd, slot, action == NVME_FW_ACTION_ACTIVATE_IMMEDIATE);
	return sc;
}

uint16_t ssd_log_fw_slot(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_fw_slot *f;

	if (ssd_log_alloc(log, sizeof(*f)))
		return NVME_SC_INTERNAL_ERROR;
	f = (struct nvme_fw_slot *)log->data;
	f->afi =
		(uint8_t)(NVME_SET(ssd->fw.active, AFI_CURRENT) | NVME_SET(ssd->fw.next, AFI_NEXT));
	memcpy(f->frs, ssd->fw.fr, sizeof(ssd->fw.fr));
	return 0;
}
