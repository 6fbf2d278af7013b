#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define WARM_UP_NS   10000000ull   /* the first line is drawn through points so far apart */
#define SPAN_MIN_NS  20000000ull   /* how long the first line holds */
#define SPAN_MAX_NS  1000000000ull /* and the later ones, each twice as long as the last */
#define STALE_SPANS  8		   /* a line so many spans old is not drawn on */
#define ERROR_MAX_NS 1000000	   /* a line that is wrong by more starts over */
#define SLEW_PPM     100	   /* slope is bent by at most so much to catch up */
#define SAMPLES_MAX  5
#define SWITCH_TICKS 50000 /* some 20 us: who took longer to redraw was preempted, try again */

struct clock_scale clock_scale;

enum clock_state {
	CLOCK_UNKNOWN,
	CLOCK_UNUSABLE, /* no invariant counter: clock_gettime() for ever */
	CLOCK_WARM_UP,
	CLOCK_SCALED,
};

/* a tick count and the time not before it: the line lies a read of the clock ahead, never behind */
struct clock_point {
	uint64_t ticks;
	uint64_t ns;
};

/* What the slow path works on, by one thread at a time: who finds it busy does without. */
static struct {
	atomic_flag busy;
	_Atomic int state;
	struct clock_point from; /* slope is measured from here */
	uint64_t span_ns;
} calib = { .busy = ATOMIC_FLAG_INIT };

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#if defined(__x86_64__)
static const char kernel_source[] = "tsc\n";

static bool counter_invariant(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && edx & 1u << 8;
}
#else
static const char kernel_source[] = "arch_sys_counter\n";

static bool counter_invariant(void)
{
	return true;
}
#endif

/* The kernel checks counters all the time: one that it does not use is not to be trusted. */
static bool kernel_trusts_counter(void)
{
	char name[64] = "";
	FILE *file =
		fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strcmp(name, kernel_source);
}

/* The tightest of a few pairs: one that was interrupted is worth nothing. */
static struct clock_point sample(void)
{
	struct clock_point best = { 0, 0 };
	uint64_t best_gap = UINT64_MAX;

	for (int i = 0; i < SAMPLES_MAX; i++) {
		uint64_t before = clock_ticks();
		uint64_t ns = monotonic_ns();
		uint64_t gap = clock_ticks() - before;

		if (gap < best_gap) {
			best_gap = gap;
			best.ticks = before;
			best.ns = ns;
		}
	}
	return best;
}

static uint64_t line_at(const struct clock_line *line, uint64_t ticks)
{
	return line->ns0 + (uint64_t)((unsigned __int128)(ticks - line->ticks0) * line->mult >>
				      CLOCK_SCALE_SHIFT);
}

/* Make the line through @at with slope @mult, for @span_ns, the one that readers see. */
static void publish(struct clock_point at, uint64_t mult, uint64_t span_ns)
{
	uint32_t seq = clock_scale.seq;
	struct clock_line *line = &clock_scale.line[(seq + 1) & 1];

	/*
	 * A reader that still holds this line from two versions ago sees the sequence number change
	 * before any of these, and drops what it read.
	 */
	line->ticks0 = at.ticks;
	line->ns0 = at.ns;
	line->mult = mult;
	line->span =
		mult ? (uint64_t)(((unsigned __int128)span_ns << CLOCK_SCALE_SHIFT) / mult) : 0;
	clock_scale.seq = seq + 1;
}

static uint64_t slope(struct clock_point from, struct clock_point to)
{
	return (uint64_t)(((unsigned __int128)(to.ns - from.ns) << CLOCK_SCALE_SHIFT) /
			  (to.ticks - from.ticks));
}

static uint64_t begin_warm_up(struct clock_point now)
{
	calib.from = now;
	publish(now, 0, 0);
	calib.state = CLOCK_WARM_UP;
	return now.ns;
}

