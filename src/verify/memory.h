/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.h - how much memory all verify tables of the process may take.
 */
#ifndef PYNVME_VERIFY_MEMORY_H
#define PYNVME_VERIFY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Room for one group more: false if there is none. */
bool verify_memory_take(void);
void verify_memory_give(uint64_t ngroups);

#endif
