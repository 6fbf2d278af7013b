"""Rings: what runs outside the test session, but is counted by it.

A ring is a set of tests that another process runs: C unit test programs, the API tests on a
build with sanitizers, the same API tests in a guest. Every file ring_*.py defines one as ``RING``;
each of its tests becomes an item of the session. All output is kept in build/logs.
"""
