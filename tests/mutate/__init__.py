"""Mutation testing: small faults are put into the sources, and the tests must find them.

`make mutate` draws a seeded sample of mutants over src and python/nvme, builds each, and runs the
tests that reach its line until one fails. docs/mutation.md says how to use it.
"""
