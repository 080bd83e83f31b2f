"""Our callbacks at the host, registered from a thread of their own, which costs a start almost nothing.

Hosts ask `inspect.stack()` who registers. While they load scripts, frames stand on the stack that no module
of `sys.modules` explains (Python's own import machinery, the script itself), and for each of them Python
looks through every module that is loaded: 60 to 70 ms a callback in A1111, half a second for ours. A thread
of its own has a short stack, all of it known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def register(callbacks: Mapping[str, Callable[..., Any]]) -> None:
    """Register each callback under its name at the host, `before_ui` by `on_before_ui`, in their order."""
    from modules import script_callbacks

    def register_all() -> None:
        for name, callback in callbacks.items():
            getattr(script_callbacks, f"on_{name}")(callback)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(register_all).result()
