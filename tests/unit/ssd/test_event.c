/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of what happens later. */
#include "rig.h"

#include "base/rand.h"
#include "ssd/event.h"

#define N 500

static struct ssd_events evs;
static struct ssd_event ev[N];

static int setup(void **state)
{
	memset(ev, 0, sizeof(ev));
	return ssd_events_reserve(&evs, N);
}

static int teardown(void **state)
{
	ssd_events_fini(&evs);
	return 0;
}

static struct ssd_event *pop(void)
{
	struct ssd_event *first = evs.n ? evs.heap[0] : NULL;

	if (first)
		ssd_event_clear(&evs, first);
	return first;
}

static void events_come_in_order_of_time(void **state)
{
	struct rand rand;
	uint64_t last = 0;

	rand_seed(&rand, 1);
	for (int i = 0; i < N; i++)
		ssd_event_set(&evs, &ev[i], rand_below(&rand, 1000));
	for (int i = 0; i < N; i++) {
		struct ssd_event *e = pop();

		assert_true(e->due_ns >= last);
		last = e->due_ns;
	}
	assert_null(pop());
	assert_int_equal(ssd_events_next_ns(&evs), UINT64_MAX);
}

static void equal_times_keep_their_order(void **state)
{
	for (int i = 0; i < N; i++)
		ssd_event_set(&evs, &ev[i], 7);
	for (int i = 0; i < N; i++)
		assert_ptr_equal(pop(), &ev[i]);
}

static void cleared_and_moved_events_are_found(void **state)
{
	struct rand rand;
	uint64_t last = 0;
	int left = 0;

	rand_seed(&rand, 2);
	for (int i = 0; i < 20 * N; i++) {
		struct ssd_event *e = &ev[rand_below(&rand, N)];

		if (rand_below(&rand, 3))
			ssd_event_set(&evs, e, rand_below(&rand, 1000));
		else
			ssd_event_clear(&evs, e);
	}
	for (int i = 0; i < N; i++)
		left += ssd_event_waiting(&ev[i]);
	assert_int_equal(evs.n, left);
	for (struct ssd_event *e = pop(); e; e = pop(), left--) {
		assert_true(e->due_ns >= last);
		assert_false(ssd_event_waiting(e));
		last = e->due_ns;
	}
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_come_in_order_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_times_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(cleared_and_moved_events_are_found, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
