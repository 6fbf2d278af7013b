/*
 * A table of sizes and offsets, filled twice: from our headers and from libnvme's, which cannot
 * be included in one file as both use the names of the standard.
 */
#ifndef TESTS_UNIT_SPEC_LAYOUT_H
#define TESTS_UNIT_SPEC_LAYOUT_H

#include <stddef.h>

struct layout {
	const char *name;
	size_t bytes;
};

extern const struct layout libnvme_layout[];
extern const size_t libnvme_layout_count;

#endif
