// SPDX-License-Identifier: BSD-3-Clause
/* The flight recorder: from inside, from another process, after a crash, with no room left. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/counts.h"
#include "base/rand.h"
#include "fixture.h"
#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/format.h"

static char dir[64];
static struct nvme_cmdlog_record records[NVME_CMDLOG_RECORDS + 256];

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/cmdlog-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("PYNVME_CMDLOG_DIR", dir, 1);
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static enum fake_verdict hold_lba_7(struct fake_ctrl *fake, uint16_t qid,
				    const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	return qid && sqe->cdw10 == 7 ? FAKE_HOLD : FAKE_COMPLETE;
}

static void newest_comes_first_and_outstanding_before_completed(void **state)
{
	struct fixture *f = *state;
	unsigned int n;

	f->fake->script = hold_lba_7;
	fixture_read(f, 7);
	fixture_poll(f);
	for (unsigned int i = 0; i < 5; i++) {
		f->now_ns += 10;
		fixture_read(f, i);
		f->now_ns += 3;
		fixture_poll(f);
	}
	n = nvme_cmdlog_read(f->q->log, records, 100);

	assert_int_equal(n, 6);
	assert_int_equal(records[0].sqe.cdw10, 7);
	assert_int_equal(records[0].complete_ns, 0);
	for (unsigned int i = 1; i < 6; i++) {
		assert_int_equal(records[i].sqe.cdw10, 5 - i);
		assert_int_equal(records[i].complete_ns - records[i].submit_ns, 3);
		assert_int_equal(records[i].cqe.cid, records[i].sqe.cid);
	}
	assert_int_equal(nvme_cmdlog_read(f->q->log, records, 2), 2);
}

static void the_last_2048_commands_are_kept(void **state)
{
	struct fixture *f = *state;
	unsigned int n;

	for (unsigned int i = 0; i < 5000; i++) {
		fixture_read(f, i % FIXTURE_REQS);
		fixture_poll(f);
	}
	n = nvme_cmdlog_read(f->q->log, records, UINT32_MAX);

	assert_int_equal(n, NVME_CMDLOG_RECORDS);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(records[i].sqe.cdw10, (4999 - i) % FIXTURE_REQS);
}

static int find_queue(struct nvme_cmdlog_file *file, uint16_t sqid, bool closed)
{
	struct nvme_cmdlog_slot_info info;
	int found = -1;

	for (unsigned int i = 0; !nvme_cmdlog_file_slot(file, i, &info); i++)
		if (info.sqid == sqid && !strcmp(info.addr, "fake") &&
		    (info.closed_ns != 0) == closed)
			found = (int)i;
	return found;
}

static void a_file_is_private_to_its_owner(void **state)
{
	struct stat st;

	assert_int_equal(stat(nvme_cmdlog_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void another_reader_sees_the_same(void **state)
{
	struct fixture *f = *state;
	struct nvme_cmdlog_info info;
	struct nvme_cmdlog_file *file = NULL;
	int i;

	fixture_read(f, 3);
	fixture_poll(f);
	assert_int_equal(nvme_cmdlog_file_open(&file, nvme_cmdlog_path()), 0);
	nvme_cmdlog_file_info(file, &info);
	i = find_queue(file, 1, false);

	assert_int_equal(info.pid, getpid());
	assert_true(info.alive);
	assert_true(i >= 0);
	assert_int_equal(nvme_cmdlog_file_read(file, (unsigned int)i, records, 100), 1);
	assert_int_equal(records[0].sqe.cdw10, 3);
	nvme_cmdlog_file_close(file);
}

static void crash(int out)
{
	struct fixture *f = NULL;

	fixture_open((void **)&f);
	f->fake->script = hold_lba_7;
	fixture_read(f, 7);
	fixture_read(f, 1);
	fixture_poll(f);
	if (write(out, nvme_cmdlog_path(), strlen(nvme_cmdlog_path()) + 1) < 0)
		_exit(1);
	kill(getpid(), SIGKILL);
}

static void a_killed_process_leaves_its_commands(void **state)
{
	struct nvme_cmdlog_file *file = NULL;
	struct nvme_cmdlog_info info;
	char path[512] = "";
	int fds[2], i;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid)
		crash(fds[1]);
	waitpid(pid, NULL, 0);
	assert_true(read(fds[0], path, sizeof(path)) > 0);
	assert_int_equal(nvme_cmdlog_file_open(&file, path), 0);
	nvme_cmdlog_file_info(file, &info);
	i = find_queue(file, 1, false);

	assert_int_equal(info.pid, pid);
	assert_false(info.alive);
	assert_int_equal(nvme_cmdlog_file_read(file, (unsigned int)i, records, 100), 2);
	assert_int_equal(records[0].sqe.cdw10, 7);
	assert_int_equal(records[0].complete_ns, 0);
	assert_int_equal(records[1].sqe.cdw10, 1);
	nvme_cmdlog_file_close(file);
	close(fds[0]);
	close(fds[1]);
}

static void slots_are_used_again(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q = NULL;
	struct stat before, after;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), 0);
		nvme_qpair_delete(q);
		if (i == 0)
			stat(nvme_cmdlog_path(), &before);
	}
	stat(nvme_cmdlog_path(), &after);

	assert_int_equal(before.st_size, after.st_size);
}

/* Wider than any queue before: only slots of the test's own are large enough. */
#define WIDE  3000
#define WIDER 3500

