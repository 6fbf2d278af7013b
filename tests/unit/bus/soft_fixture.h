/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soft_fixture.h - a software SSD with an admin queue, as the tests of the soft bus need it.
 */
#ifndef PYNVME_TESTS_SOFT_FIXTURE_H
#define PYNVME_TESTS_SOFT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#define SOFT_ENTRIES 32u
#define MS	     UINT64_C(1000000)

struct bus;

extern struct bus *soft_dev;
extern uint32_t soft_tail; /* what the doorbell of the admin queue was last written with */

/* Open, with two interrupt vectors, and enabled: "sim", without latency, with a thread. */
int soft_setup(void **state);
int soft_setup_fast(void **state);
int soft_setup_always(void **state);
/* Fails when something is left behind. */
int soft_teardown(void **state);

void soft_assert_ok(int err);
/* Disable, empty queues, enable. */
void soft_enable(void);
/* Identify Controller; the doorbell is a plain store, as the driver's. */
void soft_submit(void);
/* Completions posted on the first lap of the queue. */
unsigned int soft_posted(void);
bool soft_posted_within_ms(unsigned int n, unsigned int ms);
void soft_sleep_ms(unsigned int ms);

#endif
