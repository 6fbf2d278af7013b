/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shim.c - the software SSD behind /dev/nvme0 for a program that knows Linux's ioctl alone.
 *
 * Preloaded into nvme-cli, it answers open() of the device with a file that is a character
 * device, and passes admin ioctls to a drive with a past: data was written, commands failed,
 * a self-test, a firmware commit and a sanitize operation are over. So nvme-cli's and
 * libnvme's decoders read what our device says.
 *
 * NVME_SHIM: options of the drive.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "ssd/admin/firmware.h"
#include "ssd/ssd.h"

#define PUBLIC	  __attribute__((visibility("default")))
#define DEVICE	  "/dev/nvme0"
#define MINUTE_NS 60000000000ull

/* what _FORTIFY_SOURCE makes of an open() without a mode */
int open64_checked(const char *path, int flags) __asm__("__open64_2");

static struct ssd *drive;
static uint64_t now_ns = 1000;
static int drive_fd = -1;
static bool finished;

static int no_map(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	return -EFAULT;
}

static void no_irq(void *host, unsigned int vector)
{
}

static const struct ssd_host_ops ops = { no_map, no_irq };

static void done(struct ssd_cmd *cmd)
{
	finished = true;
}

/* Status as Linux returns it: SCT and SC, More and Do Not Retry. */
static int run(uint16_t sqid, struct nvme_sqe sqe, void *data, size_t bytes, uint32_t *result)
{
	struct iovec iov = { data, bytes };
	struct ssd_cmd cmd = {
		.sqe = sqe, .sqid = sqid, .data = &iov, .data_n = bytes ? 1 : 0, .done = done
	};
	int rc;

	finished = false;
	rc = ssd_exec(ssd_pcie(drive), &cmd, now_ns);
	if (rc)
		return rc;
	while (!finished) {
		now_ns = ssd_next_event_ns(drive);
		if (now_ns == UINT64_MAX)
			return -EIO;
		ssd_step(drive, now_ns);
	}
	if (result)
		*result = cmd.cqe.cdw0;
	return cmd.cqe.status >> 1;
}

static void wait_minute(void)
{
	uint64_t end = now_ns + MINUTE_NS;

	while (ssd_next_event_ns(drive) <= end)
		ssd_step(drive, ssd_next_event_ns(drive));
	now_ns = end;
}

static void live_a_little(void)
{
	static uint8_t block[4096];
	struct ssd_firmware_header fw = { .magic = SSD_FW_MAGIC, .bytes = 64, .fr = "2.0" };

	fw.crc = crc32c(0, fw.fr, sizeof(fw) - offsetof(struct ssd_firmware_header, fr));
	run(1, (struct nvme_sqe){ .opc = NVME_CMD_WRITE, .nsid = 1, .cdw12 = 7 }, block, 4096,
	    NULL);
	run(1, (struct nvme_sqe){ .opc = NVME_CMD_READ, .nsid = 1, .cdw12 = 7 }, block, 4096, NULL);
	run(0, (struct nvme_sqe){ .opc = 0xff, .nsid = 1, .cid = 0x1234 }, NULL, 0, NULL);
	run(0, (struct nvme_sqe){ .opc = NVME_ADMIN_FW_DOWNLOAD, .cdw10 = 15 }, &fw, 64, NULL);
	run(0, (struct nvme_sqe){ .opc = NVME_ADMIN_FW_COMMIT, .cdw10 = 2 }, NULL, 0, NULL);
	run(0, (struct nvme_sqe){ .opc = NVME_ADMIN_SELF_TEST, .nsid = 1, .cdw10 = 1 }, NULL, 0,
	    NULL);
	wait_minute();
	run(0, (struct nvme_sqe){ .opc = NVME_ADMIN_SELF_TEST, .nsid = 1, .cdw10 = 2 }, NULL, 0,
	    NULL);
	run(0, (struct nvme_sqe){ .opc = NVME_ADMIN_SANITIZE, .cdw10 = NVME_SANACT_BLOCK_ERASE },
	    NULL, 0, NULL);
	wait_minute();
}

static int open_drive(void)
{
	const char *options = getenv("NVME_SHIM");

	if (!drive) {
		if (ssd_create(&drive, options ? options : "", &ops, NULL, now_ns)) {
			fprintf(stderr, "%s\n", err_text());
			return -1;
		}
		live_a_little();
	}
	drive_fd = open64("/dev/null", O_RDWR);
	return drive_fd;
}

PUBLIC int open64(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...) =
		(int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
	va_list args;
	int mode;

	if (!strcmp(path, DEVICE))
		return open_drive();
	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return next(path, flags, mode);
}

PUBLIC int open64_checked(const char *path, int flags)
{
	return open64(path, flags);
}

static int admin(struct nvme_passthru_cmd *c)
{
	struct nvme_sqe sqe = {
		.opc = c->opcode,
		.nsid = c->nsid,
		.cdw2 = c->cdw2,
		.cdw3 = c->cdw3,
		.cdw10 = c->cdw10,
		.cdw11 = c->cdw11,
		.cdw12 = c->cdw12,
		.cdw13 = c->cdw13,
		.cdw14 = c->cdw14,
		.cdw15 = c->cdw15,
	};
	int rc = run(0, sqe, (void *)(uintptr_t)c->addr, c->data_len, &c->result);

	if (rc < 0) {
		errno = -rc;
		return -1;
	}
	return rc;
}

PUBLIC int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...) =
		(int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd == drive_fd && request == NVME_IOCTL_ADMIN_CMD)
		return admin(arg);
	return next(fd, request, arg);
}
