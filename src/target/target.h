/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * target.h - software SSDs as an NVMe/TCP target, seen from outside.
 *
 * Each SSD is an NVM subsystem; a discovery controller names them all. Every host has a
 * controller of its own (dynamic controller model). The threads are inside: between
 * target_start() and target_stop() connections are served, whoever made them.
 */
#ifndef PYNVME_TARGET_TARGET_H
#define PYNVME_TARGET_TARGET_H

#include <stddef.h>
#include <stdint.h>

struct ssd;
struct target;

#define TARGET_THREADS_MAX    64
#define TARGET_SUBSYS_MAX     64
/* Memory for connections, in bytes: the least that makes sense, and what is usual. */
#define TARGET_MEMORY_MIN     (16ull << 20)
#define TARGET_MEMORY_DEFAULT (1ull << 30)

/**
 * target_create() - a target that does nothing yet
 * @threads: event loops, 1..TARGET_THREADS_MAX
 * @memory_bytes: for all connections together: their commands and buffers; media and the kernel's
 *                socket buffers are not in it. At least TARGET_MEMORY_MIN.
 *
 * A Connect that the memory does not suffice for is answered by 01/81, Controller Busy; a
 * connection, by closing it.
 */
int target_create(struct target **out, unsigned int threads, uint64_t memory_bytes);

/**
 * target_add() - one more SSD, before target_start()
 * @options: of the `sim:` address
 * @nqn: its NVM subsystem's name; NULL: the one that the SSD has
 *
 * Return: its number, from 0; or -EINVAL (also when the name is taken), -ENOSPC, and what
 * ssd_create() returns.
 */
int target_add(struct target *target, const char *options, const char *nqn);

/* Only hosts named so, once there is one name. 0, -EINVAL or -ENOMEM. */
int target_allow(struct target *target, const char *hostnqn);

/**
 * target_start() - listen and serve
 * @address: "127.0.0.1:4420", "[::1]:4420", "name:4420"; port 4420 without one, and any free one
 *           with port 0
 *
 * Errors: -EINVAL, or -errno of the socket (-EADDRINUSE, -EACCES); each with a text.
 */
int target_start(struct target *target, const char *address);

/* Where it listens, as a host may write it; valid until target_destroy(). */
const char *target_address(const struct target *target);

/* Of @memory_bytes, what connections have at present. */
uint64_t target_memory(const struct target *target);

/* True when hosts of other machines can connect. */
int target_is_public(const struct target *target);

/* All connections end, the threads too; file media are flushed by target_destroy(). */
void target_stop(struct target *target);
void target_destroy(struct target *target);

/* Enter SSD @number for a call of ssd/ssd.h, and leave it again. */
struct ssd *target_enter(struct target *target, unsigned int number);
void target_leave(struct target *target, unsigned int number);

/* Connections at present. */
unsigned int target_connections(const struct target *target);

#endif
