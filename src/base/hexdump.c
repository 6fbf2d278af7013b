#include "base/hexdump.h"

#include <stdint.h>
#include <string.h>

#define LINE_BYTES 16
/* offset, two spaces, bytes with one more space in the middle, two more spaces, text, newline */
#define TEXT_AT	   (8 + 2 + 3 * LINE_BYTES + 1 + 2)
#define LINE_CHARS (TEXT_AT + LINE_BYTES + 1)

static const char digits[] = "0123456789abcdef";

/* One line without its newline; returns its length. */
static size_t format_line(char *line, size_t offset, const uint8_t *at, size_t count)
{
	memset(line, ' ', TEXT_AT);
	for (int i = 7; i >= 0; i--, offset >>= 4)
		line[i] = digits[offset & 0xf];
	for (size_t i = 0; i < count; i++) {
		char *hex = line + 10 + 3 * i + (i >= LINE_BYTES / 2);

		hex[0] = digits[at[i] >> 4];
		hex[1] = digits[at[i] & 0xf];
		line[TEXT_AT + i] = at[i] >= 0x20 && at[i] < 0x7f ? (char)at[i] : '.';
	}
	return TEXT_AT + count;
}

size_t hexdump(const void *buf, size_t len, char *out, size_t outlen)
{
	const uint8_t *bytes = buf;
	size_t total = 0;

	for (size_t offset = 0; offset < len; offset += LINE_BYTES) {
		size_t count = len - offset < LINE_BYTES ? len - offset : LINE_BYTES;
		char line[LINE_CHARS];
		size_t chars = format_line(line, offset, bytes + offset, count);

		if (offset + count < len)
			line[chars++] = '\n';
		if (total + 1 < outlen) {
			size_t room = outlen - 1 - total;

			memcpy(out + total, line, chars < room ? chars : room);
		}
		total += chars;
	}
	if (outlen)
		out[total < outlen ? total : outlen - 1] = '\0';
	return total;
}