/* What a closed queue did is read after it: the slot that goes is the one closed first. */
static void the_queue_that_closed_first_gives_its_slot(void **state)
{
	struct fixture *f = *state;
	struct nvme_cmdlog_queue *first = nvme_cmdlog_open(f->ctrl, 11, WIDE);
	struct nvme_cmdlog_queue *second = nvme_cmdlog_open(f->ctrl, 12, WIDE);
	struct nvme_cmdlog_queue *third = nvme_cmdlog_open(f->ctrl, 13, WIDE);

	nvme_cmdlog_close(second);
	nvme_cmdlog_close(first);
	nvme_cmdlog_close(third);

	assert_ptr_equal(nvme_cmdlog_open(f->ctrl, 14, WIDE), second);
	assert_ptr_equal(nvme_cmdlog_open(f->ctrl, 15, WIDE), first);
	assert_ptr_equal(nvme_cmdlog_open(f->ctrl, 16, WIDE), third);
	nvme_cmdlog_close(first);
	nvme_cmdlog_close(second);
	nvme_cmdlog_close(third);
}

static void a_slot_in_use_again_is_nobody_else_s(void **state)
{
	struct fixture *f = *state;
	struct nvme_cmdlog_queue *log = nvme_cmdlog_open(f->ctrl, 11, WIDER), *other;

	nvme_cmdlog_close(log);
	assert_ptr_equal(nvme_cmdlog_open(f->ctrl, 12, WIDER), log);
	other = nvme_cmdlog_open(f->ctrl, 13, WIDER);

	assert_ptr_not_equal(other, log);
	assert_int_equal(log->slot->sqid, 12);
	assert_int_equal(log->slot->closed_ns, 0);
	nvme_cmdlog_close(other);
	nvme_cmdlog_close(log);
}

static void only_eight_of_the_dead_are_kept(void **state)
{
	char path[256];
	int kept = 0;

	for (int i = 1; i <= 20; i++) {
		/* A process that ended long ago: nobody has this start time. */
		snprintf(path, sizeof(path), "%s/pynvme-%d-%d-%d.cmdlog", dir, getuid(), i, 1);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	nvme_cmdlog_prune(8);
	for (int i = 1; i <= 20; i++) {
		snprintf(path, sizeof(path), "%s/pynvme-%d-%d-%d.cmdlog", dir, getuid(), i, 1);
		kept += !access(path, F_OK);
		unlink(path);
	}

	/* Those of this process's former tests are dead, too. */
	assert_in_range(kept, 6, 8);
	assert_int_equal(access(nvme_cmdlog_path(), F_OK), 0);
}

static uint8_t *slurp(size_t *len)
{
	FILE *file = fopen(nvme_cmdlog_path(), "r");
	uint8_t *bytes;

	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	fclose(file);
	return bytes;
}

static void read_all(const char *path)
{
	struct nvme_cmdlog_file *file = NULL;
	struct nvme_cmdlog_slot_info info;
	int err;

	if (nvme_cmdlog_file_open(&file, path))
		return;
	for (unsigned int i = 0; (err = nvme_cmdlog_file_slot(file, i, &info)) != -ENOENT; i++)
		if (!err)
			nvme_cmdlog_file_read(file, i, records, 100);
	nvme_cmdlog_file_close(file);
}

static void no_bytes_can_hurt_a_reader(void **state)
{
	struct fixture *f = *state;
	struct rand rng;
	char path[128];
	uint8_t *bytes;
	size_t len;

	fixture_read(f, 3);
	fixture_poll(f);
	bytes = slurp(&len);
	rand_seed(&rng, 7);
	snprintf(path, sizeof(path), "%s/hostile", dir);
	for (int round = 0; round < 200; round++) {
		int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
		size_t cut = round & 1 ? len : rand_below(&rng, len);

		assert_int_equal(write(fd, bytes, cut), cut);
		for (int i = 0; i < 8; i++) {
			uint64_t val = rand_next(&rng) >> rand_below(&rng, 64);
			/* Headers, mostly. */
			size_t at = rand_below(&rng, round & 2 ? 8192 : len - 8);

			assert_int_equal(pwrite(fd, &val, 8, (off_t)at), 8);
		}
		close(fd);
		read_all(path);
	}
	free(bytes);
}

static void a_record_that_lost_its_place_is_left_out(void **state)
{
	static struct nvme_cmdlog_record ring[NVME_CMDLOG_RECORDS];
	unsigned int n;

	for (unsigned int k = 1; k <= 10; k++)
		ring[k - 1] = (struct nvme_cmdlog_record){ .seq = 2 * k, .submit_ns = k };
	/* The fifth was overtaken by the ring's next round; those between are not there. */
	ring[4].seq = 2 * (NVME_CMDLOG_RECORDS + 5);
	n = nvme_cmdlog_collect(NULL, 0, ring, records, UINT32_MAX);

	assert_int_equal(n, 6);
	for (unsigned int i = 1; i < n; i++)
		assert_int_equal(records[i].seq, 2 * (11 - i));
}

static void a_slot_that_claims_more_than_it_has_is_not_there(void **state)
{
	struct nvme_cmdlog_file *file = NULL;
	struct nvme_cmdlog_info info;
	struct nvme_cmdlog_slot *slot;
	char path[128];
	uint8_t *bytes;
	size_t len;
	FILE *out;

	bytes = slurp(&len);
	slot = (struct nvme_cmdlog_slot *)(bytes + NVME_CMDLOG_PAGE);
	slot->ncids = 60000;
	snprintf(path, sizeof(path), "%s/greedy", dir);
	out = fopen(path, "w");
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	fclose(out);
	assert_int_equal(nvme_cmdlog_file_open(&file, path), 0);
	nvme_cmdlog_file_info(file, &info);

	assert_int_equal(info.nslots, 0);
	nvme_cmdlog_file_close(file);
	free(bytes);
}

static void what_is_no_log_is_refused(void **state)
{
	struct nvme_cmdlog_file *file = NULL;
	char path[128], link[128];

	assert_int_equal(nvme_cmdlog_file_open(&file, "/nonexistent"), -ENOENT);
	assert_int_equal(nvme_cmdlog_file_open(&file, "/dev/null"), -EINVAL);
	assert_int_equal(nvme_cmdlog_file_open(&file, "/etc/passwd"), -EINVAL);
	snprintf(path, sizeof(path), "%s", dir);
	assert_int_equal(nvme_cmdlog_file_open(&file, path), -EINVAL);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(nvme_cmdlog_path(), link), 0);
	assert_int_equal(nvme_cmdlog_file_open(&file, link), -ELOOP);
}

