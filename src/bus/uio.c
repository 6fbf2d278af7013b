// SPDX-License-Identifier: BSD-3-Clause
#include "bus/uio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"
#include "bus/pci.h"
#include "bus/pci_slot.h"
#include "bus/pci_sysfs.h"
#include "spec/pci.h"
#include "spec/reg.h"

/**
 * struct uio_device - a bus with a UIO device behind it
 * @uio_fd: /dev/uioN, which counts interrupts
 * @cfg_fd: config space; its lock says that the function is in use
 * @header: config space at open, to be written back after a loss of power
 * @fired: an interrupt was read from @uio_fd and not cleared since
 */
struct uio_device {
	struct bus bus;
	int uio_fd;
	int cfg_fd;
	uint8_t *bar0;
	size_t bar0_len;
	unsigned int pm_cap; /* offset in config space, 0: none */
	uint32_t header[sizeof(struct pci_header) / 4];
	bool fired;
};

static struct uio_device *uio_device_of(struct bus *bus)
{
	return (struct uio_device *)bus; /* the first member */
}

/* --- registers and config space ------------------------------------------------------------ */

static int check_cfg(struct bus *bus, unsigned int off, unsigned int len)
{
	if (off <= PCIE_CFG_BYTES && len <= PCIE_CFG_BYTES - off)
		return 0;
	return err_set(-EINVAL, "%s: config space ends at %#x", bus->addr, PCIE_CFG_BYTES);
}

static int uio_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	int err = check_cfg(bus, off, len);

	if (err)
		return err;
	if (pread(uio_device_of(bus)->cfg_fd, buf, len, (off_t)off) != (ssize_t)len)
		memset(buf, 0xff, len); /* what an absent function answers */
	return 0;
}

static int uio_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	int err = check_cfg(bus, off, len);

	if (err)
		return err;
	/* An absent function takes no write, which is not the writer's error. */
	if (pwrite(uio_device_of(bus)->cfg_fd, buf, len, (off_t)off) < 0 && errno == EFAULT)
		return err_set(-EFAULT, "%s: bad buffer", bus->addr);
	return 0;
}

static int check_reg(struct uio_device *dev, uint64_t off, int width)
{
	if (off < dev->bar0_len && (uint64_t)width <= dev->bar0_len - off &&
	    off % (uint64_t)width == 0)
		return 0;
	return err_set(-EINVAL, "%s: register %#llx is not one of BAR0 of %#zx bytes",
		       dev->bus.addr, (unsigned long long)off, dev->bar0_len);
}

/*
 * Emulators and some bridges answer what they like for a function that does not decode;
 * here it is what a bus does: reads are all-ones, writes are lost.
 */
static bool decodes(struct uio_device *dev)
{
	uint16_t command = 0, pmcsr = 0;

	pci_read16(&dev->bus, PCI_CFG_COMMAND, &command);
	if (dev->pm_cap)
		pci_read16(&dev->bus, dev->pm_cap + PCI_PM_PMCSR, &pmcsr);
	return command & PCI_COMMAND_MEMORY && !(pmcsr & PCI_PMCSR_STATE_MASK);
}

static int uio_reg_read(struct bus *bus, uint64_t off, int width, uint64_t *val)
{
	struct uio_device *dev = uio_device_of(bus);
	int err = check_reg(dev, off, width);

	if (err)
		return err;
	if (!decodes(dev))
		*val = width == 4 ? UINT32_MAX : UINT64_MAX;
	else
		*val = width == 4 ? mmio_read32(dev->bar0 + off) : mmio_read64(dev->bar0 + off);
	return 0;
}

static int uio_reg_write(struct bus *bus, uint64_t off, int width, uint64_t val)
{
	struct uio_device *dev = uio_device_of(bus);
	int err = check_reg(dev, off, width);

	if (err)
		return err;
	if (!decodes(dev))
		return 0;
	if (width == 4)
		mmio_write32(dev->bar0 + off, (uint32_t)val);
	else
		mmio_write64(dev->bar0 + off, val);
	return 0;
}

