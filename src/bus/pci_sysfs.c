// SPDX-License-Identifier: BSD-3-Clause
#include "bus/pci_sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "spec/pci.h"

const char *pci_sysfs_root = "";

bool pci_parse_bdf(const char *addr, char *bdf)
{
	unsigned int domain = 0, bus, dev, fn;
	int used = 0;

	if (sscanf(addr, "%4x:%2x:%2x.%1u%n", &domain, &bus, &dev, &fn, &used) != 4) {
		domain = 0;
		used = 0;
		if (sscanf(addr, "%2x:%2x.%1u%n", &bus, &dev, &fn, &used) != 3)
			return false;
	}
	/* scanf takes blanks and signs that no address has. */
	if (addr[used] || addr[strspn(addr, "0123456789abcdefABCDEF:.")])
		return false;
	if (dev > 0x1f || fn > 7)
		return false;
	snprintf(bdf, PCI_BDF_BYTES, "%04x:%02x:%02x.%u", domain, bus, dev, fn);
	return true;
}

void pci_sysfs_path(const char *bdf, const char *name, char *buf, size_t len)
{
	snprintf(buf, len, "%s/sys/bus/pci/devices/%s/%s", pci_sysfs_root, bdf, name);
}

int pci_sysfs_link(const char *bdf, const char *name, char *buf, size_t len)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t n;

	pci_sysfs_path(bdf, name, path, sizeof(path));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	snprintf(buf, len, "%s", base ? base + 1 : target);
	return 0;
}

static int read_class(const char *bdf, unsigned int *class)
{
	char path[PATH_MAX];
	FILE *file;
	int n;

	pci_sysfs_path(bdf, "class", path, sizeof(path));
	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fscanf(file, "%x", class);
	fclose(file);
	return n == 1 ? 0 : -EIO;
}

/* --- what the kernel's nvme driver made of it ---------------------------------------------- */

/* "nvme0n1", also from "nvme0c1n1", a path of a multipath device; false: no namespace. */
static bool block_name(const char *entry, char *name, size_t len)
{
	unsigned int ctrl, path, ns;
	int used = 0;

	if (sscanf(entry, "nvme%uc%un%u%n", &ctrl, &path, &ns, &used) != 3 || entry[used]) {
		used = 0;
		if (sscanf(entry, "nvme%un%u%n", &ctrl, &ns, &used) != 2 || entry[used])
			return false;
	}
	snprintf(name, len, "/dev/nvme%un%u", ctrl, ns);
	return true;
}

/* Is @dev a namespace's block device or a partition of it, and mounted? Where. */
static bool find_mount(const char *disk, char *dev, char *dir, size_t len)
{
	char path[PATH_MAX], format[32], line[2 * PATH_MAX];
	size_t n = strlen(disk);
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/mounts", pci_sysfs_root);
	file = fopen(path, "re");
	if (!file)
		return false;
	snprintf(format, sizeof(format), "%%%zus %%%zus", len - 1, len - 1);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, format, dev, dir) == 2 && !strncmp(dev, disk, n) &&
			(!dev[n] || (dev[n] == 'p' && isdigit((unsigned char)dev[n + 1])));
	fclose(file);
	return found;
}

/* Look through one nvme/nvmeX folder of the function. */
static bool find_mounted(const char *folder, char *dev, char *dir, size_t len)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	bool found = false;
	char disk[NAME_MAX];

	if (!entries)
		return false;
	while (!found && (entry = readdir(entries)))
		found = block_name(entry->d_name, disk, sizeof(disk)) &&
			find_mount(disk, dev, dir, len);
	closedir(entries);
	return found;
}

static int refuse_bound(const char *bdf, const char *driver)
{
	char path[PATH_MAX], folder[2 * PATH_MAX], dev[NAME_MAX], dir[NAME_MAX];
	struct dirent *entry;
	bool mounted = false;
	DIR *entries;

	pci_sysfs_path(bdf, "nvme", path, sizeof(path));
	entries = opendir(path);
	while (entries && !mounted && (entry = readdir(entries))) {
		snprintf(folder, sizeof(folder), "%s/%s", path, entry->d_name);
		mounted = find_mounted(folder, dev, dir, sizeof(dir));
	}
	if (entries)
		closedir(entries);
	if (mounted)
		return err_set(-EBUSY,
			       "%s is bound to kernel driver %s, and %s is mounted on %s: unmount "
			       "it if its data may be lost, then `make setup pciaddr=%s`",
			       bdf, driver, dev, dir, bdf);
	return err_set(-EBUSY, "%s is bound to kernel driver %s: `make setup pciaddr=%s` takes it",
		       bdf, driver, bdf);
}

int pci_sysfs_check(const char *bdf, enum pci_driver *driver)
{
	unsigned int class = 0;
	char name[NAME_MAX];

	if (read_class(bdf, &class))
		return err_set(-ENOENT, "no such device: there is no PCI function %s (see lspci)",
			       bdf);
	if (class != PCI_CLASS_NVME)
		return err_set(-ENODEV,
			       "%s is not an NVMe controller: its class code is %06x, not "
			       "%06x",
			       bdf, class, PCI_CLASS_NVME);
	if (pci_sysfs_link(bdf, "driver", name, sizeof(name)))
		return err_set(-ENXIO, "%s has no driver: `make setup pciaddr=%s` binds vfio-pci",
			       bdf, bdf);
	if (!strcmp(name, "vfio-pci"))
		*driver = PCI_DRIVER_VFIO;
	else if (!strcmp(name, "uio_pci_generic"))
		*driver = PCI_DRIVER_UIO;
	else
		return refuse_bound(bdf, name);
	return 0;
}

/* --- who has it open ----------------------------------------------------------------------- */

static bool has_open(const char *pid, const char *path)
{
	char folder[64 + NAME_MAX], link[2 * PATH_MAX], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *entries;

	snprintf(folder, sizeof(folder), "/proc/%s/fd", pid);
	entries = opendir(folder);
	while (entries && !found && (entry = readdir(entries))) {
		ssize_t n;

		snprintf(link, sizeof(link), "%s/%s", folder, entry->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = !strcmp(target, path);
	}
	if (entries)
		closedir(entries);
	return found;
}

static void read_comm(const char *pid, char *comm, size_t len)
{
	char path[64 + NAME_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	snprintf(comm, len, "?");
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(comm, (int)len, file))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(file);
}

int pci_sysfs_holder(const char *path, char *comm, size_t len)
{
	DIR *entries = opendir("/proc");
	struct dirent *entry;
	int holder = 0;

	while (entries && !holder && (entry = readdir(entries))) {
		int pid = atoi(entry->d_name);

		if (pid <= 0 || pid == getpid() || !has_open(entry->d_name, path))
			continue;
		read_comm(entry->d_name, comm, len);
		holder = pid;
	}
	if (entries)
		closedir(entries);
	return holder;
}
