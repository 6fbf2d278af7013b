/* What libnvme takes the structures of the standards to look like. */
#include <libnvme.h>

#include "layout.h"

#define SIZE(ours, theirs)	    { #ours, sizeof(struct theirs) },
#define AT(ours, field, theirs, at) { #ours "." #field, offsetof(struct theirs, at) },

const struct layout libnvme_layout[] = {
#include "layout_fields.h"
};

const size_t libnvme_layout_count = sizeof(libnvme_layout) / sizeof(libnvme_layout[0]);
