/* SPDX-License-Identifier: BSD-3-Clause */
/* A drive in a file: what outlives it, and it killed. */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static char path[64];

static const char *with(const char *more)
{
	static char options[160];

	snprintf(options, sizeof(options), "file=%s,size=1M,latency=none%s", path, more);
	return options;
}

static int new_file(void **state)
{
	snprintf(path, sizeof(path), "/tmp/ssd-file-XXXXXX");
	close(mkstemp(path));
	return 0;
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void data_outlives_the_drive(void **state)
{
	struct rig *r = rig_ready(with(""));

	memset(r->buf, 0x61, 4096);
	assert_int_equal(rig_write(r, 100, 8, r->buf), 0);
	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_WRITE_UNCORRECTABLE, 104, 1, NULL), NULL),
			 0);
	rig_destroy(r);
	r = rig_ready(with(""));

	assert_int_equal(rig_read(r, 100, 4, r->buf), 0);
	assert_int_equal(r->buf[2047], 0x61);
	assert_int_equal(rig_read(r, 104, 1, r->buf), NVME_SC_UNRECOVERED_READ);
	assert_int_equal(rig_read(r, 200, 1, r->buf), 0);
	assert_int_equal(r->buf[0], 0);
	rig_destroy(r);
}

static void format_and_counters_outlive_the_drive(void **state)
{
	struct rig *r = rig_ready(with(",erase_s=0,ms=8"));
	struct nvme_id_ns *id = (struct nvme_id_ns *)r->buf;
	struct nvme_smart *s;

	assert_int_equal(rig_run(r, 0,
				 (struct nvme_sqe){
					 .opc = NVME_ADMIN_FORMAT, .nsid = 1, .cdw10 = 2 | 1 << 5 },
				 NULL),
			 0);
	rig_destroy(r);
	r = rig_ready(with(",ms=8"));
	id = (struct nvme_id_ns *)r->buf;
	assert_int_equal(rig_identify(r, 1, NVME_CNS_NS, id), 0);
	assert_int_equal(id->flbas & 0xf, 2);
	assert_int_equal(id->dps & 7, 1);
	s = (struct nvme_smart *)r->buf;
	assert_int_equal(rig_log(r, NVME_LOG_SMART, s, 512), 0);
	assert_int_equal(s->pwrc[0], 2);
	assert_int_equal(s->upl[0], 0);
	rig_destroy(r);
}

static void saved_features_outlive_the_drive(void **state)
{
	struct rig *r = rig_ready(with(""));
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES };
	uint32_t value = 0;

	set.cdw10 = 1u << 31 | NVME_FEAT_INTERRUPT_COALESCING;
	set.cdw11 = 0x305;
	assert_int_equal(rig_run(r, 0, set, NULL), 0);
	rig_destroy(r);
	r = rig_ready(with(""));

	assert_int_equal(rig_run(r, 0,
				 (struct nvme_sqe){ .opc = NVME_ADMIN_GET_FEATURES,
						    .cdw10 = NVME_FEAT_INTERRUPT_COALESCING },
				 &value),
			 0);
	assert_int_equal(value, 0x305);
	rig_destroy(r);
}

static void one_process_at_a_time(void **state)
{
	struct rig *r = rig_ready(with(""));
	struct ssd_host_ops ops = { 0 };
	struct ssd *ssd;

	assert_int_equal(ssd_create(&ssd, with(""), &ops, NULL, 0), -EBUSY);
	assert_non_null(strstr(err_text(), "in use"));
	rig_destroy(r);
}

static void another_geometry_is_refused_by_name(void **state)
{
	struct ssd_host_ops ops = { 0 };
	struct ssd *ssd;

	rig_destroy(rig_ready(with("")));
	assert_int_equal(ssd_create(&ssd, with(",ns=2"), &ops, NULL, 0), -EINVAL);
	assert_non_null(strstr(err_text(), "size=1048576,ms=0,ns=1"));
}

static void another_file_is_refused(void **state)
{
	struct ssd_host_ops ops = { 0 };
	FILE *f = fopen(path, "w");
	struct ssd *ssd;

	fputs("somebody's letter", f);
	fclose(f);
	assert_int_equal(ssd_create(&ssd, with(""), &ops, NULL, 0), -EINVAL);
	assert_non_null(strstr(err_text(), "not the file"));
}

static void dropped_data_is_gone(void **state)
{
	struct rig *r = rig_ready(with(",erase_s=0"));

	memset(r->buf, 0x61, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	assert_int_equal(
		rig_run(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_FORMAT, .nsid = 1 }, NULL), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 0);
	rig_destroy(r);
}

/* A child writes LBA after LBA, tells which ones were flushed, and is killed. */
static void child(int tell)
{
	struct rig *r = rig_ready(with(""));

	for (uint32_t lba = 0;; lba = (lba + 1) % 2048) {
		memset(r->buf, (int)(lba % 251) + 1, 512);
		rig_write(r, lba, 1, r->buf);
		if (lba % 16 == 15) {
			rig_run(r, 1, (struct nvme_sqe){ .opc = NVME_CMD_FLUSH, .nsid = 1 }, NULL);
			if (write(tell, &lba, sizeof(lba)) != sizeof(lba))
				_exit(1);
		}
	}
}

static void a_killed_process_loses_nothing_flushed(void **state)
{
	uint32_t lba, last = 0;
	struct nvme_smart *s;
	struct rig *r;
	int tell[2], told = 0;
	pid_t pid;

	assert_int_equal(pipe(tell), 0);
	pid = fork();
	if (!pid)
		child(tell[1]);
	close(tell[1]);
	while (told < 50 && read(tell[0], &lba, sizeof(lba)) == sizeof(lba)) {
		last = lba;
		told++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(tell[0]);
	r = rig_ready(with(""));
	for (lba = 0; lba <= last; lba++) {
		assert_int_equal(rig_read(r, lba, 1, r->buf), 0);
		assert_int_equal(r->buf[0], lba % 251 + 1);
		assert_int_equal(r->buf[511], lba % 251 + 1);
	}
	s = (struct nvme_smart *)r->buf;
	assert_int_equal(rig_log(r, NVME_LOG_SMART, s, 512), 0);
	assert_int_equal(s->upl[0], 1);
	rig_destroy(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_file, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_outlives_the_drive),
		TEST(format_and_counters_outlive_the_drive),
		TEST(saved_features_outlive_the_drive),
		TEST(one_process_at_a_time),
		TEST(another_geometry_is_refused_by_name),
		TEST(another_file_is_refused),
		TEST(dropped_data_is_gone),
		TEST(a_killed_process_loses_nothing_flushed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
