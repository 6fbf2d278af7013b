// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a user is told about a function that cannot be opened, over a sysfs made of files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bus/pci_sysfs.h"

#define BDF "0000:01:00.0"

static char root[] = "/tmp/pynvme-sysfs-XXXXXX";

static void make(const char *path, const char *text)
{
	char full[512], command[600];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(command, sizeof(command), "mkdir -p $(dirname '%s')", full);
	assert_int_equal(system(command), 0);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void bind(const char *driver)
{
	char link[512], target[128];

	snprintf(link, sizeof(link), "%s/sys/bus/pci/devices/" BDF "/driver", root);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	assert_int_equal(symlink(target, link), 0);
}

static int setup(void **state)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	pci_sysfs_root = root;
	make("/sys/bus/pci/devices/" BDF "/class", "0x010802\n");
	return 0;
}

static int teardown(void **state)
{
	char command[600];

	pci_sysfs_root = "";
	snprintf(command, sizeof(command), "rm -r '%s'", root);
	return system(command);
}

static int check(const char *bdf)
{
	enum pci_driver driver;

	return pci_sysfs_check(bdf, &driver);
}

static void assert_text(const char *part)
{
	if (!strstr(err_text(), part))
		fail_msg("\"%s\" is not in \"%s\"", part, err_text());
}

static void an_absent_function_is_named(void **state)
{
	assert_int_equal(check("0000:02:00.0"), -ENOENT);
	assert_text("no such device");
	assert_text("0000:02:00.0");
}

static void another_class_of_device_is_refused(void **state)
{
	make("/sys/bus/pci/devices/" BDF "/class", "0x020000\n");
	assert_int_equal(check(BDF), -ENODEV);
	assert_text("020000");
}

static void a_function_without_a_driver_needs_setup(void **state)
{
	assert_int_equal(check(BDF), -ENXIO);
	assert_text("make setup pciaddr=" BDF);
}

static void a_drive_of_the_kernel_needs_setup(void **state)
{
	bind("nvme");
	make("/proc/mounts", "/dev/nvme1n1 /other ext4 rw 0 0\n");
	make("/sys/bus/pci/devices/" BDF "/nvme/nvme0/nvme0n1/size", "1");
	assert_int_equal(check(BDF), -EBUSY);
	assert_text("kernel driver nvme");
	assert_text("make setup");
	assert_null(strstr(err_text(), "mounted"));
}

static void a_mounted_drive_says_where(const char *node, const char *device)
{
	char path[256], mounts[256];

	bind("nvme");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/" BDF "/nvme/nvme0/%s/size", node);
	make(path, "1");
	snprintf(mounts, sizeof(mounts), "proc /proc proc rw 0 0\n%s /mnt/data ext4 rw 0 0\n",
		 device);
	make("/proc/mounts", mounts);
	assert_int_equal(check(BDF), -EBUSY);
	assert_text("mounted on /mnt/data");
	assert_text(device);
}

static void a_mounted_namespace_is_found(void **state)
{
	a_mounted_drive_says_where("nvme0n1", "/dev/nvme0n1");
}

static void a_mounted_partition_is_found(void **state)
{
	a_mounted_drive_says_where("nvme0n1", "/dev/nvme0n1p2");
}

static void a_mounted_multipath_namespace_is_found(void **state)
{
	a_mounted_drive_says_where("nvme0c0n1", "/dev/nvme0n1p1");
}

static void namespace_10_is_not_namespace_1(void **state)
{
	bind("nvme");
	make("/sys/bus/pci/devices/" BDF "/nvme/nvme0/nvme0n1/size", "1");
	make("/proc/mounts", "/dev/nvme0n10 /mnt ext4 rw 0 0\n");
	assert_int_equal(check(BDF), -EBUSY);
	assert_null(strstr(err_text(), "mounted"));
}

static void drivers_of_ours_are_told_apart(void **state)
{
	enum pci_driver driver;
	char link[512];

	bind("vfio-pci");
	assert_int_equal(pci_sysfs_check(BDF, &driver), 0);
	assert_int_equal(driver, PCI_DRIVER_VFIO);
	snprintf(link, sizeof(link), "%s/sys/bus/pci/devices/" BDF "/driver", root);
	assert_int_equal(unlink(link), 0);
	bind("uio_pci_generic");
	assert_int_equal(pci_sysfs_check(BDF, &driver), 0);
	assert_int_equal(driver, PCI_DRIVER_UIO);
}

/* The child holds a file open until its pipe closes. */
static void a_holder_is_named(void **state)
{
	char path[512], comm[64] = "";
	int pipes[2], status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/" BDF "/class", root);
	assert_int_equal(pci_sysfs_holder(path, comm, sizeof(comm)), 0);
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		char byte;
		int fd = open(path, O_RDONLY);

		close(pipes[1]);
		_exit(fd < 0 || read(pipes[0], &byte, 1) != 0);
	}
	close(pipes[0]);
	for (int i = 0; i < 200 && !pci_sysfs_holder(path, comm, sizeof(comm)); i++)
		usleep(10000);
	assert_int_equal(pci_sysfs_holder(path, comm, sizeof(comm)), pid);
	assert_true(*comm);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_absent_function_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(another_class_of_device_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_function_without_a_driver_needs_setup, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_drive_of_the_kernel_needs_setup, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mounted_namespace_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mounted_partition_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mounted_multipath_namespace_is_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(namespace_10_is_not_namespace_1, setup, teardown),
		cmocka_unit_test_setup_teardown(drivers_of_ours_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_holder_is_named, setup, teardown),
	};

	return cmocka_run_group_tests_name("pci_sysfs", tests, NULL, NULL);
}
