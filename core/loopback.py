"""Whether an address is this machine itself."""

from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK_ONLY = "MANYSHOT_LOOPBACK_ONLY"
"""Environment variable of a server that manyshot started: it answers to this machine's names."""


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine: localhost, 127.0.0.0/8, ::1."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False
