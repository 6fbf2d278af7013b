/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl.h - a controller: bring-up, admin queue, resets, events.
 *
 * The admin queue has many users: every call here takes its mutex around submit and
 * poll, and whoever polls reaps for all. done() of an admin request runs under it.
 */
#ifndef PYNVME_NVME_CTRL_H
#define PYNVME_NVME_CTRL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "nvme/qpair.h"
#include "nvme/req.h"
#include "nvme/time.h"

struct bus;
struct nvme_aers;
struct nvme_events;
struct nvme_id_ctrl;
struct nvme_time_ops;
struct nvme_transport_ops;

#define NVME_CTRL_TIMEOUT_MS 5000u /* default command timeout */
#define NVME_ADMIN_CIDS	     128u
#define NVME_AER_SLOTS	     8u

enum nvme_event_type {
	NVME_EVENT_AER,		/* an AER completed; cqe valid; already posted again */
	NVME_EVENT_TIMEOUT,	/* a command is outstanding longer than the timeout */
	NVME_EVENT_UNKNOWN_CID, /* a CQE names a CID that is not outstanding */
	NVME_EVENT_WRONG_SQID,	/* a CQE names another SQ */
	NVME_EVENT_BAD_SQHD,	/* SQ head out of range */
	NVME_EVENT_FATAL,	/* CSTS.CFS */
	NVME_EVENT_GONE,	/* all-ones registers, or the kernel asks for the device back */
	NVME_EVENT_VERIFY,	/* a read did not match; miss valid */
};

struct nvme_event {
	enum nvme_event_type type;
	uint16_t sqid;
	uint16_t cid;
	uint64_t time_ns;
	struct nvme_cqe cqe;
	struct nvme_sqe sqe; /* TIMEOUT, VERIFY: the command */
	uint32_t timeout_ms;
	uint32_t nsid;
	/* NVME_EVENT_VERIFY, see verify/verify.h */
	uint64_t lba, stamp, token;
	uint32_t crc_expected, crc_got, bad_lbas;
};

/**
 * struct nvme_ctrl_opts - how to bring a controller up
 * @init: replaces the standard initialisation: called with the controller disabled, admin
 *        queue memory ready and nothing else done; NULL: the standard one
 * @fabric: more options of an NVMe/TCP address, see nvme/tcp/address.h; may be NULL
 * @time: a clock of the caller's own, see nvme/time.h; NULL: the real one
 */
struct nvme_ctrl_opts {
	int (*init)(struct nvme_ctrl *ctrl, void *priv);
	void *init_priv;
	const char *fabric;
	const struct nvme_time_ops *time;
	void *time_priv;
};

struct nvme_ctrl {
	struct bus *bus;
	struct nvme_qpair *adminq;
	const struct nvme_transport_ops *transport;
	uint64_t cap;
	uint32_t vs;
	uint32_t doorbell_stride;    /* bytes */
	_Atomic uint32_t timeout_ms; /* of the commands to come: nvme_timeout_set() */
	uint64_t mdts_bytes;	     /* UINT64_MAX: no limit */
	_Atomic int failed; /* -ENODEV gone, -EIO fatal status; until a reset. 0: all right */
	int pid;	    /* that opened it; every entry point refuses another */
	_Atomic uint64_t health_ns; /* next look at CSTS */
	/* cold from here */
	pthread_mutex_t admin_lock; /* recursive: a done() may look at the queue */
	/* One reset, qpair creation or deletion at a time; recursive: an init makes queues. */
	pthread_mutex_t reset_lock;
	pthread_mutex_t timeout_lock;
	struct nvme_timeout timeouts[NVME_TIMEOUTS]; /* oldest first */
	uint32_t ntimeouts;
	pthread_mutex_t ns_lock;       /* guards namespaces and their reference counts */
	struct nvme_qpair *qpairs;     /* IO, guarded by reset_lock */
	struct nvme_qpair *graves;     /* deleted, but the device may still write to their memory */
	struct nvme_ns *namespaces;    /* open ones, for refresh */
	_Atomic bool ns_stale;	       /* a command changed namespaces: refresh them */
	bool refreshing;	       /* that is under way, under admin_lock */
	_Atomic bool initialising;     /* only init_thread may use the admin queue */
	_Atomic pthread_t init_thread; /* both change under admin_lock */
	bool down;		       /* quiesced: commands are refused until the next reset */
	uint64_t qid_map[1024];	       /* identifiers in use, 64 a word */
	uint16_t nsqs, ncqs;	       /* as granted by Number of Queues */
	uint32_t max_entries;	       /* of an IO queue */
	/* 0, or what a transport was told to be content with. */
	uint32_t entries_limit, queues_limit;
	uint16_t naers;	     /* kept posted by the driver */
	uint32_t generation; /* rises with every reset */
	uint32_t number; /* of the controller in this process, from 1: the recorder's name for it */
	_Atomic uint32_t refs;
	struct nvme_ctrl_opts opts;
	struct nvme_id_ctrl *id_ctrl; /* as of the last initialisation, spec/identify.h */
	struct nvme_events *events;   /* nvme/event.c */
	struct nvme_aers *aers;	      /* nvme/aer.c */
	void *fabric;		      /* the transport's own, where there is more to it */
	struct nvme_ctrl *next;	      /* in the process's list */
	char addr[256];
};

