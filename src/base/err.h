/*
 * Error text that travels beside a negative errno. One text a thread, kept until the next error;
 * functions return 0 or -errno and leave here what a user needs to act on it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TEXT_BYTES 1024

/**
 * err_set() - note an error of this thread, replacing the one before
 * @neg_errno: what the caller is going to return, for example -ENOENT
 * @fmt:       printf format; %m is strerror(errno) of the moment of the call
 *
 * Return: @neg_errno, so that "return err_set(-EINVAL, ...)" reads well.
 */
int err_set(int neg_errno, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An error that was written without its sign does not compile. */
#define ERR_SIGNED(e) __builtin_choose_expr(__builtin_constant_p(e), (e) < 0, 1)
#define err_set(neg_errno, ...)                                                      \
	((void)sizeof(struct { int is_negative : ERR_SIGNED(neg_errno) ? 1 : -1; }), \
	 (err_set)(neg_errno, __VA_ARGS__))

/**
 * err_add() - put context in front of the noted error: "@fmt: what was there"
 * @fmt: printf format, without the colon
 *
 * A text that gets too long loses its end, the oldest and innermost part.
 */
void err_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** err_text() - this thread's last error, "" if there was none; valid until the next err_ call. */
const char *err_text(void);

/** err_clear() - forget this thread's error. */
void err_clear(void);

#endif
