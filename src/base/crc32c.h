/*
 * CRC32C (Castagnoli) by ISA-L: what data verification and NVMe/TCP digests use.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc32c() - CRC32C the iSCSI way, inverted on the way in and out
 * @seed: 0, or the CRC of the bytes that come before
 *
 * "123456789" gives E3069283h.
 */
uint32_t crc32c(uint32_t seed, const void *buf, size_t len);

#endif
