"""The recipes of docs/debug.md, each run as it stands there."""
