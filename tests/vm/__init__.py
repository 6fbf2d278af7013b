"""Throw-away Linux guests in which tests meet real VFIO and a drive of QEMU's; see README.md."""
