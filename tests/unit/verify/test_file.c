/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables in files. */
#include "fixture.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "verify/table.h"

#define HEAD_BYTES 48 /* of a file, before its records; a record begins with its group */

struct files {
	struct verify_table *t;
	struct verify_table *other;
	int fd;
};

static struct files now;

static int files_setup(void **state)
{
	now.fd = memfd_create("verify", 0);
	*state = &now;
	return now.fd < 0 || verify_create(&now.t, NLBAS, LBA_BYTES) ||
	       verify_create(&now.other, NLBAS, LBA_BYTES);
}

static int files_teardown(void **state)
{
	struct files *f = *state;

	verify_destroy(f->t);
	verify_destroy(f->other);
	close(f->fd);
	return 0;
}

static void a_loaded_table_knows_the_same(void **state)
{
	struct files *f = *state;
	uint8_t *data = calloc(1000, LBA_BYTES);
	struct verify_miss miss;

	write_lbas(f->t, data, NLBAS - 1000, 1000, 0);
	assert_int_equal(verify_save(f->t, f->fd), 0);
	lseek(f->fd, 0, SEEK_SET);
	assert_int_equal(verify_load(f->other, f->fd), 0);

	assert_int_equal(verify_check(f->other, data, NLBAS - 1000, 1000, LBA_BYTES, &miss), 0);
	for (uint64_t lba = NLBAS - 1000; lba < NLBAS; lba++)
		assert_true(known(f->other, lba));
	assert_false(known(f->other, NLBAS - 1001));
	free(data);
}

/* errno says nothing unless something failed. */
static void an_error_of_before_is_not_the_file_s(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];

	write_lbas(f->t, data, 1, 1, 0);
	errno = EIO;
	assert_int_equal(verify_save(f->t, f->fd), 0);
	lseek(f->fd, 0, SEEK_SET);
	errno = EIO;
	assert_int_equal(verify_load(f->other, f->fd), 0);

	assert_true(known(f->other, 1));
}

static void a_load_forgets_what_was_there(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];

	verify_save(f->t, f->fd);
	write_lbas(f->other, data, 3, 1, 1);
	lseek(f->fd, 0, SEEK_SET);
	assert_int_equal(verify_load(f->other, f->fd), 0);

	assert_false(known(f->other, 3));
	assert_int_equal(verify_memory_bytes(f->other), 0);
}

static void durability_is_saved_too(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];

	write_lbas(f->t, data, 1, 1, 0);
	flush(f->t);
	write_lbas(f->t, data, 2, 1, 0);
	verify_stamp(f->t, data, 3, 1, LBA_BYTES);
	verify_save(f->t, f->fd);
	lseek(f->fd, 0, SEEK_SET);
	verify_load(f->other, f->fd);

	assert_true(known(f->other, 2));
	assert_false(known(f->other, 3));
	verify_power_lost(f->other);
	assert_true(known(f->other, 1));
	assert_false(known(f->other, 2));
}

/* What a write of one LBA gets next. */
static uint64_t next_token(struct verify_table *t)
{
	uint8_t data[LBA_BYTES];

	verify_stamp(t, data, 0, 1, LBA_BYTES);
	return get_u64(data + LBA_BYTES - 8);
}

static void an_older_file_does_not_set_tokens_back(void **state)
{
	struct files *f = *state;
	uint64_t last;

	verify_save(f->t, f->fd);
	for (unsigned int i = 0; i < 10; i++)
		last = next_token(f->t);
	lseek(f->fd, 0, SEEK_SET);
	assert_int_equal(verify_load(f->other, f->fd), 0);

	assert_int_equal(next_token(f->other), last + 1);
}

/* Another process wrote the file: its tokens are on the drive, they must not come again. */
static void tokens_go_on_above_those_of_the_file(void **state)
{
	struct files *f = *state;
	const uint64_t saved = 1000000;
	uint64_t now_at = atomic_exchange(&verify_next_token, saved);

	verify_save(f->t, f->fd);
	atomic_store(&verify_next_token, now_at);
	lseek(f->fd, 0, SEEK_SET);
	assert_int_equal(verify_load(f->other, f->fd), 0);

	assert_int_equal(next_token(f->other), saved);
}

