/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Branch hints for the IO path, where the compiler cannot guess what is rare.
 */
#ifndef BASE_LIKELY_H
#define BASE_LIKELY_H

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
