"""The networks opened last, kept by the identity of their files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from threading import Lock

from lib_lora.network.network import Network
from lib_lora.network.reading import file_key, open_network

CACHE_BYTES = 1024**3


class NetworkCache:
    """The networks opened last, up to a number of bytes; a changed file is opened anew."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = Lock()
        self._networks: OrderedDict[tuple[Hashable, str], Network] = OrderedDict()

    def open(self, path: Path, architecture: str) -> Network:
        """Return the network of a file, from memory if the file is the one read before."""
        key = file_key(path), architecture
        with self._lock:
            network = self._networks.pop(key, None)
        network = network or open_network(path, architecture)
        with self._lock:
            self._networks[key] = network
            while len(self._networks) > 1 and self._bytes() > self._limit:
                self._networks.popitem(last=False)
        return network

    def clear(self) -> None:
        """Forget all networks."""
        with self._lock:
            self._networks.clear()

    def _bytes(self) -> int:
        return sum(network.nbytes for network in self._networks.values())
