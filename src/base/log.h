/*
 * Log lines for people. Never called on the IO path; a message below the level costs one load.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/** log_sink_fn - receives one message, without a newline; may be called from any thread. */
typedef void (*log_sink_fn)(enum log_level level, const char *text);

/** log_set_sink() - replace where messages go; NULL brings back standard error. */
void log_set_sink(log_sink_fn sink);

/** log_set_level() - let through @level and everything more severe; LOG_LEVEL_WARN at start. */
void log_set_level(enum log_level level);

/** log_set_level_by_name() - by what log_level_name() says, in any case; -EINVAL: none of them. */
int log_set_level_by_name(const char *name);

/** log_level_name() - "error", "warning", "info" or "debug". */
const char *log_level_name(enum log_level level);

/** log_write() - what the macros below call. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** log_enabled() - whether a message of @level would be let through. */
int log_enabled(enum log_level level);

#define log_at(level, ...)                             \
	do {                                           \
		if (log_enabled(level))                \
			log_write(level, __VA_ARGS__); \
	} while (0)

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
