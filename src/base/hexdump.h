/*
 * Hexdump in the one format that scripts know from Buffer.dump().
 */
#ifndef BASE_HEXDUMP_H
#define BASE_HEXDUMP_H

#include <stddef.h>

/**
 * hexdump() - dump bytes as text, 16 a line:
 * "00000000  5a 01 02 00 0a 0b 0c 0d  00 00 00 00 00 00 00 00   Z..............."
 * @out:    where the text goes, zero terminated; may be NULL with @outlen 0
 * @outlen: bytes there; a text that does not fit is cut
 *
 * Lines are separated by a newline, with none after the last. A short last line is padded, so
 * that its text stays in the column.
 *
 * Return: bytes of the whole text without the zero, whether it did fit or not.
 */
size_t hexdump(const void *buf, size_t len, char *out, size_t outlen);

#endif