static void without_room_the_log_is_private(void **state)
{
	struct fixture *f = NULL;
	int status;
	pid_t pid;

	/* In a process of its own, which has no file yet. */
	pid = fork();
	if (!pid) {
		setenv("PYNVME_CMDLOG_DIR", "/proc/self/nothing", 1);
		fixture_open((void **)&f);
		fixture_read(f, 5);
		fixture_poll(f);
		_exit(nvme_cmdlog_read(f->q->log, records, 10) == 1 && records[0].sqe.cdw10 == 5 &&
				      !*nvme_cmdlog_path() ?
			      0 :
			      1);
	}
	waitpid(pid, &status, 0);

	assert_int_equal(status, 0);
}

static void a_file_in_the_place_of_its_own_is_left_alone(void **state)
{
	struct fixture *f = NULL;
	struct nvme_qpair *q;
	struct stat st;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		fixture_open((void **)&f);
		unlink(nvme_cmdlog_path());
		close(open(nvme_cmdlog_path(), O_CREAT | O_EXCL | O_WRONLY, 0600));
		/* larger than what has a slot already */
		if (nvme_qpair_create(f->ctrl, 1000, 0, 0, &q))
			_exit(1);
		_exit(stat(nvme_cmdlog_path(), &st) || st.st_size ? 2 : 0);
	}
	waitpid(pid, &status, 0);

	assert_int_equal(status, 0);
}

static void a_full_tmpfs_is_no_signal(void **state)
{
	struct fixture *f = NULL;
	char path[128];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/small", dir);
	mkdir(path, 0700);
	if (mount("none", path, "tmpfs", 0, "size=200k")) {
		print_message("no right to mount a tmpfs\n");
		skip();
	}
	pid = fork();
	if (!pid) {
		setenv("PYNVME_CMDLOG_DIR", path, 1);
		fixture_open((void **)&f);
		for (unsigned int i = 0; i < 3000; i++) {
			fixture_read(f, 5);
			fixture_poll(f);
		}
		_exit(f->completed == 3000 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	umount(path);

	assert_int_equal(status, 0);
}

static void counts_of_slots_return_to_zero(void **state)
{
	assert_int_equal(count_get(COUNT_RECORDER_SLOTS), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(newest_comes_first_and_outstanding_before_completed),
		T(the_last_2048_commands_are_kept),
		T(a_file_is_private_to_its_owner),
		T(another_reader_sees_the_same),
		cmocka_unit_test(a_killed_process_leaves_its_commands),
		T(slots_are_used_again),
		T(the_queue_that_closed_first_gives_its_slot),
		T(a_slot_in_use_again_is_nobody_else_s),
		T(only_eight_of_the_dead_are_kept),
		T(no_bytes_can_hurt_a_reader),
		cmocka_unit_test(a_record_that_lost_its_place_is_left_out),
		T(a_slot_that_claims_more_than_it_has_is_not_there),
		T(what_is_no_log_is_refused),
		cmocka_unit_test(without_room_the_log_is_private),
		cmocka_unit_test(a_file_in_the_place_of_its_own_is_left_alone),
		cmocka_unit_test(a_full_tmpfs_is_no_signal),
		cmocka_unit_test(counts_of_slots_return_to_zero),
	};

	return cmocka_run_group_tests_name("nvme/cmdlog", tests, make_dir, remove_dir);
}
