#include "base/pattern.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void fill_dwords(uint8_t *at, size_t len, uint32_t dword)
{
	while (len) {
		size_t n = len < sizeof(dword) ? len : sizeof(dword);

		memcpy(at, &dword, n);
		at += n;
		len -= n;
	}
}

/* Random bytes first, zeros after: what a compressing device sees as so much entropy. */
static void fill_random(uint8_t *at, size_t len, uint32_t percent, struct rand *rand)
{
	size_t left = len * percent / 100;

	memset(at + left, 0, len - left);
	while (left) {
		uint64_t word = rand_next(rand);
		size_t n = left < sizeof(word) ? left : sizeof(word);

		memcpy(at, &word, n);
		at += n;
		left -= n;
	}
}

int pattern_fill(void *buf, size_t len, uint32_t type, uint32_t value, struct rand *rand)
{
	switch (type) {
	case PATTERN_CONSTANT:
		memset(buf, value ? 0xff : 0, len);
		return 0;
	case PATTERN_DWORD:
		fill_dwords(buf, len, value);
		return 0;
	case PATTERN_RANDOM:
		if (value > 100)
			return err_set(-EINVAL,
				       "pvalue must be 0..100 per cent for ptype 0xbeef, not %u",
				       value);
		fill_random(buf, len, value, rand);
		return 0;
	default:
		return err_set(-EINVAL, "ptype must be 0, 32 or 0xbeef, not %u", type);
	}
}