static uint64_t end_warm_up(struct clock_point now)
{
	if (now.ns - calib.from.ns < WARM_UP_NS)
		return now.ns;
	if (now.ticks <= calib.from.ticks)
		return begin_warm_up(now);
	calib.span_ns = SPAN_MIN_NS;
	publish(now, slope(calib.from, now), calib.span_ns);
	calib.state = CLOCK_SCALED;
	return now.ns;
}

/* Bend @mult so that the line is right at the end of its span. */
static uint64_t bend(uint64_t mult, int64_t error_ns, uint64_t span_ns)
{
	int64_t max_ns = (int64_t)(span_ns / 1000000 * SLEW_PPM);

	if (error_ns > max_ns)
		error_ns = max_ns;
	if (error_ns < -max_ns)
		error_ns = -max_ns;
	return mult + (uint64_t)((__int128)mult * error_ns / (int64_t)span_ns);
}

static uint64_t redraw(struct clock_point now)
{
	const struct clock_line *line = &clock_scale.line[clock_scale.seq & 1];
	bool stale = now.ticks - line->ticks0 >= STALE_SPANS * line->span;
	struct clock_point start = now;
	int64_t error_ns = 0;
	uint64_t mult;

	/* The counter stood still, was reset, or changed its rate: the machine slept or moved. */
	if (now.ticks <= calib.from.ticks || now.ns <= calib.from.ns)
		return begin_warm_up(now);
	mult = slope(calib.from, now);
	if (mult > line->mult + line->mult / 64 || mult < line->mult - line->mult / 64)
		return begin_warm_up(now);

	if (!stale) {
		start.ns = line_at(line, now.ticks);
		error_ns = (int64_t)(now.ns - start.ns);
		if (error_ns > ERROR_MAX_NS || error_ns < -ERROR_MAX_NS)
			return begin_warm_up(now);
	}
	if (calib.span_ns < SPAN_MAX_NS)
		calib.span_ns *= 2;
	if (now.ns - calib.from.ns >= SPAN_MAX_NS)
		calib.from = now;
	publish(start, bend(mult, error_ns, calib.span_ns), calib.span_ns);
	return start.ns;
}

static uint64_t calibrate(void)
{
	struct clock_point now = sample();

	for (int i = 0; i < SAMPLES_MAX && clock_ticks() - now.ticks > SWITCH_TICKS; i++)
		now = sample();
	switch ((enum clock_state)calib.state) {
	case CLOCK_UNKNOWN:
		if (counter_invariant() && kernel_trusts_counter())
			return begin_warm_up(now);
		calib.state = CLOCK_UNUSABLE;
		return now.ns;
	case CLOCK_UNUSABLE:
		return now.ns;
	case CLOCK_WARM_UP:
		return end_warm_up(now);
	case CLOCK_SCALED:
		return redraw(now);
	}
	return now.ns;
}

/* Somebody else is redrawing: the present line is good for a while yet. */
static uint64_t present_line_ns(void)
{
	for (;;) {
		uint32_t seq = clock_scale.seq;
		const struct clock_line *line = &clock_scale.line[seq & 1];
		uint64_t ticks = clock_ticks();
		bool stale = ticks - line->ticks0 >= STALE_SPANS * line->span;
		uint64_t ns = line_at(line, ticks);

		if (seq == clock_scale.seq)
			return stale ? monotonic_ns() : ns;
	}
}

uint64_t clock_now_slow_ns(void)
{
	uint64_t ns;

	if (calib.state == CLOCK_UNUSABLE)
		return monotonic_ns();
	if (atomic_flag_test_and_set_explicit(&calib.busy, memory_order_acquire))
		return present_line_ns();
	ns = calibrate();
	atomic_flag_clear_explicit(&calib.busy, memory_order_release);
	return ns;
}

bool clock_scaled(void)
{
	return calib.state == CLOCK_SCALED;
}

int clock_sleep_until_ns(uint64_t deadline_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};

	/* The counter's line may lie a little behind or ahead of the kernel's clock. */
	while (clock_now_ns() < deadline_ns) {
		int err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

		if (err)
			return -err;
	}
	return 0;
}
