/*
 * What buffers are filled with: constants, repeated dwords, random bytes.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"

#define PATTERN_CONSTANT 0u	 /* zeros; ones if the value is not 0 */
#define PATTERN_DWORD	 32u	 /* the value, little endian, again and again */
#define PATTERN_RANDOM	 0xbeefu /* random bytes for so many per cent of the length, then zeros */

/**
 * pattern_fill() - overwrite all of a buffer
 * @rand: used by PATTERN_RANDOM only
 *
 * Return: 0, or -EINVAL with a text: no such type, or more than 100 per cent.
 */
int pattern_fill(void *buf, size_t len, uint32_t type, uint32_t value, struct rand *rand);

#endif
