/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thread.c - a worker on a thread of its own: which CPU, when to yield, how to wait for its end.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "ioworker/worker.h"
#include "nvme/ctrl.h"

#define EMPTY_STEPS_MAX 16u
/* Sleeping is worth it, and safe, for so long; the rest of the way is spun. */
#define SLEEP_MIN_NS	200000u
#define SLEEP_EARLY_NS	100000u
#define SLEEP_MAX_NS	10000000u

/* --- a CPU for each, while there are enough --- */

static pthread_mutex_t cpu_lock = PTHREAD_MUTEX_INITIALIZER;
static cpu_set_t cpus_taken;

/* The highest CPU that the process may use and no worker has: -1 if there is none. */
static int take_cpu(void)
{
	cpu_set_t allowed;
	int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	pthread_mutex_lock(&cpu_lock);
	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (CPU_ISSET(cpu, &allowed) && !CPU_ISSET(cpu, &cpus_taken))
			break;
	}
	if (cpu >= 0)
		CPU_SET(cpu, &cpus_taken);
	pthread_mutex_unlock(&cpu_lock);
	return cpu;
}

static void give_cpu(int cpu)
{
	if (cpu < 0)
		return;
	pthread_mutex_lock(&cpu_lock);
	CPU_CLR(cpu, &cpus_taken);
	pthread_mutex_unlock(&cpu_lock);
}

/* A CPU that refuses is no reason not to run. */
static void run_on(int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* --- the loop --- */

/*
 * Nothing in flight and nothing due for a while: leave the CPU to others.
 * Return: when the worker wants to be back.
 */
static uint64_t rest(struct ioworker *w, uint64_t now_ns)
{
	uint64_t next_ns = ioworker_next_ns(w);
	uint64_t gap_ns = next_ns > now_ns ? next_ns - now_ns : 0;

	if (w->waiting && ioworker_wait(w))
		return clock_now_ns();
	if (w->waiting || gap_ns < SLEEP_MIN_NS) {
		sched_yield();
		return now_ns;
	}
	gap_ns -= SLEEP_EARLY_NS;
	now_ns += gap_ns < SLEEP_MAX_NS ? gap_ns : SLEEP_MAX_NS;
	(void)clock_sleep_until_ns(now_ns);
	return now_ns;
}

static void run(struct ioworker *w)
{
	enum ioworker_state state = IOWORKER_BUSY;
	uint64_t back_ns = w->start_ns;
	unsigned int empty = 0;

	while (state != IOWORKER_ENDED) {
		uint64_t now_ns = clock_now_ns();

		if (now_ns > back_ns && now_ns - back_ns > w->stall_ns)
			w->stall_ns = now_ns - back_ns;
		back_ns = now_ns;
		state = ioworker_step(w, now_ns);
		if (state == IOWORKER_BUSY) {
			empty = 0;
		} else if (state == IOWORKER_IDLE && ++empty >= EMPTY_STEPS_MAX) {
			empty = 0;
			back_ns = rest(w, now_ns);
		}
	}
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void *body(void *arg)
{
	struct ioworker *w = arg;
	int own = w->cpu < 0 ? take_cpu() : -1;

	run_on(w->cpu < 0 ? own : w->cpu);
	if (!ioworker_open(w, clock_now_ns())) {
		/* Creating the queue took its time: the run begins now. */
		ioworker_begin(w, clock_now_ns());
		run(w);
		ioworker_close(w);
	}
	w->cpu_ns = thread_cpu_ns();
	give_cpu(own);
	count_dec(COUNT_THREADS);
	pthread_mutex_lock(&w->thread.mutex);
	w->thread.ended = true;
	pthread_cond_broadcast(&w->thread.cond);
	pthread_mutex_unlock(&w->thread.mutex);
	return NULL;
}

void ioworker_thread_init(struct ioworker *w)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&w->thread.mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->thread.cond, &attr);
	pthread_condattr_destroy(&attr);
}

int ioworker_start(struct ioworker *w)
{
	int err;

	if (w->thread.started)
		return err_set(-EBUSY, "the worker has been started before");
	/* Its thread makes its queue, for which it would wait until the init is over. */
	if (nvme_ctrl_is_initialising(w->ns->ctrl))
		return err_set(-EBUSY,
			       "%s: a worker cannot start inside an initialisation: return first",
			       w->ns->ctrl->addr);
	atomic_store(&w->live.running, true);
	count_inc(COUNT_THREADS);
	err = pthread_create(&w->thread.id, NULL, body, w);
	if (err) {
		count_dec(COUNT_THREADS);
		atomic_store(&w->live.running, false);
		return err_set(-err, "no thread for a worker: %s", strerror(err));
	}
	w->thread.started = true;
	return 0;
}

void ioworker_stop(struct ioworker *w)
{
	atomic_store(&w->stop, true);
}

int ioworker_join(struct ioworker *w, uint64_t timeout_ns)
{
	uint64_t until_ns = clock_now_ns() + timeout_ns;
	struct timespec ts = { .tv_sec = (time_t)(until_ns / 1000000000),
			       .tv_nsec = (long)(until_ns % 1000000000) };
	int err = 0;

	if (!w->thread.started)
		return 0;
	pthread_mutex_lock(&w->thread.mutex);
	while (!w->thread.ended && !err)
		err = pthread_cond_timedwait(&w->thread.cond, &w->thread.mutex, &ts);
	/* Under the mutex, which the thread needs no more: only one of many may do it. */
	if (!err && !w->thread.joined) {
		pthread_join(w->thread.id, NULL);
		w->thread.joined = true;
	}
	pthread_mutex_unlock(&w->thread.mutex);
	return err ? -ETIMEDOUT : 0;
}
