#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

static void sink_stderr(enum log_level level, const char *text)
{
	fprintf(stderr, "pynvme %s: %s\n", log_level_name(level), text);
}

static _Atomic(log_sink_fn) current_sink = sink_stderr;
static _Atomic int current_level = LOG_LEVEL_WARN;

void log_set_sink(log_sink_fn sink)
{
	atomic_store(&current_sink, sink ? sink : sink_stderr);
}

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	return names[level];
}

int log_set_level_by_name(const char *name)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		if (strcasecmp(name, log_level_name((enum log_level)level)))
			continue;
		log_set_level((enum log_level)level);
		return 0;
	}
	return -EINVAL;
}

int log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	log_sink_fn sink = atomic_load(&current_sink);
	int saved = errno;
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sink(level, text);
	errno = saved;
}
