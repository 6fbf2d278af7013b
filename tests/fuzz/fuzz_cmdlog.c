// SPDX-License-Identifier: BSD-3-Clause
/*
 * Recorder files that other processes damaged or forged, and folders full of them.
 *
 * The first byte says what the input is: a list of patches to a file of two slots, cut somewhere
 * if bit 0 is set; or, with bit 1, the files of a folder that is pruned.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input.h"
#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/format.h"

#define CIDS	   16u
#define SLOTS	   2u
#define SLOT_BYTES nvme_cmdlog_slot_bytes(CIDS)
#define FILE_BYTES (NVME_CMDLOG_PAGE + SLOTS * SLOT_BYTES)
#define HEAD_BYTES sizeof(struct nvme_cmdlog_slot)
#define PATCHES	   128u
#define FILES	   24u

static char dir[] = "/dev/shm/fuzz-XXXXXX", path[64];
static int file_fd, dir_fd;
static uint64_t my_start;

static void remove_folder(void)
{
	unlink(path);
	rmdir(dir);
}

static void put(const void *bytes, size_t len, uint64_t off)
{
	if (pwrite(file_fd, bytes, len, (off_t)off) != (ssize_t)len)
		abort();
}

/* The heads of a whole file; all else in it is zero. */
static void put_heads(void)
{
	struct nvme_cmdlog_header head = {
		.magic = NVME_CMDLOG_MAGIC,
		.version = NVME_CMDLOG_VERSION,
		.pid = getpid(),
	};
	struct nvme_cmdlog_slot slot = {
		.magic = NVME_CMDLOG_SLOT_MAGIC,
		.bytes = SLOT_BYTES,
		.ncids = CIDS,
		.nrecords = NVME_CMDLOG_RECORDS,
		.kind = NVME_CMDLOG_ADMIN,
	};

	put(&head, sizeof(head), 0);
	for (unsigned int i = 0; i < SLOTS; i++) {
		put(&slot, sizeof(slot), NVME_CMDLOG_PAGE + i * SLOT_BYTES);
		slot.kind = NVME_CMDLOG_WORKER;
		slot.sqid = 1;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/file", dir);
	setenv("PYNVME_CMDLOG_DIR", dir, 1);
	my_start = nvme_cmdlog_process_start(getpid());
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dir_fd < 0 || file_fd < 0 || ftruncate(file_fd, (off_t)FILE_BYTES))
		abort();
	put_heads();
	return atexit(remove_folder);
}

/* Into a header, a live table or a ring: elsewhere nobody looks. */
static uint64_t patch_offset(struct input *in)
{
	uint8_t where = input_u8(in);
	uint64_t off = input_u16(in);

	if (where & 1)
		return off % HEAD_BYTES + NVME_CMDLOG_PAGE;
	if (where & 2)
		return off % HEAD_BYTES + NVME_CMDLOG_PAGE + SLOT_BYTES;
	if (where & 4)
		return off + NVME_CMDLOG_PAGE + HEAD_BYTES;
	return off % sizeof(struct nvme_cmdlog_header);
}

/* As the console does: a head that is believed is of an open or closed queue, and sane. */
static void read_head(struct nvme_cmdlog_file *f, unsigned int i)
{
	struct nvme_cmdlog_slot head;
	int n;

	if (nvme_cmdlog_file_head(f, i, &head))
		return;
	if (head.edition & 1 || head.addr[sizeof(head.addr) - 1] ||
	    head.bytes < nvme_cmdlog_slot_bytes(head.ncids))
		abort();
	n = nvme_cmdlog_file_outstanding(f, i, head.edition);
	if (n > (int)head.ncids)
		abort();
	if (nvme_cmdlog_file_outstanding(f, i, head.edition + 2) >= 0)
		abort();
}

