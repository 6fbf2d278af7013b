#include "base/crc32c.h"

#include <isa-l/crc.h>

/* ISA-L counts in int */
#define PIECE_BYTES ((size_t)1 << 30)

uint32_t crc32c(uint32_t seed, const void *buf, size_t len)
{
	unsigned char *at = (unsigned char *)buf; /* ISA-L forgot const */
	uint32_t crc = ~seed;

	while (len > PIECE_BYTES) {
		crc = crc32_iscsi(at, (int)PIECE_BYTES, crc);
		at += PIECE_BYTES;
		len -= PIECE_BYTES;
	}
	return ~crc32_iscsi(at, (int)len, crc);
}
