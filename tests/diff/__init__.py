"""Two devices are given the same commands and must answer alike."""
