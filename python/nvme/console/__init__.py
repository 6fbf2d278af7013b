"""The console: what sessions do, read from the flight recorder's files.

Nothing here talks to a session's process. docs/console.md is the protocol of ``pynvme console``.
"""
