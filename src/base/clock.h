/*
 * Time in nanoseconds since boot, the base of CLOCK_MONOTONIC, at the price of reading the CPU's
 * time stamp counter. Where that counter is not invariant, or the kernel does not trust it, every
 * call is clock_gettime().
 *
 * The counter is scaled by a straight line that the first calls draw and that is corrected about
 * once a second, without jumps: time never goes back within a thread, and threads agree within a
 * microsecond. The line starts over when it is found wrong by more than a millisecond (the
 * machine slept).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SCALE_SHIFT 32

/**
 * struct clock_line - ns = ns0 + (ticks - ticks0) * mult >> CLOCK_SCALE_SHIFT
 * @span: ticks after @ticks0 for which the line holds; 0 sends every call to the slow path
 */
struct clock_line {
	_Atomic uint64_t ticks0;
	_Atomic uint64_t ns0;
	_Atomic uint64_t mult;
	_Atomic uint64_t span;
};

/**
 * struct clock_scale - two lines, of which line[seq & 1] is valid while the other is redrawn: a
 * reader never waits for the writer
 */
struct clock_scale {
	_Atomic uint32_t seq;
	struct clock_line line[2];
};

extern struct clock_scale clock_scale;

/** clock_now_slow_ns() - what clock_now_ns() does when the line ends; not for other callers. */
uint64_t clock_now_slow_ns(void);

/** clock_scaled() - whether clock_now_ns() runs on the time stamp counter by now. */
bool clock_scaled(void);

#if defined(__x86_64__)

static inline uint64_t clock_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/** clock_pause() - tell the CPU that this is a spin loop. */
static inline void clock_pause(void)
{
	__builtin_ia32_pause();
}

#elif defined(__aarch64__)

static inline uint64_t clock_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}

/** clock_pause() - tell the CPU that this is a spin loop. */
static inline void clock_pause(void)
{
	__asm__ volatile("yield");
}

#else
#error "no time stamp counter known for this architecture"
#endif

/** clock_now_ns() - now, in nanoseconds, comparable with CLOCK_MONOTONIC. */
static inline uint64_t clock_now_ns(void)
{
	uint32_t seq = atomic_load_explicit(&clock_scale.seq, memory_order_acquire);
	struct clock_line *line = &clock_scale.line[seq & 1];
	/* Each acquire keeps the second look at the sequence number behind it. */
	uint64_t delta = clock_ticks() - atomic_load_explicit(&line->ticks0, memory_order_acquire);
	uint64_t ns0 = atomic_load_explicit(&line->ns0, memory_order_acquire);
	uint64_t mult = atomic_load_explicit(&line->mult, memory_order_acquire);
	uint64_t span = atomic_load_explicit(&line->span, memory_order_acquire);

	if (delta >= span || seq != atomic_load_explicit(&clock_scale.seq, memory_order_relaxed))
		return clock_now_slow_ns();
	return ns0 + (uint64_t)((unsigned __int128)delta * mult >> CLOCK_SCALE_SHIFT);
}

/**
 * clock_sleep_until_ns() - sleep until clock_now_ns() reaches @deadline_ns
 *
 * Return: 0, or -EINTR when a signal came first.
 */
int clock_sleep_until_ns(uint64_t deadline_ns);

#endif
