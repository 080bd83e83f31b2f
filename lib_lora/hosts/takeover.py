"""Stands before the host's own Lora: the tags of the prompt come here first.

The `activate` of the extra network called `lora` is wrapped on the object itself, so that its alias, the
built-in's own references and other extensions keep the object they know. Where nobody serves `lora`, because
the built-in Lora is switched off, an object of ours does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

from lib_lora.errors import EntryValueError
from lib_lora.hosts.request import Request
from lib_lora.hosts.sources import tab_of, take_tags
from lib_lora.hosts.tags import Sorted
from lib_lora.stack.prompt import KINDS

_MARK = "lora_stack_takeover"

Sort = Callable[[Any, list[Any]], Sorted]


class Takeover:
    """Wraps the host's extra network; `remove` gives it back.

    sort: tells which tags are ours, for a processing object. changed: is told when a run's tags have changed.
    """

    def __init__(self, sort: Sort, changed: Callable[[Any], None]) -> None:
        self._sort = sort
        self._changed = changed
        self._wrapped: list[Any] = []

    def ensure(self) -> None:
        """Stand before whoever serves `lora` now; safe to call before every picture."""
        from modules import extra_networks

        name, alias = KINDS
        network = extra_networks.extra_network_registry.get(name)
        if network is None:
            network = _OwnNetwork()
            extra_networks.register_extra_network(network)
            getattr(extra_networks, "extra_network_aliases", {}).setdefault(alias, network)
        if any(network is known for known in self._wrapped) and _is_wrapped(network):
            return

        @functools.wraps(MethodType(type(network).activate, network))  # SD.Next looks at the signature
        def activate(p: Any, params_list: Any, *args: Any, **kwargs: Any) -> None:
            def host(tags: list[Any]) -> None:
                type(network).activate(network, p, tags, *args, **kwargs)

            self._activate(p, list(params_list), host)

        setattr(activate, _MARK, True)
        # Takes the place of a wrap left by an earlier load of this extension.
        vars(network)["activate"] = activate
        self._wrapped.append(network)

    def remove(self) -> None:
        """Let the host serve its tags again."""
        from modules import extra_networks

        for network in self._wrapped:
            if _is_wrapped(network):
                del vars(network)["activate"]
        aliases = getattr(extra_networks, "extra_network_aliases", {})
        for table in (extra_networks.extra_network_registry, aliases):
            for key in [key for key, network in table.items() if isinstance(network, _OwnNetwork)]:
                del table[key]
        self._wrapped.clear()

    def _activate(self, p: Any, tags: list[Any], host: Callable[[list[Any]], None]) -> None:
        """Take our tags, leave the host the rest, and tell what is left."""
        try:
            found = self._sort(p, tags)
        except Exception as error:  # the host would swallow it, and draw without any of these tags
            found = Sorted(Request(tab_of(p), failure=error), ())
        take_tags(p, found.ours)
        for note in found.notes:
            p.comment(f"LoRA Stack: {note}")
        try:
            host(list(found.left))
        except Exception as error:
            if found.ours is None and not found.notes:
                raise  # the host's own business
            # It would be swallowed, the network asked again with no tags, and the picture drawn without ours.
            told = "The WebUI's own Lora cannot apply the prompt's tags"
            message = " ".join((*found.notes, f"{told}: {error}."))
            take_tags(p, Request(tab_of(p), failure=EntryValueError(message)))
        finally:
            self._changed(p)


def _is_wrapped(network: Any) -> bool:
    return getattr(vars(network).get("activate"), _MARK, False) is True


class _OwnNetwork:
    """Serves `lora` where nobody else does: names what was not found."""

    name = KINDS[0]

    def activate(self, p: Any, params_list: list[Any]) -> None:
        if params_list:
            names = ", ".join(str(params.items[0]) for params in params_list)
            p.comment(f"Networks not found: {names}")

    def deactivate(self, p: Any) -> None:
        """Nothing stays on the model between pictures."""