/* --- interrupts ---------------------------------------------------------------------------- */

static int uio_irq_mask(struct bus *bus, unsigned int vector, bool masked)
{
	uint16_t command;
	int err = pci_read16(bus, PCI_CFG_COMMAND, &command);

	if (err)
		return err;
	command &= (uint16_t)~PCI_COMMAND_INTX_DISABLE;
	if (masked)
		command |= PCI_COMMAND_INTX_DISABLE;
	return pci_write16(bus, PCI_CFG_COMMAND, command);
}

/* The one interrupt counts in /dev/uioN, so the caller's eventfd becomes that file. */
static int uio_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	struct uio_device *dev = uio_device_of(bus);

	if (n && fds[0] >= 0 && dup3(dev->uio_fd, fds[0], O_CLOEXEC) < 0)
		return err_set(-errno, "%s: no interrupt from UIO: %m", bus->addr);
	return uio_irq_mask(bus, 0, !n);
}

static int uio_irq_pending(struct bus *bus, unsigned int vector, bool clear)
{
	struct uio_device *dev = uio_device_of(bus);
	int32_t count;
	bool fired;

	if (read(dev->uio_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		dev->fired = true;
	fired = dev->fired;
	if (clear)
		dev->fired = false;
	return fired;
}

/* --- resets and power ---------------------------------------------------------------------- */

static int uio_reset(struct bus *bus, enum bus_reset kind)
{
	char path[PATH_MAX];
	int fd, err = 0;

	pci_sysfs_path(bus->addr, "reset", path, sizeof(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(-EOPNOTSUPP, "%s: the kernel knows no way to reset it", bus->addr);
	if (write(fd, "1", 1) != 1)
		err = err_set(-errno, "%s: %m", path);
	close(fd);
	return err;
}

/* Nobody else remembers the BARs of a function that lost power. */
static void restore_header(struct uio_device *dev)
{
	for (unsigned int off = PCI_CFG_BAR0; off < sizeof(dev->header); off += 4)
		pci_write32(&dev->bus, off, dev->header[off / 4]);
	pci_write16(&dev->bus, PCI_CFG_COMMAND, (uint16_t)dev->header[PCI_CFG_COMMAND / 4]);
}

static int uio_power(struct bus *bus, bool on)
{
	int err = pci_slot_power(bus, on);

	if (err || !on)
		return err;
	restore_header(uio_device_of(bus));
	return pci_enable(bus);
}

static int uio_health(struct bus *bus)
{
	int present = pci_present(bus);

	if (present)
		return present < 0 ? present : 0;
	return err_set(-ENODEV, "%s: removed or without power", bus->addr);
}

/* --- open and close ------------------------------------------------------------------------ */

static int uio_dma_map(struct bus *bus, struct dma_chunk *chunk)
{
	return 0; /* nothing stands between the device and memory */
}

static void uio_dma_unmap(struct bus *bus, struct dma_chunk *chunk)
{
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return err_set(-errno, "%s: %m%s", path, errno == EACCES ? ": are you root?" : "");
	count_inc(COUNT_FDS);
	return fd;
}

static void close_file(int fd)
{
	if (fd < 0)
		return;
	close(fd);
	count_dec(COUNT_FDS);
}

static int lock_function(struct uio_device *dev, const char *path)
{
	char comm[64], real[PATH_MAX];
	int pid = 0;

	if (!flock(dev->cfg_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (realpath(path, real))
		pid = pci_sysfs_holder(real, comm, sizeof(comm));
	if (pid)
		return err_set(-EBUSY, "%s is in use by process %d (%s)", dev->bus.addr, pid, comm);
	return err_set(-EBUSY, "%s is in use by another process", dev->bus.addr);
}

static int open_config(struct uio_device *dev)
{
	char path[PATH_MAX];
	int cap, err;

	pci_sysfs_path(dev->bus.addr, "config", path, sizeof(path));
	dev->cfg_fd = open_file(path, O_RDWR);
	if (dev->cfg_fd < 0)
		return dev->cfg_fd;
	err = lock_function(dev, path);
	if (err)
		return err;
	cap = pci_find_cap(&dev->bus, PCI_CAP_PM);
	dev->pm_cap = cap > 0 ? (unsigned int)cap : 0;
	return uio_cfg_read(&dev->bus, 0, dev->header, sizeof(dev->header));
}

/* The folder "uio" of the function holds one entry, "uioN". */
static int open_uio(struct uio_device *dev)
{
	char path[PATH_MAX] = "";
	struct dirent *entry;
	DIR *entries;

	pci_sysfs_path(dev->bus.addr, "uio", path, sizeof(path));
	entries = opendir(path);
	*path = '\0';
	while (entries && (entry = readdir(entries)))
		if (!strncmp(entry->d_name, "uio", 3))
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
	if (entries)
		closedir(entries);
	if (!*path)
		return err_set(-ENODEV, "%s has no UIO device", dev->bus.addr);
	dev->uio_fd = open_file(path, O_RDWR | O_NONBLOCK);
	return dev->uio_fd < 0 ? dev->uio_fd : 0;
}

static int map_bar0(struct uio_device *dev)
{
	char path[PATH_MAX];
	struct stat st;
	void *map;
	int fd;

	pci_sysfs_path(dev->bus.addr, "resource0", path, sizeof(path));
	fd = open_file(path, O_RDWR);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_size <= NVME_REG_DOORBELLS) {
		close_file(fd);
		return err_set(-ENODEV, "%s has no BAR0 with doorbells", dev->bus.addr);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close_file(fd);
	if (map == MAP_FAILED)
		return err_set(-errno, "%s: cannot map: %m", path);
	dev->bar0 = map;
	dev->bar0_len = (size_t)st.st_size;
	dev->bus.doorbells = (volatile uint32_t *)(dev->bar0 + NVME_REG_DOORBELLS);
	dev->bus.doorbells_bytes = dev->bar0_len - NVME_REG_DOORBELLS;
	return 0;
}

static void tear_down(struct uio_device *dev)
{
	if (dev->bar0)
		munmap(dev->bar0, dev->bar0_len);
	close_file(dev->uio_fd);
	close_file(dev->cfg_fd);
	free(dev);
}

static int uio_open(struct bus **out, const char *addr)
{
	struct uio_device *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return err_set(-ENOMEM, "no memory");
	dev->bus.ops = &uio_ops;
	dev->bus.pid = getpid();
	dev->bus.iova_is_phys = true;
	dev->bus.irq_kind = BUS_IRQ_INTX;
	dev->bus.irq_max = 1;
	dev->uio_fd = -1;
	snprintf(dev->bus.addr, sizeof(dev->bus.addr), "%s", addr);
	err = open_config(dev);
	if (!err)
		err = open_uio(dev);
	if (!err)
		err = map_bar0(dev);
	if (!err)
		err = pci_enable(&dev->bus);
	if (!err)
		err = dma_attach(&dev->bus);
	if (err) {
		tear_down(dev);
		return err;
	}
	*out = &dev->bus;
	return 0;
}

static void uio_close(struct bus *bus)
{
	struct uio_device *dev = uio_device_of(bus);

	if (bus->pid != getpid()) {
		free(dev);
		return;
	}
	pci_stop_dma(bus);
	dma_detach(bus);
	tear_down(dev);
}

const struct bus_ops uio_ops = {
	.scheme = "uio",
	.open = uio_open,
	.close = uio_close,
	.cfg_read = uio_cfg_read,
	.cfg_write = uio_cfg_write,
	.reg_read = uio_reg_read,
	.reg_write = uio_reg_write,
	.dma_map = uio_dma_map,
	.dma_unmap = uio_dma_unmap,
	.irq_enable = uio_irq_enable,
	.irq_mask = uio_irq_mask,
	.irq_pending = uio_irq_pending,
	.reset = uio_reset,
	.power = uio_power,
	.health = uio_health,
};
