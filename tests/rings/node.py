"""What the rings in Node.js share."""

import re
import shutil
import subprocess

#: What npm says when it reaches no registry: then the ring cannot run, and nothing is wrong.
OFFLINE = re.compile(
    r"\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED)\b"
)


def major() -> int:
    """Of the Node.js that is there; 0 if there is none."""
    if not shutil.which("node"):
        return 0
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def lacks(least: int) -> str:
    """Why npm packages for that version of Node.js cannot be used here; empty: they can."""
    have = major()
    if have < least:
        return f"Node.js {least} or later is needed, and there is {have or 'none'}"
    return "" if shutil.which("npm") else "npm is needed, and there is none"
