"""Drives from the command line, in nvme-cli's words."""