extern int nvme_process; /* the process's id, also after fork */

/* Hot: does every command have to be refused? nvme_ctrl_check() says why. */
static inline bool nvme_ctrl_barred(const struct nvme_ctrl *ctrl)
{
	return atomic_load_explicit(&ctrl->failed, memory_order_relaxed) ||
	       ctrl->pid != nvme_process;
}

/**
 * nvme_ctrl_open() - reach the controller at @addr and initialise it
 *
 * Disable, wait, admin queue, CC, enable, CSTS.RDY within CAP.TO (CRTO), Identify, Number of
 * Queues, async event configuration, AERs (see contract). Errors as bus_open(), and -EPROTO,
 * -ETIMEDOUT (never ready, CFS), -EALREADY (open in this process).
 */
int nvme_ctrl_open(struct nvme_ctrl **out, const char *addr, const struct nvme_ctrl_opts *opts);
/* The same on a bus that is open already; it is the controller's from then on, also on failure. */
int nvme_ctrl_open_bus(struct nvme_ctrl **out, struct bus *bus, const struct nvme_ctrl_opts *opts);
struct nvme_ctrl *nvme_ctrl_get(struct nvme_ctrl *ctrl);
void nvme_ctrl_put(struct nvme_ctrl *ctrl); /* the last one shuts the controller down */

/* 0, or -EPERM "opened in process N", -ENODEV removed, -EIO fatal status. */
int nvme_ctrl_check(struct nvme_ctrl *ctrl);

/**
 * nvme_ctrl_health() - look at CSTS, at most a hundred times a second
 *
 * A controller that is gone or reports a fatal status is an event, once, and bars all commands
 * until a reset. Every poll that finds nothing calls it when it is time.
 * Return: time of the next look.
 */
uint64_t nvme_ctrl_health(struct nvme_ctrl *ctrl, uint64_t now_ns);

/* For a transport that finds it out by itself: @why is -ENODEV or -EIO. */
void nvme_ctrl_fail(struct nvme_ctrl *ctrl, int why, uint64_t now_ns);

int nvme_ctrl_read32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t *val);
int nvme_ctrl_write32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t val);
int nvme_ctrl_read64(struct nvme_ctrl *ctrl, uint32_t off, uint64_t *val);

/**
 * nvme_ctrl_poke32() - a register write of a script
 *
 * The driver goes along with CC.EN: clearing it ends every queue as a reset does, setting it
 * starts the admin queue afresh if it is still the driver's own. All else is written as is.
 */
int nvme_ctrl_poke32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t val);

/* Steps of the standard initialisation, for an init of the caller's own. */
int nvme_ctrl_disable(struct nvme_ctrl *ctrl);
int nvme_ctrl_setup_adminq(struct nvme_ctrl *ctrl);
int nvme_ctrl_enable(struct nvme_ctrl *ctrl, uint32_t cc); /* 0: standard CC */
int nvme_ctrl_wait_ready(struct nvme_ctrl *ctrl, bool ready);
int nvme_ctrl_identify(struct nvme_ctrl *ctrl);
int nvme_ctrl_init_queues(struct nvme_ctrl *ctrl);
int nvme_ctrl_post_aers(struct nvme_ctrl *ctrl);

