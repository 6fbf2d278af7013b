/*
 * Guards of protection information: NVM Command Set 1.1 section 5.3.1.3. The 32-bit guard is
 * crc32c().
 */
#ifndef BASE_CRC_PI_H
#define BASE_CRC_PI_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc_pi16() - 16-bit guard, the CRC of T10 DIF (polynomial 8BB7h, no inversion)
 * @seed: 0, or the CRC of the bytes that come before
 *
 * "123456789" gives D0DBh.
 */
uint16_t crc_pi16(uint16_t seed, const void *buf, size_t len);

/**
 * crc_pi64() - 64-bit guard, NVMe's own CRC-64 (polynomial AD93D23594C93659h, reflected, inverted)
 * @seed: 0, or the CRC of the bytes that come before
 *
 * "123456789" gives AE8B14860A799888h.
 */
uint64_t crc_pi64(uint64_t seed, const void *buf, size_t len);

#endif
