// SPDX-License-Identifier: BSD-3-Clause
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "spec/nvme.h"

#define STEPS_MAX 256

static const char *const profiles[] = {
	"size=64M,latency=none",
	"size=64M",
	"size=16M,latency=none,ms=8,ns=2",
	"size=16M,latency=none,lba=4096,ms=64,ns=3,mdts=2M",
	"size=16M,latency=none,media=null",
	"size=16M,latency=none,cache=4K,mqes=8,hmpre=64M",
	"size=16M,vs=2.0,ms=16,erase_s=0,sanitize_s=0,dst_s=0",
	"size=1M,latency=none,vs=1.4,aerl=0,ioqueues=2",
	"size=2M,latency=none,media=file",
	"size=1M,latency=none,ms=8,ns=3,vs=2.0,media=file",
	"size=16M,latency=none,ms=16,vs=1.4,hmpre=8K,cache=64K,mdts=8K",
	"size=16M,lba=4096,ms=64,vs=2.0,jitter=100,tail_us=1s,aerl=15,mqes=2",
	"size=32M,latency=none,mem=1M,cache=0",
	"size=16T,latency=none,ns=4,ioqueues=63,mqes=65536,awupf=0",
	"size=16M,ms=8,awupf=255,cache=1M,enable_s=0.1,shutdown_s=0,to_s=0.5",
	"size=16M,latency=none,media=null,ms=8,vs=2.0,hmpre=4K",
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

/* Not from the heap: the sanitizer would unmap it after each input, which takes most of the time. */
static uint8_t memory[BENCH_BYTES] __attribute__((aligned(4096)));

static int map(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	struct bench *b = host;
	int n = 0;

	if (iova < BENCH_IOVA || iova - BENCH_IOVA > BENCH_BYTES ||
	    len > BENCH_BYTES - (iova - BENCH_IOVA))
		return -EFAULT;
	while (len) {
		size_t take = b->split ? 4096 - (iova & 4095) : len;

		take = take < len ? take : len;
		if (n == max)
			return -EFAULT;
		iov[n++] = (struct iovec){ b->mem + (iova - BENCH_IOVA), take };
		iova += take;
		len -= take;
	}
	return n;
}

static void irq(void *host, unsigned int vector)
{
}

static const struct ssd_host_ops ops = { map, irq };

/* --- the file of media=file --- */

static char file[64];

static void remove_file(void)
{
	unlink(file);
}

/* What another program, or a disk, did to the head of a file that was whole. */
static void damage_file(struct input *in)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	uint8_t bytes[32];

	for (uint8_t left = input_u8(in) % 8; left; left--) {
		uint16_t off = input_u16(in) % 2048;
		uint8_t len = input_u8(in) % (sizeof(bytes) + 1);

		input_bytes(in, bytes, len);
		if (pwrite(fd, bytes, len, off) != len)
			abort();
	}
	close(fd);
}

/* A drive in a new file; if the input says so, closed, its file damaged, and opened again. */
static int open_file(struct bench *b, const char *profile, struct input *in)
{
	char options[192];
	int rc;

	if (!file[0]) {
		snprintf(file, sizeof(file), "/dev/shm/fuzz-%d.ssd", (int)getpid());
		atexit(remove_file);
	}
	snprintf(options, sizeof(options), "%s,file=%s", profile, file);
	remove_file();
	rc = ssd_create(&b->ssd, options, &ops, b, b->now_ns);
	if (rc || !(input_u8(in) & 1))
		return rc;
	ssd_destroy(b->ssd);
	damage_file(in);
	if (!ssd_create(&b->ssd, options, &ops, b, b->now_ns))
		return 0;
	remove_file();
	return ssd_create(&b->ssd, options, &ops, b, b->now_ns);
}

