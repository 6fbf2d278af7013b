// SPDX-License-Identifier: BSD-3-Clause
#include "bus/vfio_group.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/pci_sysfs.h"
#include "bus/vfio_container.h"

static struct list_node groups = { &groups, &groups };
static int groups_pid; /* whose they are */

/* A child must open its own, and hears who has the drive when it tries. */
static void forget_after_fork(void)
{
	if (groups_pid == getpid())
		return;
	list_init(&groups);
	vfio_container_forget();
	groups_pid = getpid();
}

static int find_path(const char *bdf, char *path, size_t len, bool *noiommu)
{
	char number[32];

	if (pci_sysfs_link(bdf, "iommu_group", number, sizeof(number)))
		return err_set(
			-EOPNOTSUPP,
			"%s is behind no IOMMU: switch it on (intel_iommu=on or amd_iommu=on "
			"in the kernel command line, VT-d in the firmware), or take VFIO's "
			"no-IOMMU mode (/sys/module/vfio/parameters/"
			"enable_unsafe_noiommu_mode)",
			bdf);
	snprintf(path, len, "/dev/vfio/noiommu-%s", number);
	*noiommu = !access(path, F_OK);
	if (!*noiommu)
		snprintf(path, len, "/dev/vfio/%s", number);
	return 0;
}

static int refuse_busy(const char *bdf, const char *path)
{
	char comm[64];
	int pid = pci_sysfs_holder(path, comm, sizeof(comm));

	if (!pid)
		return err_set(-EBUSY, "%s is in use: another process has %s open", bdf, path);
	return err_set(-EBUSY, "%s is in use by process %d (%s)", bdf, pid, comm);
}

static int open_path(const char *bdf, const char *path, bool noiommu)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), err = errno;

	if (fd >= 0)
		return fd;
	if (err == EBUSY)
		return refuse_busy(bdf, path);
	if (noiommu && (err == EACCES || err == EPERM))
		return err_set(-EACCES, "%s: without an IOMMU only root may use %s", bdf, path);
	if (err == EACCES || err == EPERM)
		return err_set(-EACCES, "%s: no permission on %s: `chown %d %s` as root", bdf, path,
			       (int)getuid(), path);
	return err_set(-err, "%s: cannot open %s: %s", bdf, path, strerror(err));
}

static int check_viable(int fd, const char *bdf, const char *path)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status))
		return err_set(-errno, "%s: VFIO_GROUP_GET_STATUS: %m", path);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return err_set(-EBUSY,
			       "%s shares IOMMU group %s with a device that a kernel driver has: "
			       "bind all of ls /sys/bus/pci/devices/%s/iommu_group/devices to "
			       "vfio-pci",
			       bdf, strrchr(path, '/') + 1, bdf);
	return 0;
}

static int open_group(struct vfio_group *group, const char *bdf)
{
	int err;

	group->fd = open_path(bdf, group->path, group->noiommu);
	if (group->fd < 0)
		return group->fd;
	err = check_viable(group->fd, bdf, group->path);
	if (!err)
		err = vfio_container_add(group->fd, group->path, group->noiommu);
	if (err) {
		close(group->fd);
		return err;
	}
	count_inc(COUNT_FDS);
	return 0;
}

static struct vfio_group *find_open(const char *path)
{
	struct list_node *node;

	for (node = groups.next; node != &groups; node = node->next) {
		struct vfio_group *group = list_entry(node, struct vfio_group, node);

		if (!strcmp(group->path, path))
			return group;
	}
	return NULL;
}

int vfio_group_get(struct vfio_group **out, const char *bdf)
{
	struct vfio_group *group;
	char path[sizeof(group->path)];
	bool noiommu = false;
	int err = find_path(bdf, path, sizeof(path), &noiommu);

	if (err)
		return err;
	forget_after_fork();
	group = find_open(path);
	if (!group) {
		group = calloc(1, sizeof(*group));
		if (!group)
			return err_set(-ENOMEM, "no memory");
		group->noiommu = noiommu;
		memcpy(group->path, path, sizeof(path));
		err = open_group(group, bdf);
		if (err) {
			free(group);
			return err;
		}
		list_add_tail(&groups, &group->node);
	}
	group->refs++;
	*out = group;
	return 0;
}

void vfio_group_put(struct vfio_group *group)
{
	if (--group->refs)
		return;
	list_del(&group->node);
	close(group->fd);
	count_dec(COUNT_FDS);
	vfio_container_leave();
	free(group);
}

unsigned int vfio_group_fds(int *fds, unsigned int max)
{
	struct list_node *node;
	unsigned int n = 0;

	for (node = groups.next; node != &groups && n < max; node = node->next)
		fds[n++] = list_entry(node, struct vfio_group, node)->fd;
	return n;
}
