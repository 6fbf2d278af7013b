"""Tests that QEMU's NVMe device cannot pass, and why (QEMU 7.2, hw/nvme)."""

CANNOT: dict[str, str] = {
    "test_100_aborts_and_the_4_aers_that_they_end_satisfy_waitdone_104": (
        "answers Abort with 'not aborted' always, so the AERs go on"
    ),
    "test_the_firmware_log_names_the_running_revision": (
        "its Firmware Slot log says 1.0, whatever its Identify says"
    ),
    "test_write_uncorrectable_makes_reads_fail": "has no Write Uncorrectable",
}

#: CC.EN = 0 while it is at work makes QEMU 7.2 end itself, about every tenth time: it completes
#: commands of queues that it has freed (hw/nvme/ctrl.c, nvme_enqueue_req_completion).
ENDED_BY = {"controller", "enable"}
