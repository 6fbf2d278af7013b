/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ssd.h - the software SSD, seen from outside.
 *
 * A deterministic model of an NVMe drive. Everything happens inside ssd_step() and
 * the register calls, at the time its caller says it is; the model has no thread,
 * no clock and no lock of its own: one caller at a time (bus/soft.c holds the lock).
 */
#ifndef PYNVME_SSD_SSD_H
#define PYNVME_SSD_SSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "spec/nvme.h"

struct ssd;
struct ssd_ctrl;

/**
 * struct ssd_host_ops - what a device may ask of its host
 * @map: resolve [iova, iova + len) for reading (PROT_READ) or writing (PROT_WRITE) by the
 *       device into at most @max pieces; returns their number, or -EFAULT when any byte
 *       of it is not mapped
 * @irq: raise interrupt vector @vector (called only for unmasked vectors, or INTx as 0)
 *
 * Rings are resolved once, when their queue is created: they must stay mapped until it goes.
 */
struct ssd_host_ops {
	int (*map)(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max);
	void (*irq)(void *host, unsigned int vector);
};

/**
 * ssd_create() - a powered drive
 * @options: "key=value,..." of the `sim:` address, "" for the default profile
 * @ops, @host: its host; both outlive the drive
 * @now_ns: the time it is
 *
 * * Errors: -EINVAL with a text that names the bad option and lists the known ones,
 * -ENOMEM, -errno of a file medium (-EBUSY: in use by another process).
 */
int ssd_create(struct ssd **out, const char *options, const struct ssd_host_ops *ops, void *host,
	       uint64_t now_ns);
void ssd_destroy(struct ssd *ssd);

/* The controller of the drive's PCI function: @ops and @host are its. Never NULL. */
struct ssd_ctrl *ssd_pcie(struct ssd *ssd);

/* Text of `pynvme sim --help`: every option with unit and default. */
const char *ssd_options_help(void);

/* The name of the NVM subsystem, and another one; at most NVME_NQN_MAX bytes. */
const char *ssd_nqn(const struct ssd *ssd);
int ssd_set_nqn(struct ssd *ssd, const char *nqn);

#define SSD_CTRLS_MAX 256
#define SSD_KAS_MS    100u /* granularity of the Keep Alive Timer */

/* A Keep Alive Timeout in the controller's granularity: rounded up; the longest stays. */
static inline uint32_t ssd_kato_round_ms(uint32_t kato_ms)
{
	uint32_t most = UINT32_MAX / SSD_KAS_MS;
	uint64_t units = ((uint64_t)kato_ms + SSD_KAS_MS - 1) / SSD_KAS_MS;

	return (units < most ? (uint32_t)units : most) * SSD_KAS_MS;
}

/**
 * struct ssd_fabrics - what a front end without queues in memory says in Identify
 * @incapsule_bytes: data that may come with an I/O command; a multiple of 16
 * @maxcmd: commands outstanding on an I/O queue
 */
struct ssd_fabrics {
	uint32_t incapsule_bytes;
	uint16_t maxcmd;
};

/**
 * ssd_ctrl_create() - one more controller of the drive, for a host over fabrics
 *
 * Its properties are what ssd_reg_read() and ssd_reg_write() reach, its commands come by
 * ssd_exec(). The others' namespaces are its own, and so is every change of them.
 * Errors: -ENODEV without power, -EBUSY with SSD_CTRLS_MAX, -ENOMEM
 */
int ssd_ctrl_create(struct ssd_ctrl **out, struct ssd *ssd, const struct ssd_fabrics *fabrics,
		    uint64_t now_ns);
/* The host is gone; done() is not called for what it had outstanding. */
void ssd_ctrl_destroy(struct ssd_ctrl *ctrl);

uint16_t ssd_ctrl_id(const struct ssd_ctrl *ctrl);
/* Enabled, CSTS.RDY, no fatal status, no shutdown. */
bool ssd_ctrl_ready(const struct ssd_ctrl *ctrl);
/* Power, or an NVM Subsystem Reset, ended the association: only ssd_ctrl_destroy() is left. */
bool ssd_ctrl_lost(const struct ssd_ctrl *ctrl);
/* I/O queues allocated (feature 07h). */
unsigned int ssd_ctrl_queues(const struct ssd_ctrl *ctrl);
/* Feature 0Fh. */
uint32_t ssd_ctrl_kato_ms(const struct ssd_ctrl *ctrl);
/* Rounded up to SSD_KAS_MS, as Set Features does. */
void ssd_ctrl_set_kato_ms(struct ssd_ctrl *ctrl, uint32_t kato_ms);
/* Feature 81h: over fabrics it is what Connect said. */
void ssd_ctrl_set_host_id(struct ssd_ctrl *ctrl, const uint8_t id[16]);
/* CSTS.CFS, as after a Keep Alive that did not come. */
void ssd_ctrl_fail(struct ssd_ctrl *ctrl);
/* Entries a queue can have (CAP.MQES + 1), and the most data a command can move. */
unsigned int ssd_mqes(const struct ssd *ssd);
uint32_t ssd_mdts_bytes(const struct ssd *ssd);

#define SSD_BAR0_BYTES 0x4000u /* registers, doorbells, MSI-X table, PBA: a page each */

/* BAR0 and config space; any access is answered, an invalid one as the specification says. */
uint64_t ssd_reg_read(struct ssd_ctrl *ctrl, uint64_t off, int width, uint64_t now_ns);
void ssd_reg_write(struct ssd_ctrl *ctrl, uint64_t off, int width, uint64_t val, uint64_t now_ns);
void ssd_cfg_read(struct ssd_ctrl *ctrl, unsigned int off, void *buf, unsigned int len);
void ssd_cfg_write(struct ssd_ctrl *ctrl, unsigned int off, const void *buf, unsigned int len,
		   uint64_t now_ns);

