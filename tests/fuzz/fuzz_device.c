// SPDX-License-Identifier: BSD-3-Clause
/* Registers, config space, doorbells, resets and power, with arbitrary bytes in the queues. */
#include "bench.h"

static uint64_t register_offset(struct input *in)
{
	uint16_t pick = input_u16(in);

	/* mostly the defined registers, some doorbells, and now and then anywhere */
	if (pick & 0x8000)
		return pick & 0x7fff;
	if (pick & 0x4000)
		return 0x1000 + (pick & 0xff);
	return pick & 0x7f;
}

static void config(struct bench *b, struct input *in)
{
	unsigned int off = input_u16(in) & 0xfff, len = input_u8(in) % 9;
	uint8_t bytes[8];

	if (len > 4096 - off)
		len = 4096 - off;
	if (input_u8(in) & 1) {
		ssd_cfg_read(ssd_pcie(b->ssd), off, bytes, len);
		return;
	}
	input_bytes(in, bytes, len);
	ssd_cfg_write(ssd_pcie(b->ssd), off, bytes, len, b->now_ns);
}

static void doorbell(struct bench *b, struct input *in)
{
	uint32_t word = input_u8(in);
	uint32_t value = input_u16(in);

	b->db[word % b->db_words] = value & 0x8000 ? value * 0x10001 : value & 0x3f;
}

static void act(struct bench *b, struct input *in)
{
	static const int widths[] = { 1, 2, 4, 8 };
	uint8_t op = input_u8(in);
	int width = widths[op >> 4 & 3];
	uint64_t off;

	switch (op % 8) {
	case 0:
		off = register_offset(in);
		ssd_reg_write(ssd_pcie(b->ssd), off, width, input_u64(in), b->now_ns);
		break;
	case 1:
		ssd_reg_read(ssd_pcie(b->ssd), register_offset(in), width, b->now_ns);
		break;
	case 2:
		config(b, in);
		break;
	case 3:
		doorbell(b, in);
		break;
	case 4:
		bench_write_memory(b, in);
		break;
	case 5:
		bench_step(b);
		break;
	case 6:
		bench_advance(b, (uint64_t)input_u16(in) << (op >> 3));
		break;
	case 7:
		bench_event(b, in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct bench b;

	bench_open(&b, &in);
	if (input_u8(&in) & 1)
		bench_enable(&b);
	while (in.left)
		act(&b, &in);
	bench_advance(&b, 1000000000);
	bench_close(&b);
	return 0;
}
