"""NVMe/TCP with a hostile network between host and target."""
