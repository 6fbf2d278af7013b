/* Our wire structures against libnvme's, an independent reading of the same standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "layout.h"
#include "spec/fabrics.h"
#include "spec/features.h"
#include "spec/identify.h"
#include "spec/logs.h"
#include "spec/nvme.h"
#include "spec/zns.h"

#define SIZE(ours, theirs)	    { #ours, sizeof(struct ours) },
#define AT(ours, field, theirs, at) { #ours "." #field, offsetof(struct ours, field) },

static const struct layout our_layout[] = {
#include "layout_fields.h"
};

static void test_sizes_and_offsets_agree(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < libnvme_layout_count; i++) {
		const struct layout *ours = &our_layout[i];
		const struct layout *theirs = &libnvme_layout[i];

		if (ours->bytes != theirs->bytes) {
			print_error("%s: %zu, libnvme has %zu\n", ours->name, ours->bytes,
				    theirs->bytes);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_and_offsets_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
