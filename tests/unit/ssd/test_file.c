/* SPDX-License-Identifier: BSD-3-Clause */
/* A drive in a file: what outlives it, and it killed. */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rand.h"

#ifdef __SANITIZE_ADDRESS__
#define KILLS 100 /* a fork takes 70 ms */
#else
#define KILLS 1000
#endif
#define KILLED_LBAS 256u

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

/* What a child does next, and its parent when it replays that: LBAs get a version each. */
struct step {
	uint8_t opcode; /* Flush, Write, or Write Zeroes that deallocates */
	bool fua;
	uint32_t lba;
	uint32_t nlb;
};

static struct step next_step(struct rand *rand)
{
	struct step s = { .opcode = NVME_CMD_WRITE, .nlb = 1 + (uint32_t)rand_below(rand, 24) };
	uint64_t kind = rand_below(rand, 16);

	s.lba = (uint32_t)rand_below(rand, KILLED_LBAS - s.nlb);
	s.fua = kind < 4;
	if (kind == 4)
		s.opcode = NVME_CMD_FLUSH;
	else if (kind == 5)
		s.opcode = NVME_CMD_WRITE_ZEROES;
	return s;
}

static uint16_t take_step(struct rig *r, const struct step *s, uint32_t version)
{
	struct nvme_sqe sqe = { .opc = NVME_CMD_FLUSH, .nsid = 1 };
	uint32_t *words = (uint32_t *)r->buf;

	if (s->opcode == NVME_CMD_FLUSH)
		return rig_run(r, 1, sqe, NULL);
	for (uint32_t i = 0; i < s->nlb * 128; i++)
		words[i] = version;
	sqe = rig_rw(s->opcode, s->lba, s->nlb, NULL);
	if (s->opcode == NVME_CMD_WRITE_ZEROES) {
		sqe.cdw12 |= (uint32_t)NVME_SET(1, RW_DEAC);
	} else {
		/* up to three pages, for which two PRPs would not do */
		sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
		sqe.sgl1 = (struct nvme_sgl_desc){ .addr = (uintptr_t)r->buf, .len = s->nlb * 512 };
		sqe.cdw12 |= (uint32_t)NVME_SET(s->fua, RW_FUA);
	}
	return rig_run(r, 1, sqe, NULL);
}

static uint32_t version_after(const struct step *s, uint32_t lba, uint32_t was, uint32_t version)
{
	if (s->opcode == NVME_CMD_FLUSH || lba - s->lba >= s->nlb)
		return was;
	return s->opcode == NVME_CMD_WRITE ? version : 0;
}

/* Steps that were begun, and that were acknowledged; seen by the parent after the child's death. */
struct progress {
	_Atomic uint32_t begun;
	_Atomic uint32_t done;
};

static void endless_child(struct progress *p, uint64_t seed, uint32_t version)
{
	struct rig *r = rig_ready(with(""));
	struct rand rand;

	rand_seed(&rand, seed);
	for (;; version++) {
		struct step s = next_step(&rand);

		atomic_fetch_add(&p->begun, 1);
		if (take_step(r, &s, version))
			_exit(1);
		atomic_fetch_add(&p->done, 1);
	}
}

/* Return: when the child was killed, it had begun so many steps. */
static uint32_t kill_a_child(struct progress *p, uint64_t seed, uint32_t version, uint64_t steps)
{
	int status;
	pid_t pid;

	atomic_store(&p->begun, 0);
	atomic_store(&p->done, 0);
	pid = fork();
	if (!pid)
		endless_child(p, seed, version);
	while (atomic_load(&p->begun) <= steps && !waitpid(pid, &status, WNOHANG))
		usleep(10);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return atomic_load(&p->begun);
}

/* All that was acknowledged is there; of the step in flight, any LBA, each of them whole. */
static void check_survivors(const struct progress *p, uint64_t seed, uint32_t version,
			    uint32_t *versions)
{
	struct rig *r = rig_ready(with(""));
	const uint32_t *words = (const uint32_t *)r->buf;
	uint32_t done = atomic_load(&p->done);
	struct step s = { .opcode = NVME_CMD_FLUSH };
	struct rand rand;

	rand_seed(&rand, seed);
	for (uint32_t i = 0; i < done; i++, version++) {
		s = next_step(&rand);
		for (uint32_t lba = 0; lba < KILLED_LBAS; lba++)
			versions[lba] = version_after(&s, lba, versions[lba], version);
	}
	s = next_step(&rand);
	for (uint32_t lba = 0; lba < KILLED_LBAS; lba++) {
		assert_int_equal(rig_read(r, lba, 1, r->buf), 0);
		for (uint32_t i = 1; i < 128; i++)
			assert_int_equal(words[i], words[0]);
		if (words[0] != versions[lba]) {
			assert_true(atomic_load(&p->begun) > done);
			assert_int_equal(words[0], version_after(&s, lba, versions[lba], version));
		}
		versions[lba] = words[0];
	}
	rig_destroy(r);
}

static void killed_at_random_points_nothing_is_lost(void **state)
{
	struct progress *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t versions[KILLED_LBAS] = { 0 }, version = 1;
	struct rand rand;

	assert_ptr_not_equal(p, MAP_FAILED);
	rand_seed(&rand, 5);
	for (uint64_t seed = 0; seed < KILLS; seed++) {
		uint64_t steps = rand_below(&rand, 100);
		uint32_t begun = kill_a_child(p, seed, version, steps);

		check_survivors(p, seed, version, versions);
		version += begun;
	}
	munmap(p, sizeof(*p));
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
		TEST(killed_at_random_points_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
