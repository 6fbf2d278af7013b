#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Takes NVMe drives from the kernel, so that they can be tested, and gives them back.
#
#     setup.sh bind [ADDRESS...]       without an address: every NVMe drive that nothing uses
#     setup.sh release [ADDRESS...]    without an address: every NVMe drive that is not the kernel's
#     setup.sh status [ADDRESS...]     who has the drives, and what uses them
#     setup.sh list [ADDRESS...]       the same for programs: address, driver, character devices, use,
#                                      with tabs between them; needs no root
#
# With an IOMMU the drive is bound to vfio-pci. Without one it is bound to vfio-pci in no-IOMMU mode
# or, where the kernel has no such mode, to uio_pci_generic, and huge pages are reserved, since the
# drive then works on physical addresses. A drive that is mounted or otherwise in use is refused.
# Who calls it by sudo gets the drive's VFIO group, so that the tests themselves need no root.

set -euo pipefail
shopt -s inherit_errexit # a check that fails must not look like one that found nothing

python=$(dirname "$0")/../.venv/bin/python
[ -x "$python" ] || python=python3
pci=/sys/bus/pci
block=/sys/class/block
huge_pages=64 # of 2 MiB, for machines without an IOMMU
huge_knob=/proc/sys/vm/nr_hugepages
huge_before=/run/pynvme-huge-pages # how many there were before we reserved ours

say() { printf '%s\n' "$*"; }
warn() { printf 'setup: %s\n' "$*" >&2; }
die() {
	warn "$*"
	exit 1
}

driver_of() { basename "$(readlink "$pci/devices/$1/driver")" 2>/dev/null || true; }
is_nvme() { [[ $(<"$pci/devices/$1/class") == 0x0108* ]]; }

# 01:00.0 and 0000:01:00.0 name the same function.
full_address() {
	local address=${1,,}
	[[ $address =~ ^[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ ]] && address=0000:$address
	[[ $address =~ ^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ ]] ||
		die "$1 is not a PCI address like 01:00.0 ('pynvme status' shows which drive has which)"
	[ -d "$pci/devices/$address" ] || die "no PCI device at $address"
	is_nvme "$address" || die "$address is not an NVMe drive (class $(cat "$pci/devices/$address/class"))"
	printf '%s\n' "$address"
}

# Block devices of a function: the namespaces and their partitions. With multipath the kernel shows
# only hidden ones (nvme0c1n1) below the function; the one in use (nvme0n1) is the subsystem's.
blocks_of() {
	local path top device paths tops=()
	device=$(readlink -f "$pci/devices/$1")
	paths=$(readlink -f "$block"/*)
	for path in $paths; do
		[[ $path == "$device"/* ]] || continue
		tops+=("$path")
		if [[ ${path##*/} =~ ^(nvme[0-9]+)c[0-9]+(n[0-9]+)$ ]]; then
			tops+=("$(readlink -f "$block/${BASH_REMATCH[1]}${BASH_REMATCH[2]}")")
		fi
	done
	for path in $paths; do
		for top in "${tops[@]}"; do
			if [[ $path/ == "$top"/* && -e $path/dev ]]; then # hidden ones have no number
				say "${path##*/}"
				break
			fi
		done
	done
}

# Says what uses the drive; silence means nothing does. The last word is the kernel's: whoever uses
# a block device (a file system of many devices, RAID, a virtual machine) holds it exclusively.
usage_of() {
	local names name number known=
	names=$(blocks_of "$1")
	for name in $names; do
		number=$(<"$block/$name/dev")
		known+=$(
			awk -v n="$number" '$3 == n { print "mounted at " $5 }' /proc/self/mountinfo
			awk -v d="/dev/$name" '$1 == d { print "used as swap" }' /proc/swaps
			[ -z "$(ls -A "$block/$name/holders")" ] ||
				say "held by $(ls "$block/$name/holders" | paste -sd ' ')"
		)
	done
	if [ -n "$known" ]; then
		say "$known"
	elif [ -n "$names" ]; then
		# shellcheck disable=SC2086 # a list of words
		"$python" -I -S - $names <<-'PY'
			import os, sys
			for name in sys.argv[1:]:
			    try:
			        os.close(os.open(f"/dev/{name}", os.O_EXCL))
			    except PermissionError:
			        pass  # only root can ask
			    except OSError as error:
			        print(f"/dev/{name}: {error.strerror}")
		PY
	fi
}

rebind() { # ADDRESS DRIVER ("" for whatever the kernel finds)
	local device=$pci/devices/$1
	printf '%s\n' "$2" >"$device/driver_override"
	[ ! -e "$device/driver" ] || printf '%s\n' "$1" >"$device/driver/unbind"
	printf '%s\n' "$1" >"$pci/drivers_probe" || true # judged below by what is bound
	[ -z "$2" ] || [ "$(driver_of "$1")" = "$2" ] ||
		die "$1: the kernel did not bind it to $2 (dmesg may say why); now: $(driver_of "$1")"
}

