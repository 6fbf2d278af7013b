/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - what the parts of the target share of struct target.
 */
#ifndef PYNVME_TARGET_SERVER_H
#define PYNVME_TARGET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop;
struct subsys;
struct target;

/* Guards the list of associations, and what they say is under it. */
void server_lock(struct target *target);
void server_unlock(struct target *target);
struct list_node *server_assocs(struct target *target);

/* All threads look at their connections now. */
void server_wake(struct target *target);

uint16_t server_discovery_cntlid(struct target *target);

/* The subsystem of that name, discovery included; NULL: there is none. */
struct subsys *server_find(struct target *target, const char *nqn);
/* The i-th that is a drive; NULL past the end. */
struct subsys *server_subsys(struct target *target, unsigned int i);
bool server_allows(const struct target *target, const char *hostnqn);

/**
 * server_take() - memory of connections, of the target's budget
 *
 * False: it is not there. Whoever got it gives it back.
 */
bool server_take(struct target *target, uint64_t bytes);
void server_give(struct target *target, uint64_t bytes);
/* Most of it is taken: what is only kept for later goes back. */
bool server_is_tight(struct target *target);

/* A connection was made, or went. False: there are too many. */
bool server_count(struct target *target, int change);

#endif
