/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keepalive.c - Keep Alive (Base 2.1 section 3.9), and a look at CSTS beside it.
 *
 * Whoever polls the admin queue sends what is due. One thread of the process looks after those
 * that nobody polls, however long a script sleeps or stands at a breakpoint.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/counts.h"
#include "nvme/cmd.h"
#include "nvme/time.h"
#include "nvme/tcp/fabric.h"

#define PASS_NS UINT64_C(100000000)
#define SECOND	UINT64_C(1000000000)

static struct {
	pthread_mutex_t start_stop; /* taken first; never by the thread */
	pthread_mutex_t lock;	    /* guards the rest, held during a pass */
	pthread_cond_t cond;
	struct list_node fabrics;
	pthread_t thread;
	bool running;
	bool stop;
	bool hooked;
} runner = {
	.start_stop = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.cond = PTHREAD_COND_INITIALIZER,
	.fabrics = { &runner.fabrics, &runner.fabrics },
};

/* --- one controller, under its admin_lock --- */

static void alive_done(struct nvme_req *req)
{
	((struct nvme_tcp_fabric *)req->owner)->alive_busy = false;
}

static void csts_done(struct nvme_req *req)
{
	struct nvme_tcp_fabric *fabric = req->owner;

	fabric->csts_busy = false;
	if (!(req->flags & NVME_REQ_SYNTHETIC) && !nvme_req_status(req) &&
	    NVME_GET(req->cqe.cdw0, CSTS_CFS))
		nvme_ctrl_fail(fabric->ctrl, -EIO, clock_now_ns());
}

static void send_alive(struct nvme_tcp_fabric *fabric, uint64_t now_ns)
{
	static const uint32_t none[6];

	fabric->alive_req = (struct nvme_req){ .done = alive_done,
					       .owner = fabric,
					       .flags = NVME_REQ_INTERNAL };
	nvme_cmd_raw(&fabric->alive_req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	fabric->alive_busy = true;
	fabric->alive_ns = now_ns;
	nvme_qpair_submit(fabric->ctrl->adminq, &fabric->alive_req, now_ns);
}

static void send_csts(struct nvme_tcp_fabric *fabric, uint64_t now_ns)
{
	struct nvme_property_cmd cmd = { .opc = NVME_ADMIN_FABRICS,
					 .fctype = NVME_FCTYPE_PROPERTY_GET,
					 .ofst = NVME_REG_CSTS };

	fabric->csts_req =
		(struct nvme_req){ .done = csts_done, .owner = fabric, .flags = NVME_REQ_INTERNAL };
	memcpy(&fabric->csts_req.sqe, &cmd, sizeof(cmd));
	fabric->csts_busy = true;
	nvme_qpair_submit(fabric->ctrl->adminq, &fabric->csts_req, now_ns);
}

void nvme_tcp_alive_tick(struct nvme_ctrl *ctrl, uint64_t now_ns)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);
	struct nvme_tcp_queue *t = nvme_tcp_of(ctrl->adminq);
	uint64_t kato_ns = fabric->target.kato_s * SECOND;
	uint64_t since_ns = now_ns > fabric->alive_ns ? now_ns - fabric->alive_ns : 0;

	if (!kato_ns || since_ns < kato_ns / 3 || t->fd < 0 || t->lost ||
	    atomic_load(&ctrl->adminq->state) != NVME_QPAIR_LIVE)
		return;
	if (fabric->alive_busy) {
		if (since_ns > kato_ns)
			nvme_tcp_lose(t, "no answer to Keep Alive for %u s", fabric->target.kato_s);
		return;
	}
	send_alive(fabric, now_ns);
	if (!fabric->csts_busy)
		send_csts(fabric, now_ns);
	nvme_qpair_ring(ctrl->adminq);
}

/* Without that, what completes is left to those whom it belongs to. */
static bool wants_poll(const struct nvme_tcp_fabric *fabric, uint64_t now_ns)
{
	uint64_t kato_ns = fabric->target.kato_s * SECOND;

	return fabric->alive_busy || fabric->csts_busy ||
	       (kato_ns && now_ns > fabric->alive_ns + kato_ns / 3);
}

/* --- the thread --- */

static void serve(struct nvme_tcp_fabric *fabric)
{
	struct nvme_ctrl *ctrl = fabric->ctrl;
	uint64_t now_ns = nvme_time_now_ns(ctrl);

	/* Whoever holds it polls. */
	if (pthread_mutex_trylock(&ctrl->admin_lock))
		return;
	if (wants_poll(fabric, now_ns))
		nvme_admin_poll(ctrl, now_ns);
	pthread_mutex_unlock(&ctrl->admin_lock);
}

static void *run(void *arg)
{
	struct timespec until;
	struct list_node *node;

	prctl(PR_SET_NAME, "nvme-tcp");
	pthread_mutex_lock(&runner.lock);
	while (!runner.stop) {
		for (node = runner.fabrics.next; node != &runner.fabrics; node = node->next)
			serve(list_entry(node, struct nvme_tcp_fabric, node));
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += (long)PASS_NS;
		if (until.tv_nsec >= (long)SECOND) {
			until.tv_nsec -= (long)SECOND;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&runner.cond, &runner.lock, &until);
	}
	pthread_mutex_unlock(&runner.lock);
	return NULL;
}

static void lock_for_fork(void)
{
	pthread_mutex_lock(&runner.start_stop);
	pthread_mutex_lock(&runner.lock);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&runner.lock);
	pthread_mutex_unlock(&runner.start_stop);
}

/* The child has no such thread, and the connections are the parent's. */
static void forget_after_fork(void)
{
	unlock_after_fork();
	list_init(&runner.fabrics);
	if (runner.running)
		count_dec(COUNT_THREADS);
	runner.running = false;
}

/* Signals belong to the threads of the script. */
static int start(void)
{
	sigset_t all, old;
	int err;

	if (!runner.hooked && pthread_atfork(lock_for_fork, unlock_after_fork, forget_after_fork))
		return err_set(-ENOMEM, "no memory");
	runner.hooked = true;
	runner.stop = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&runner.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err_set(-err, "no thread to keep connections alive: %s", strerror(err));
	runner.running = true;
	count_inc(COUNT_THREADS);
	return 0;
}

int nvme_tcp_alive_start(struct nvme_ctrl *ctrl)
{
	int err = 0;

	pthread_mutex_lock(&runner.start_stop);
	if (!runner.running)
		err = start();
	if (!err) {
		pthread_mutex_lock(&runner.lock);
		list_add_tail(&runner.fabrics, &nvme_tcp_fabric_of(ctrl)->node);
		pthread_mutex_unlock(&runner.lock);
	}
	pthread_mutex_unlock(&runner.start_stop);
	return err;
}

void nvme_tcp_alive_stop(struct nvme_ctrl *ctrl)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);

	pthread_mutex_lock(&runner.start_stop);
	pthread_mutex_lock(&runner.lock);
	if (fabric->node.next)
		list_del(&fabric->node);
	runner.stop = runner.running && list_empty(&runner.fabrics);
	pthread_cond_signal(&runner.cond);
	pthread_mutex_unlock(&runner.lock);
	if (runner.stop) {
		pthread_join(runner.thread, NULL);
		runner.running = false;
		count_dec(COUNT_THREADS);
	}
	pthread_mutex_unlock(&runner.start_stop);
}