static void two_tables_share_a_file(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];

	write_lbas(f->t, data, 1, 1, 0);
	verify_save(f->t, f->fd);
	write_lbas(f->t, data, 2, 1, 0);
	verify_save(f->t, f->fd);
	lseek(f->fd, 0, SEEK_SET);

	assert_int_equal(verify_load(f->other, f->fd), 0);
	assert_false(known(f->other, 2));
	assert_int_equal(verify_load(f->other, f->fd), 0);
	assert_true(known(f->other, 2));
}

static void each_damaged_byte_is_found_and_changes_nothing(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];
	off_t size;

	write_lbas(f->t, data, 1, 1, 0);
	write_lbas(f->other, data, 9, 1, 0);
	verify_save(f->t, f->fd);
	size = lseek(f->fd, 0, SEEK_END);
	for (off_t at = 0; at < size; at += at < 64 || at > size - 8 ? 1 : 41) {
		uint8_t byte;

		assert_int_equal(pread(f->fd, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(f->fd, &byte, 1, at), 1);
		lseek(f->fd, 0, SEEK_SET);
		assert_int_equal(verify_load(f->other, f->fd), -EINVAL);
		assert_string_not_equal(err_text(), "");
		assert_true(known(f->other, 9));
		byte ^= 0x10;
		assert_int_equal(pwrite(f->fd, &byte, 1, at), 1);
	}
}

/* With a right checksum: somebody made it so. */
static void a_group_beyond_the_namespace_is_refused(void **state)
{
	const uint64_t ngroups = (NLBAS + VERIFY_GROUP_LBAS - 1) / VERIFY_GROUP_LBAS;
	const uint64_t groups[] = { ngroups, ngroups + 1, UINT64_MAX };
	struct files *f = *state;
	uint8_t data[LBA_BYTES], file[8192];
	uint32_t crc;
	ssize_t size;

	write_lbas(f->t, data, 1, 1, 0);
	verify_save(f->t, f->fd);
	size = pread(f->fd, file, sizeof(file), 0);
	assert_in_range(size, 4096, sizeof(file) - 1);
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(file + HEAD_BYTES, &groups[i], sizeof(groups[i]));
		crc = crc32c(0, file, (size_t)size - 4);
		memcpy(file + size - 4, &crc, sizeof(crc));
		assert_int_equal(pwrite(f->fd, file, (size_t)size, 0), size);
		lseek(f->fd, 0, SEEK_SET);
		assert_int_equal(verify_load(f->other, f->fd), -EINVAL);
		assert_false(known(f->other, 1));
	}
}

static void each_short_file_is_refused(void **state)
{
	struct files *f = *state;
	uint8_t data[LBA_BYTES];
	off_t size;

	write_lbas(f->t, data, 1, 1, 0);
	verify_save(f->t, f->fd);
	size = lseek(f->fd, 0, SEEK_END);
	while (size > 0) {
		size -= size > 100 ? 37 : 1;
		assert_int_equal(ftruncate(f->fd, size), 0);
		lseek(f->fd, 0, SEEK_SET);
		assert_int_equal(verify_load(f->other, f->fd), -EINVAL);
	}
}

static void another_size_is_refused(void **state)
{
	struct files *f = *state;
	struct verify_table *small;

	verify_create(&small, NLBAS - 1, LBA_BYTES);
	verify_save(small, f->fd);
	verify_destroy(small);
	lseek(f->fd, 0, SEEK_SET);

	assert_int_equal(verify_load(f->t, f->fd), -EINVAL);
	assert_non_null(strstr(err_text(), "4999"));
}

static void a_pipe_cannot_be_loaded(void **state)
{
	struct files *f = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(verify_load(f->t, fds[0]), -ESPIPE);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(verify_save(f->t, -1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_loaded_table_knows_the_same, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(an_error_of_before_is_not_the_file_s, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(a_load_forgets_what_was_there, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(durability_is_saved_too, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(an_older_file_does_not_set_tokens_back, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(tokens_go_on_above_those_of_the_file, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(two_tables_share_a_file, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(each_damaged_byte_is_found_and_changes_nothing,
						files_setup, files_teardown),
		cmocka_unit_test_setup_teardown(a_group_beyond_the_namespace_is_refused,
						files_setup, files_teardown),
		cmocka_unit_test_setup_teardown(each_short_file_is_refused, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(another_size_is_refused, files_setup,
						files_teardown),
		cmocka_unit_test_setup_teardown(a_pipe_cannot_be_loaded, files_setup,
						files_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