reserve_huge_pages() {
	local before
	before=$(cat $huge_knob)
	[ "$before" -lt $huge_pages ] || return 0
	printf '%s\n' $huge_pages >$huge_knob
	[ -e $huge_before ] || printf '%s\n' "$before" >$huge_before
	say "reserved $(cat $huge_knob) huge pages of 2 MiB"
}

return_huge_pages() {
	[ -e $huge_before ] || return 0
	cat $huge_before >$huge_knob
	rm $huge_before
	say "gave the huge pages back"
}

# Everything else in an IOMMU group must be free of kernel drivers, or VFIO refuses the group.
check_group() {
	local other name
	for other in "$pci/devices/$1"/iommu_group/devices/*; do
		other=$(basename "$other")
		name=$(driver_of "$other")
		case $name in
		'' | vfio-pci | pcieport) ;;
		*) [ "$other" = "$1" ] ||
			warn "$1 shares its IOMMU group with $other, which $name drives: unbind that one, too" ;;
		esac
	done
}

# Without an IOMMU the kernel lets nobody but root in, whoever owns the file.
give_to_caller() {
	local node
	node=/dev/vfio/$(basename "$(readlink "$pci/devices/$1/iommu_group")")
	[ -n "${SUDO_UID:-}" ] && [ -e "$node" ] || return 0
	! command -v udevadm >/dev/null || udevadm settle || true # its rules set the owner, too
	chown "$SUDO_UID" "$node"
	say "$1: $node belongs to ${SUDO_USER:-$SUDO_UID} now"
}

nodes_of() { ls "$pci/devices/$1/nvme" 2>/dev/null | sed 's,^,/dev/,' | paste -sd ' ' || true; }

status() {
	local driver used names
	driver=$(driver_of "$1")
	used=$(usage_of "$1")
	names=$(nodes_of "$1")
	say "$1: ${driver:-no driver}${names:+ ($names)}${used:+, }$(paste -sd ';' <<<"$used")"
}

list() {
	printf '%s\t%s\t%s\t%s\n' "$1" "$(driver_of "$1")" "$(nodes_of "$1")" \
		"$(usage_of "$1" | paste -sd ';')"
}

bind() {
	local address=$1 target=vfio-pci note= used switch
	used=$(usage_of "$address")
	[ -z "$used" ] || die "$address is in use and is left alone: $(paste -sd ';' <<<"$used")"
	modprobe vfio-pci 2>/dev/null || true
	if [ -e "$pci/devices/$address/iommu_group" ]; then
		modprobe vfio_iommu_type1 2>/dev/null || true
		[ -d "$pci/drivers/vfio-pci" ] || die "this kernel has no vfio-pci driver"
		check_group "$address"
	else
		switch=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
		if [ -w "$switch" ]; then
			printf 'Y\n' >"$switch"
			note=" (no IOMMU: the drive can write to any memory)"
		else
			modprobe uio_pci_generic 2>/dev/null || true
			target=uio_pci_generic
			[ -d "$pci/drivers/$target" ] ||
				die "no IOMMU, no vfio no-IOMMU mode, no $target: switch the IOMMU on (intel_iommu=on)"
			note=" (no IOMMU: one interrupt, and the drive can write to any memory)"
		fi
		reserve_huge_pages
	fi
	if [ "$(driver_of "$address")" = "$target" ]; then
		say "$address: already bound to $target$note"
	else
		rebind "$address" "$target"
		say "$address: bound to $target$note"
	fi
	give_to_caller "$address"
}

release() {
	local driver
	driver=$(driver_of "$1")
	if [ "$driver" = nvme ]; then
		say "$1: already driven by nvme"
		return
	fi
	modprobe nvme 2>/dev/null || true
	rebind "$1" ""
	say "$1: given back, now driven by $(driver_of "$1" | grep . || echo nobody)"
}

action=${1:-}
case $action in
bind | release | status | list) shift ;;
*) die "usage: setup.sh bind|release|status|list [ADDRESS...]" ;;
esac
[ "$action" = list ] || [ "$(id -u)" = 0 ] || die "must be root"

if [ $# -gt 0 ]; then
	for address in "$@"; do
		address=$(full_address "$address")
		"$action" "$address"
	done
	exit 0
fi

# Nobody named a drive: take all that can be had, and say what was left alone.
found=0
for path in "$pci"/devices/*; do
	address=${path##*/}
	is_nvme "$address" || continue
	found=1
	"$0" "$action" "$address" || true
done
[ "$action" != release ] || return_huge_pages
[ $found = 1 ] || [ "$action" = list ] || say "no NVMe drive on this machine; the software SSD needs no set-up"
