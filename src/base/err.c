#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char text[ERR_TEXT_BYTES];

#undef err_set
int err_set(int neg_errno, const char *fmt, ...)
{
	/* An argument may be err_text() itself, so the old text lives until the new one is done. */
	char fresh[ERR_TEXT_BYTES];
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, args);
	va_end(args);
	memcpy(text, fresh, sizeof(text));
	errno = saved;
	return neg_errno;
}

void err_add(const char *fmt, ...)
{
	char fresh[ERR_TEXT_BYTES];
	int saved = errno;
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, args);
	va_end(args);
	len = strlen(fresh);
	if (text[0]) {
		int room = (int)(sizeof(fresh) - len);

		snprintf(fresh + len, (size_t)room, ": %.*s", room, text);
	}
	memcpy(text, fresh, sizeof(text));
	errno = saved;
}

const char *err_text(void)
{
	return text;
}

void err_clear(void)
{
	text[0] = '\0';
}