void bench_open(struct bench *b, struct input *in)
{
	uint8_t pick = input_u8(in);
	const char *profile = profiles[pick % PROFILES];
	size_t bytes;
	int rc;

	*b = (struct bench){ .now_ns = 1000, .split = pick & 0x80, .format = pick >> 4 & 7 };
	b->mem = memset(memory, 0, sizeof(memory));
	if (strstr(profile, "media=file"))
		rc = open_file(b, profile, in);
	else
		rc = ssd_create(&b->ssd, profile, &ops, b, b->now_ns);
	if (rc) {
		fprintf(stderr, "%s: %s\n", profile, err_text());
		abort();
	}
	b->db = ssd_doorbells(ssd_pcie(b->ssd), &bytes);
	b->db_words = bytes / sizeof(*b->db);
}

void bench_close(struct bench *b)
{
	ssd_destroy(b->ssd);
}

void bench_write_memory(struct bench *b, struct input *in)
{
	uint32_t off = (uint32_t)input_u16(in) * 8 % BENCH_BYTES;
	uint32_t len = input_u8(in);

	if (len > BENCH_BYTES - off)
		len = BENCH_BYTES - off;
	input_bytes(in, b->mem + off, len);
}

void bench_step(struct bench *b)
{
	for (int i = 0; i < STEPS_MAX && ssd_step(b->ssd, b->now_ns); i++)
		;
}

void bench_advance(struct bench *b, uint64_t ns)
{
	uint64_t end = b->now_ns + ns;

	bench_step(b);
	for (int i = 0; i < STEPS_MAX && ssd_next_event_ns(b->ssd) <= end; i++) {
		if (ssd_next_event_ns(b->ssd) > b->now_ns)
			b->now_ns = ssd_next_event_ns(b->ssd);
		bench_step(b);
	}
	b->now_ns = end;
}

void bench_enable(struct bench *b)
{
	uint16_t command = 6; /* memory space and bus master */

	ssd_cfg_write(ssd_pcie(b->ssd), 4, &command, sizeof(command), b->now_ns);
	ssd_reg_write(ssd_pcie(b->ssd), NVME_REG_AQA, 4, 31 << 16 | 31, b->now_ns);
	ssd_reg_write(ssd_pcie(b->ssd), NVME_REG_ASQ, 8, BENCH_IOVA, b->now_ns);
	ssd_reg_write(ssd_pcie(b->ssd), NVME_REG_ACQ, 8, BENCH_IOVA + 4096, b->now_ns);
	ssd_reg_write(ssd_pcie(b->ssd), NVME_REG_CC, 4,
		      NVME_SET(1, CC_EN) | NVME_SET(NVME_IOSQES, CC_IOSQES) |
			      NVME_SET(NVME_IOCQES, CC_IOCQES),
		      b->now_ns);
	bench_advance(b, 1000);
}

static void add_fault(struct bench *b, struct input *in)
{
	struct ssd_fault fault = {
		.admin = (int8_t)input_u8(in),
		.opcode = (int16_t)input_u16(in),
		.nsid = input_u8(in),
		.slba = input_u16(in),
		.nlb = input_u8(in),
		.nth = input_u8(in),
		.times = input_u8(in),
		.probability = input_u8(in) / 255.0,
		.action = input_u8(in) % (SSD_FAULT_ACTIONS + 1),
		.status = input_u16(in),
		.delay_ns = input_u32(in),
		.value = (int64_t)input_u64(in),
	};
	int id = ssd_fault_add(b->ssd, &fault);

	if (id > 0 && fault.nth & 1)
		ssd_fault_del(b->ssd, id);
}

void bench_event(struct bench *b, struct input *in)
{
	switch (input_u8(in) % 8) {
	case 0:
		ssd_flr(ssd_pcie(b->ssd), b->now_ns);
		break;
	case 1:
		ssd_hot_reset(ssd_pcie(b->ssd), b->now_ns);
		break;
	case 2:
		ssd_power(b->ssd, false, b->now_ns);
		break;
	case 3:
		ssd_power(b->ssd, true, b->now_ns);
		break;
	case 4:
		ssd_set_temperature(b->ssd, input_u16(in), b->now_ns);
		break;
	case 5:
		add_fault(b, in);
		break;
	case 6:
		bench_enable(b);
		break;
	case 7:
		if (input_u8(in) == 0xff)
			ssd_remove(b->ssd, b->now_ns);
		break;
	}
}