static void read_all(void)
{
	static struct nvme_cmdlog_record records[64];
	struct nvme_cmdlog_slot_info slot;
	struct nvme_cmdlog_info info;
	struct nvme_cmdlog_file *f;

	if (nvme_cmdlog_file_open(&f, path))
		return;
	nvme_cmdlog_file_info(f, &info);
	if (nvme_cmdlog_file_header(f)->magic != NVME_CMDLOG_MAGIC ||
	    info.unread_bytes >= FILE_BYTES)
		abort();
	for (unsigned int i = 0; i < info.nslots + 1 && i < 8; i++) {
		nvme_cmdlog_file_slot(f, i, &slot);
		read_head(f, i);
		nvme_cmdlog_file_read(f, i, records, 64);
	}
	nvme_cmdlog_file_close(f);
}

/* What is patched becomes zero again, then the heads what they were: most of the file stays. */
static void read_patched(struct input *in, bool cut)
{
	static const uint8_t zero[64];
	uint64_t at[PATCHES], cut_bytes = cut ? input_u32(in) % (FILE_BYTES + 1) : FILE_BYTES;
	uint8_t bytes[sizeof(zero)];
	size_t len[PATCHES], n;

	for (n = 0; n < PATCHES && in->left; n++) {
		at[n] = patch_offset(in);
		len[n] = input_u8(in) % sizeof(bytes);
		input_bytes(in, bytes, len[n]);
		put(bytes, len[n], at[n]);
	}
	if (cut && ftruncate(file_fd, (off_t)cut_bytes))
		abort();
	read_all();
	if (cut && ftruncate(file_fd, (off_t)FILE_BYTES))
		abort();
	while (n--)
		put(zero, len[n], at[n]);
	put_heads();
}

enum kind { DEAD, ALIVE, LINK, FOLDER, OTHER, KINDS };

struct name {
	enum kind kind;
	char text[128];
};

static void make_name(struct name *name, struct input *in)
{
	unsigned int uid = input_u8(in), start = input_u16(in);
	int pid = (int)(input_u32(in) | 0x40000000); /* nobody's: the fuzzer finds the living */
	char noise[32];

	if (name->kind == ALIVE)
		snprintf(name->text, sizeof(name->text), NVME_CMDLOG_NAME, uid, (int)getpid(),
			 (unsigned long long)my_start);
	else
		snprintf(name->text, sizeof(name->text), NVME_CMDLOG_NAME, uid, pid,
			 (unsigned long long)start);
	if (name->kind != OTHER)
		return;
	/* no longer the name of a recorder file, or hardly */
	input_bytes(in, noise, sizeof(noise));
	noise[sizeof(noise) - 1] = '\0';
	for (char *c = noise; *c; c++)
		*c = *c == '/' ? '-' : *c;
	snprintf(name->text + uid % 8, sizeof(name->text) - 8, "%s.", noise);
}

static bool make_file(const struct name *name, struct input *in)
{
	struct timespec times[2] = { { 0 }, { input_u8(in), 0 } };
	int fd;

	if (name->kind == LINK)
		return !symlinkat(path, dir_fd, name->text);
	if (name->kind == FOLDER)
		return !mkdirat(dir_fd, name->text, 0700);
	fd = openat(dir_fd, name->text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false; /* that name is taken, or none */
	futimens(fd, times);
	close(fd);
	return true;
}

/* The dead go but the newest ones; whatever is alive, no file, or no recorder's, stays. */
static void prune(struct input *in)
{
	unsigned int keep = input_u8(in) % 16, n = 0, dead = 0, left = 0;
	static struct name names[FILES];

	while (n < FILES && in->left) {
		names[n].kind = input_u8(in) % KINDS;
		make_name(&names[n], in);
		if (make_file(&names[n], in))
			dead += names[n++].kind == DEAD;
	}
	nvme_cmdlog_prune(keep);
	while (n--) {
		bool gone =
			unlinkat(dir_fd, names[n].text, names[n].kind == FOLDER ? AT_REMOVEDIR : 0);

		if (gone && names[n].kind != DEAD)
			abort();
		left += !gone && names[n].kind == DEAD;
	}
	if (left != (dead < keep ? dead : keep) || access(path, F_OK))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t how = input_u8(&in);

	if (how & 2)
		prune(&in);
	else
		read_patched(&in, how & 1);
	return 0;
}
