// SPDX-License-Identifier: BSD-3-Clause
/*
 * The backstop: one thread that steps every software SSD nobody polls, so that
 * interrupts, latencies and hand-built queues work for a script that sleeps.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/soft_bus.h"

#define PARK_NS	     UINT64_C(5000000)	 /* at most, while the last work is not long ago */
#define PARK_IDLE_NS UINT64_C(50000000)	 /* at most: a wake-up costs some 30 us */
#define IDLE_NS	     UINT64_C(100000000) /* without work for so long */
#define POLLED_NS    UINT64_C(2000000)	 /* a bus polled so recently is left to its poller */
#define SPIN_NS	     UINT64_C(50000)	 /* look again for so long after the last work */
#define EMPTY_PASSES 16u		 /* before giving the processor away */
#define TIMER_SLACK  1000ul		 /* ns; the default of 50 us is a latency of its own */

static struct {
	pthread_mutex_t start_stop; /* taken first; never by the thread */
	pthread_mutex_t lock;	    /* guards the rest, held during a pass */
	struct list_node buses;
	pthread_t thread;
	bool running;
	bool stop;
	uint32_t seq; /* futex: rises with every wake-up */
} runner = {
	.start_stop = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.buses = { &runner.buses, &runner.buses },
};

struct pass {
	uint64_t now_ns;
	uint64_t next_ns; /* when the earliest of the SSDs has something to do */
	bool worked;
};

static uint64_t polled_until_ns(struct soft_bus *soft)
{
	if (soft->always)
		return 0;
	return atomic_load_explicit(&soft->last_poll_ns, memory_order_relaxed) + POLLED_NS;
}

/* Who polls needs nobody else, and looks at its own doorbells. */
static void set_asleep(struct soft_bus *soft, const struct pass *pass, bool asleep)
{
	if (pass->now_ns < polled_until_ns(soft))
		asleep = false;
	__atomic_store_n(&soft->bus.runner_asleep, asleep, __ATOMIC_SEQ_CST);
}

static void step_one(struct soft_bus *soft, struct pass *pass)
{
	uint64_t next_ns = polled_until_ns(soft);

	if (pass->now_ns >= next_ns && soft_serve(soft, pass->now_ns, &next_ns))
		pass->worked = true;
	if (next_ns < pass->next_ns)
		pass->next_ns = next_ns;
}

/*
 * @asleep: the last look before parking. From here on doorbells have to wake the thread, and
 * who rings one reads the word behind the store without a fence: the barrier is on this side.
 */
static bool step_all(struct pass *pass, bool asleep)
{
	struct list_node *node;
	bool stop;

	pass->now_ns = clock_now_ns();
	pass->next_ns = UINT64_MAX;
	pass->worked = false;
	pthread_mutex_lock(&runner.lock);
	for (node = runner.buses.next; node != &runner.buses; node = node->next)
		set_asleep(list_entry(node, struct soft_bus, runner_node), pass, asleep);
	if (asleep)
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	for (node = runner.buses.next; node != &runner.buses; node = node->next)
		step_one(list_entry(node, struct soft_bus, runner_node), pass);
	stop = runner.stop;
	pthread_mutex_unlock(&runner.lock);
	return !stop;
}

/* Until the next event, a wake-up since @seq was read, or @max_ns. */
static void park(uint32_t seq, const struct pass *pass, uint64_t max_ns)
{
	struct timespec ts = { .tv_nsec = (long)max_ns };

	if (pass->next_ns <= pass->now_ns)
		return;
	if (pass->next_ns - pass->now_ns < max_ns)
		ts.tv_nsec = (long)(pass->next_ns - pass->now_ns);
	syscall(SYS_futex, &runner.seq, FUTEX_WAIT_PRIVATE, seq, &ts, NULL, 0);
}

static bool soon(const struct pass *pass)
{
	return pass->next_ns < pass->now_ns + SPIN_NS;
}

/*
 * Awake as long as there is work, and a little longer. Before it parks, and each time it
 * wakes by itself, one look with @asleep set suffices.
 */
static void *run(void *arg)
{
	uint64_t worked_ns = 0;
	unsigned int empty = 0;
	bool asleep = false;
	struct pass pass;
	uint32_t seq;

	prctl(PR_SET_NAME, "nvme-sim");
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	for (;;) {
		seq = __atomic_load_n(&runner.seq, __ATOMIC_ACQUIRE);
		if (!step_all(&pass, asleep))
			return NULL;
		if (pass.worked) {
			worked_ns = pass.now_ns;
			empty = 0;
		}
		if (pass.now_ns < worked_ns + SPIN_NS || soon(&pass)) {
			asleep = false;
			if (++empty >= EMPTY_PASSES)
				sched_yield();
		} else if (!asleep) {
			asleep = true;
		} else {
			park(seq, &pass,
			     pass.now_ns < worked_ns + IDLE_NS ? PARK_NS : PARK_IDLE_NS);
		}
	}
}

void soft_runner_wake(void)
{
	__atomic_fetch_add(&runner.seq, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &runner.seq, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/*
 * A child gets a copy of every SSD, to be freed there: none may be in the middle of
 * something at that moment.
 */
static void stop_before_fork(void)
{
	struct list_node *node;

	pthread_mutex_lock(&runner.start_stop);
	pthread_mutex_lock(&runner.lock);
	for (node = runner.buses.next; node != &runner.buses; node = node->next)
		pthread_mutex_lock(&list_entry(node, struct soft_bus, runner_node)->lock);
}

static void resume_after_fork(void)
{
	struct list_node *node;

	for (node = runner.buses.next; node != &runner.buses; node = node->next)
		pthread_mutex_unlock(&list_entry(node, struct soft_bus, runner_node)->lock);
	pthread_mutex_unlock(&runner.lock);
	pthread_mutex_unlock(&runner.start_stop);
}

/* The child has no such thread, and the devices are the parent's. */
static void forget_after_fork(void)
{
	resume_after_fork();
	list_init(&runner.buses);
	if (runner.running)
		count_add(COUNT_THREADS, -1);
	runner.running = false;
	runner.stop = false;
}

/* Signals belong to the threads of the script. */
static int start(void)
{
	static bool hooked;
	sigset_t all, old;
	int err;

	if (!hooked && pthread_atfork(stop_before_fork, resume_after_fork, forget_after_fork))
		return err_set(-ENOMEM, "no memory");
	hooked = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&runner.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err_set(-err, "no thread for the software SSD: %s", strerror(err));
	runner.running = true;
	count_add(COUNT_THREADS, 1);
	return 0;
}

int soft_runner_add(struct soft_bus *soft)
{
	int err = 0;

	pthread_mutex_lock(&runner.start_stop);
	if (!runner.running)
		err = start();
	if (!err) {
		pthread_mutex_lock(&runner.lock);
		list_add_tail(&runner.buses, &soft->runner_node);
		pthread_mutex_unlock(&runner.lock);
		soft_runner_wake();
	}
	pthread_mutex_unlock(&runner.start_stop);
	return err;
}

void soft_runner_remove(struct soft_bus *soft)
{
	bool last;

	pthread_mutex_lock(&runner.start_stop);
	pthread_mutex_lock(&runner.lock);
	list_del(&soft->runner_node);
	last = list_empty(&runner.buses);
	runner.stop = last;
	pthread_mutex_unlock(&runner.lock);
	if (last) {
		soft_runner_wake();
		pthread_join(runner.thread, NULL);
		runner.running = false;
		runner.stop = false;
		count_add(COUNT_THREADS, -1);
	}
	pthread_mutex_unlock(&runner.start_stop);
}
