/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixture.h - what every test of the workers needs.
 */
#ifndef PYNVME_TESTS_IOWORKER_FIXTURE_H
#define PYNVME_TESTS_IOWORKER_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the above first */
#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define US	      UINT64_C(1000)
#define MS	      UINT64_C(1000000)
#define SECOND	      UINT64_C(1000000000)

#endif
