// SPDX-License-Identifier: BSD-3-Clause
/* What the queues of this process wait for, as a signal handler says it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/cmdlog/outstanding.h"

#define QUEUE_ENTRIES 64u

static char said[65536];
static char dir[64];

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/outstanding-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("PYNVME_CMDLOG_DIR", dir, 1);
	return 0;
}

/* Recorder files have no room in there: the slots that follow are in private memory. */
static int make_private(void **state)
{
	unlink(nvme_cmdlog_path());
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static enum fake_verdict hold(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
			      struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void look(uint64_t now_ns)
{
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	nvme_cmdlog_write_outstanding(ends[1], now_ns);
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	assert_true(n >= 0);
	said[n] = '\0';
	close(ends[0]);
}

static unsigned int lines_with(const char *text)
{
	unsigned int n = 0;

	for (const char *at = said; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void what_is_outstanding_is_said_oldest_first(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold;
	for (unsigned int i = 1; i <= 3; i++) {
		f->now_ns += 1000;
		fixture_read(f, i);
	}
	look(f->now_ns + 12345678000);

	assert_non_null(strstr(said,
			       "fake qpair 1: 3 outstanding\n"
			       "  Read (02) sqid:1 cid:0 nsid:1 cdw10:00000001 cdw11:00000000 "
			       "cdw12:00000000 => outstanding for 12.345680 s\n"
			       "  Read (02) sqid:1 cid:1 nsid:1 cdw10:00000002 "));
	assert_non_null(strstr(said, "cdw10:00000003 cdw11:00000000 cdw12:00000000 "
				     "=> outstanding for 12.345678 s\n"));
}

static void what_has_completed_is_not_said(void **state)
{
	struct fixture *f = *state;

	fixture_read(f, 1);
	fixture_poll(f);
	look(f->now_ns);

	assert_non_null(strstr(said, "fake qpair 1: 0 outstanding\n"));
	assert_int_equal(lines_with("cdw10"), 0);
}

static void events_that_are_awaited_are_only_counted(void **state)
{
	struct fixture *f = *state;

	look(f->now_ns);

	assert_non_null(strstr(said, "fake qpair 0: 0 outstanding, and 4 Asynchronous Event Req"));
	assert_int_equal(lines_with("(0c)"), 0);
}

static void of_many_the_oldest_are_said_and_the_others_counted(void **state)
{
	struct fixture *f = *state;

	nvme_qpair_delete(f->q);
	assert_int_equal(nvme_qpair_create(f->ctrl, QUEUE_ENTRIES, 0, NVME_QPAIR_NO_IRQ, &f->q), 0);
	f->fake->script = hold;
	/* All at the same time: then by CID. */
	for (unsigned int i = 0; i < 40; i++)
		fixture_read(f, i);
	look(f->now_ns);

	assert_int_equal(lines_with(" cdw10:"), 32);
	assert_non_null(strstr(said, "and 8 younger ones\n"));
}

static void a_deleted_queue_waits_for_nothing(void **state)
{
	struct fixture *f = *state;

	nvme_qpair_delete(f->q);
	f->q = NULL;
	look(f->now_ns);

	assert_int_equal(lines_with("qpair 1:"), 0);
}

static void a_queue_without_room_in_the_file_is_seen_too(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold;
	fixture_read(f, 7);
	look(f->now_ns);

	assert_non_null(strstr(said, "fake qpair 1: 1 outstanding\n"));
	assert_true(f->q->log->private_slot);
}

/* Deeper than any before: no slot that is there already is large enough. */
static int open_private(void **state)
{
	struct fixture *f;
	int err = make_private(state) || fixture_open(state);

	f = *state;
	nvme_qpair_delete(f->q);
	return err || nvme_qpair_create(f->ctrl, 2 * QUEUE_ENTRIES, 0, NVME_QPAIR_NO_IRQ, &f->q);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(what_is_outstanding_is_said_oldest_first),
		T(what_has_completed_is_not_said),
		T(events_that_are_awaited_are_only_counted),
		T(of_many_the_oldest_are_said_and_the_others_counted),
		T(a_deleted_queue_waits_for_nothing),
		cmocka_unit_test_setup_teardown(a_queue_without_room_in_the_file_is_seen_too,
						open_private, fixture_close),
		/* In the slot of the last one. */
		cmocka_unit_test_setup_teardown(a_queue_without_room_in_the_file_is_seen_too,
						open_private, fixture_close),
	};

	return cmocka_run_group_tests_name("nvme/outstanding", tests, make_dir, remove_dir);
}
