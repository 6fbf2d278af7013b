#!/bin/sh
# In a guest: Linux's own NVMe/TCP host on a target of `pynvme serve`.
#
#   linux_host.sh PYTHON
#
# Ends with status 0 and "all steps done"; each step says what it was before it runs.
set -eu
python=$1
nqn=nqn.2019-08.org.pynvme:sim:LINUX
log=/run/target.log

step() { echo "step: $*"; }

# What must appear: a file whose name is a pattern, within a minute.
appears() {
    for _ in $(seq 600); do
        for found in $1; do [ -e "$found" ] && return; done
        sleep 0.1
    done
    echo "missing: $1"
    exit 1
}

busybox ip link set lo up
$python -m nvme.cli serve --tcp 127.0.0.1:4420 sim:size=64M,sn=LINUX,vs=2.0 >$log 2>&1 &
target=$!
for _ in $(seq 600); do
    grep -q serving $log && break
    sleep 0.1
done

step discover
nvme discover -t tcp -a 127.0.0.1 -s 4420 | tee /run/discovered
grep -q "subnqn:  *$nqn" /run/discovered

step connect
nvme connect -t tcp -a 127.0.0.1 -s 4420 -n $nqn --hdr-digest --data-digest --nr-io-queues=2
appears "/dev/nvme0n1"
[ "$(cat /sys/class/nvme/nvme0/state)" = live ]

step identify
nvme id-ctrl /dev/nvme0 >/run/id-ctrl
grep -q "subnqn *: $nqn" /run/id-ctrl
nvme id-ns /dev/nvme0n1 >/dev/null
nvme smart-log /dev/nvme0 | grep -q "^critical_warning.*: 0"

step file system
mkfs.ext4 -q /dev/nvme0n1
mkdir -p /run/mounted
mount -t ext4 /dev/nvme0n1 /run/mounted
busybox dd if=/dev/urandom of=/run/mounted/random bs=64k count=32 2>/dev/null
before=$(sha256sum </run/mounted/random)
umount /run/mounted

step reset
nvme reset /dev/nvme0
appears "/dev/nvme0n1"
for _ in $(seq 600); do
    [ "$(cat /sys/class/nvme/nvme0/state)" = live ] && break
    sleep 0.1
done
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/nvme0n1 /run/mounted
[ "$(sha256sum </run/mounted/random)" = "$before" ]
busybox rm /run/mounted/random
busybox fstrim /run/mounted || echo "no fstrim"
umount /run/mounted

if command -v fio >/dev/null; then
    step verify
    fio --name=verify --filename=/dev/nvme0n1 --direct=1 --rw=randwrite --bs=4k --size=4M \
        --iodepth=8 --ioengine=libaio --verify=crc32c --do_verify=1 --output=/run/fio
fi

step disconnect
nvme disconnect -n $nqn | grep -q "disconnected 1 controller"

step end
kill $target
wait $target
if dmesg | grep -E "nvme.*(error|fail|timeout|bogus|unexpected)"; then
    echo "the kernel complains"
    exit 1
fi
echo "all steps done"
