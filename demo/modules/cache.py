"""The cache file under the name the newer hosts use."""

from modules.hashes import cache, dump_cache

__all__ = ["cache", "dump_cache"]