/* --- admin commands --- */

/* Under admin_lock: 0, or why no command can be sent: nvme_ctrl_check(), -ESHUTDOWN. */
int nvme_admin_check(struct nvme_ctrl *ctrl);
/* Submit and ring; done() is called by whoever reaps. -ESHUTDOWN, -EPERM. */
int nvme_admin_submit(struct nvme_ctrl *ctrl, struct nvme_req *req);
/* Reap what is there. Return: completions, or -ESHUTDOWN. */
int nvme_admin_poll(struct nvme_ctrl *ctrl, uint64_t now_ns);
/**
 * nvme_admin_exec() - a command of the tool: submit and wait
 * @timeout_ms: 0 for the controller's own
 *
 * The data travels through memory of the driver, so that the caller's is its own again whatever
 * happens. done() of @req is not called.
 * Return: 0, a positive NVMe status (SCT << 8 | SC), -ETIMEDOUT, -ESHUTDOWN (reset meanwhile),
 * -ENODEV, -EIO, -EPERM, -ENOMEM.
 */
int nvme_admin_exec(struct nvme_ctrl *ctrl, struct nvme_req *req, uint32_t timeout_ms);

/* The same, with every unhappy end as an error with a text: -EPROTO for an NVMe status. */
int nvme_admin_must(struct nvme_ctrl *ctrl, struct nvme_req *req, uint32_t timeout_ms,
		    const char *what);

/* --- events, one bounded ring a controller --- */

void nvme_event_push(struct nvme_ctrl *ctrl, const struct nvme_event *ev);
/* 1 and the oldest event, or 0. Lost ones (ring full) are counted in *lost when not NULL. */
int nvme_event_pop(struct nvme_ctrl *ctrl, struct nvme_event *ev, uint64_t *lost);
/* The same, but events of type @left stay where they are. */
int nvme_event_pop_but(struct nvme_ctrl *ctrl, enum nvme_event_type left, struct nvme_event *ev);
/* Cheap: is there any? */
bool nvme_event_any(const struct nvme_ctrl *ctrl);

/* --- resets: freeze queues, drain requests as 00/08, act, initialise again --- */

enum nvme_reset {
	NVME_RESET_CTRL,      /* CC.EN 1 -> 0 -> 1 */
	NVME_RESET_FLR,	      /* PCI function level reset */
	NVME_RESET_HOT,	      /* PCI bus reset */
	NVME_RESET_SUBSYSTEM, /* NSSR */
};

int nvme_ctrl_reset(struct nvme_ctrl *ctrl, enum nvme_reset kind);
/* An init of the caller's own (opts.init) is under way in this very thread. Waits for no lock. */
bool nvme_ctrl_is_initialising(struct nvme_ctrl *ctrl);
/* Freeze and drain only: before config writes that stop decoding, or power-off. */
int nvme_ctrl_quiesce(struct nvme_ctrl *ctrl, const char *why);
/* After the device is back. */
int nvme_ctrl_reinit(struct nvme_ctrl *ctrl);
/**
 * nvme_ctrl_reopen() - initialise a controller that is open, once more and by another @opts->init
 *
 * For one more user of it, who has a reference of its own; whoever had queues has stale ones. With
 * an error the former init stays.
 */
int nvme_ctrl_reopen(struct nvme_ctrl *ctrl, const struct nvme_ctrl_opts *opts);
/* The owner of an init goes: resets are the standard ones, if it was @priv's. Waits for a reset. */
void nvme_ctrl_drop_init(struct nvme_ctrl *ctrl, const void *priv);
/* CC.SHN: orderly waits for SHST up to max(RTD3E, 10 s), abrupt returns at once. */
int nvme_ctrl_shutdown(struct nvme_ctrl *ctrl, bool abrupt);
/* Loses power (volatile state of verification goes unknown), through bus power. */
int nvme_ctrl_power(struct nvme_ctrl *ctrl, bool on);

#endif