/* The doorbell page(s), BAR0 + 1000h: plain stores by the host are seen by the next step. */
volatile uint32_t *ssd_doorbells(struct ssd_ctrl *ctrl, size_t *bytes);

/**
 * ssd_step() - consume doorbells, execute, post due completions
 *
 * At most 32 commands a call.
 * Return: amount of work done, 0 when there was none.
 */
int ssd_step(struct ssd *ssd, uint64_t now_ns);

/* When a step has something to do even if no doorbell is written; UINT64_MAX: never. */
uint64_t ssd_next_event_ns(const struct ssd *ssd);

/* True if the options ask for a device thread of its own ("thread=always"). */
bool ssd_wants_thread(const struct ssd *ssd);

/*
 * Both clear configuration space as well (Command, BAR0, MSI-X), to what firmware would have
 * left there: memory and bus mastering on, MSI-X off. -ENODEV without power or drive.
 */
int ssd_flr(struct ssd_ctrl *ctrl, uint64_t now_ns);
int ssd_hot_reset(struct ssd_ctrl *ctrl, uint64_t now_ns);
/* Off: caches are lost as the specification allows; registers read all-ones. */
int ssd_power(struct ssd *ssd, bool on, uint64_t now_ns);
bool ssd_powered(const struct ssd *ssd);
/* Surprise removal; for good. */
void ssd_remove(struct ssd *ssd, uint64_t now_ns);
/* Composite temperature in Kelvin; evaluated against the thresholds at once. */
int ssd_set_temperature(struct ssd *ssd, unsigned int kelvin, uint64_t now_ns);
unsigned int ssd_temperature(const struct ssd *ssd);

struct ssd_stats {
	uint64_t commands;	/* executed, admin and IO */
	uint64_t reads, writes; /* units of 512 bytes */
	uint64_t irqs;		/* raised */
	uint64_t media_bytes;	/* memory the media holds now */
	uint64_t faults_hit;	/* over all faults */
};

void ssd_get_stats(const struct ssd *ssd, struct ssd_stats *stats);

/* What an injected fault does to the command it matches. */
enum ssd_fault_action {
	SSD_FAULT_STATUS,      /* complete with .status (SCT << 8 | SC) */
	SSD_FAULT_DELAY,       /* complete .delay_ns later */
	SSD_FAULT_DROP,	       /* never complete */
	SSD_FAULT_DUPLICATE,   /* complete twice */
	SSD_FAULT_WRONG_CID,   /* complete with .value as CID */
	SSD_FAULT_WRONG_SQID,  /* complete with .value as SQID */
	SSD_FAULT_NO_PHASE,    /* post the CQE without flipping its phase */
	SSD_FAULT_BITFLIP,     /* one bit of the data flips (read: on the way; write: on media) */
	SSD_FAULT_STALE,       /* read returns the data before the last write */
	SSD_FAULT_MISDIRECTED, /* data goes to, or comes from, another LBA (.value away) */
	SSD_FAULT_TORN,	       /* only a part of the LBAs reaches the media */
	SSD_FAULT_LOST,	       /* write is acknowledged, nothing reaches the media */
	SSD_FAULT_FATAL,       /* CSTS.CFS, no completion */
	SSD_FAULT_REMOVE,      /* surprise removal */
	SSD_FAULT_POWER,       /* power loss */
	SSD_FAULT_ACTIONS
};

/**
 * struct ssd_fault - one rule: match, then action
 * @admin: -1 either queue kind, 1 admin, 0 IO
 * @opcode: -1 any
 * @nsid: 0 any
 * @slba, @nlb: matches commands that touch the range; nlb 0: any
 * @nth: first hit is the nth match, one-based
 * @times: hits before the rule ends; 0: no end
 * @probability: 0..1, of each match from the nth on; seeded
 */
struct ssd_fault {
	int admin;
	int opcode;
	uint32_t nsid;
	uint64_t slba;
	uint64_t nlb;
	uint64_t nth;
	uint64_t times;
	double probability;
	enum ssd_fault_action action;
	uint16_t status;
	uint64_t delay_ns;
	int64_t value;
	/* counted by the drive */
	uint64_t matched;
	uint64_t hits;
};

/* Return: a positive id, or -EINVAL / -ENOMEM. */
int ssd_fault_add(struct ssd *ssd, const struct ssd_fault *fault);
int ssd_fault_del(struct ssd *ssd, int id);
/* The i-th rule with its counts; -ENOENT past the end. */
int ssd_fault_get(const struct ssd *ssd, unsigned int i, int *id, struct ssd_fault *out);

/**
 * struct ssd_cmd - one command for a front end that is not PRP queues (NVMe/TCP target)
 * @done: called once, from inside ssd_exec() or a later call of any function of the drive; never
 *        after ssd_exec_forget(), nor when a reset, or a fault, drops the command
 * @moved: bytes of @data that the command read or wrote; valid in done()
 * @copies: completions to send: 1, or 2 by a fault
 */
struct ssd_cmd {
	struct nvme_sqe sqe;
	struct nvme_cqe cqe;
	uint16_t sqid;
	struct iovec *data;
	int data_n;
	struct iovec *meta;
	int meta_n;
	size_t moved;
	unsigned int copies;
	void (*done)(struct ssd_cmd *cmd);
	void *priv;
};

/* 0, -ENODEV without power, -EAGAIN too many commands are inside; then done() is not called. */
int ssd_exec(struct ssd_ctrl *ctrl, struct ssd_cmd *cmd, uint64_t now_ns);
/* Forget the commands of a queue of @ctrl, -1: of all its queues. */
void ssd_exec_forget(struct ssd_ctrl *ctrl, int sqid);

#endif
