"""Tests that QEMU's NVMe device cannot pass, and why (QEMU 7.2, hw/nvme)."""

CANNOT: dict[str, str] = {}
