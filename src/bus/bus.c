// SPDX-License-Identifier: BSD-3-Clause
#include "bus/bus.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/address.h"
#include "bus/irq.h"
#include "bus/pci_sysfs.h"
#include "bus/soft.h"
#include "bus/uio.h"
#include "bus/vfio.h"

/* PCI functions that this process has open: a second controller on one would share its queues. */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list_node open_functions = { &open_functions, &open_functions };

static int refuse_second(const char *addr)
{
	struct list_node *node;

	for (node = open_functions.next; node != &open_functions; node = node->next) {
		struct bus *bus = list_entry(node, struct bus, open_node);

		if (bus->pid == getpid() && !strcmp(bus->addr, addr))
			return err_set(-EALREADY,
				       "%s is open in this process already: close that Controller "
				       "first",
				       addr);
	}
	return 0;
}

static int open_function(struct bus **out, const char *bdf)
{
	enum pci_driver driver;
	int err = refuse_second(bdf);

	if (!err)
		err = pci_sysfs_check(bdf, &driver);
	if (err)
		return err;
	return driver == PCI_DRIVER_UIO ? uio_ops.open(out, bdf) : vfio_ops.open(out, bdf);
}

/* A lock that another thread held during fork would stay locked in the child. */
static void unlock_after_fork(void)
{
	pthread_mutex_init(&open_lock, NULL);
}

static void hook_fork(void)
{
	pthread_atfork(NULL, NULL, unlock_after_fork);
}

int bus_open(struct bus **out, const char *addr)
{
	static pthread_once_t hooked = PTHREAD_ONCE_INIT;
	struct bus_address address;
	int err = bus_address_parse(&address, addr);

	if (err)
		return err;
	pthread_once(&hooked, hook_fork);
	pthread_mutex_lock(&open_lock);
	if (address.kind == BUS_ADDRESS_PCI)
		err = open_function(out, address.text);
	else
		err = soft_ops.open(out, address.text);
	if (!err) {
		list_add_tail(&open_functions, &(*out)->open_node);
		count_inc(COUNT_BUSES);
	}
	pthread_mutex_unlock(&open_lock);
	return err;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	bus_irq_fini(bus);
	pthread_mutex_lock(&open_lock);
	list_del(&bus->open_node);
	bus->ops->close(bus);
	count_dec(COUNT_BUSES);
	pthread_mutex_unlock(&open_lock);
}

int bus_read32(struct bus *bus, uint64_t off, uint32_t *val)
{
	uint64_t val64;
	int err = bus->ops->reg_read(bus, off, 4, &val64);

	if (!err)
		*val = (uint32_t)val64;
	return err;
}

int bus_read64(struct bus *bus, uint64_t off, uint64_t *val)
{
	return bus->ops->reg_read(bus, off, 8, val);
}

int bus_write32(struct bus *bus, uint64_t off, uint32_t val)
{
	return bus->ops->reg_write(bus, off, 4, val);
}

int bus_write64(struct bus *bus, uint64_t off, uint64_t val)
{
	return bus->ops->reg_write(bus, off, 8, val);
}
