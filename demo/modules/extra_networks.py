"""Tags in the prompt, `<name:argument:argument>`, and whoever serves them."""

from __future__ import annotations

import re
from collections import defaultdict

from modules import errors

extra_network_registry: dict[str, ExtraNetwork] = {}
extra_network_aliases: dict[str, ExtraNetwork] = {}

_TAG = re.compile(r"<(\w+):([^>]+)>")


class ExtraNetworkParams:
    """The arguments of one tag: `a:b:c=1` has positional a, b and named c."""

    def __init__(self, items=None):
        self.items = items or []
        self.positional = []
        self.named = {}
        for item in self.items:
            name, *value = item.split("=", 2) if isinstance(item, str) else [item]
            if len(value) == 1:
                self.named[name] = value[0]
            else:
                self.positional.append(item)

    def __eq__(self, other):
        return isinstance(other, ExtraNetworkParams) and self.items == other.items

    __hash__ = None


class ExtraNetwork:
    """A kind of tag; activate() gets all its tags of the prompt, an empty list when there are none."""

    def __init__(self, name):
        self.name = name

    def activate(self, p, params_list):
        raise NotImplementedError

    def deactivate(self, p):
        raise NotImplementedError


def initialize() -> None:
    extra_network_registry.clear()
    extra_network_aliases.clear()


def register_extra_network(extra_network: ExtraNetwork) -> None:
    extra_network_registry[extra_network.name] = extra_network


def register_extra_network_alias(extra_network: ExtraNetwork, alias: str) -> None:
    extra_network_aliases[alias] = extra_network


def register_default_extra_networks() -> None:
    """The WebUI registers hypernetworks here; the stand-in has none."""


def lookup(name: str) -> ExtraNetwork | None:
    return extra_network_registry.get(name) or extra_network_aliases.get(name)


def _comment_unserved(p, name: str, params_list: list[ExtraNetworkParams]) -> None:
    """Nobody serves these tags: say so under the picture, where the real host only writes to its log."""
    tags = ", ".join(f"<{name}:{':'.join(params.items)}>" for params in params_list)
    text = f"Nothing here understands the tag {tags}: it was taken out of the prompt and had no effect."
    if hasattr(p, "comment"):
        p.comment(text)
    print(text)


def _by_network(p, extra_network_data: dict) -> list[tuple[ExtraNetwork, list[ExtraNetworkParams]]]:
    """Who serves which tags; the tags of a kind and of its aliases come together."""
    found: list[tuple[ExtraNetwork, list[ExtraNetworkParams]]] = []
    for name, params_list in extra_network_data.items():
        network = lookup(name)
        if network is None:
            _comment_unserved(p, name, params_list)
            continue
        known = next((tags for served, tags in found if served is network), None)
        if known is None:
            found.append((network, list(params_list)))
        else:
            known.extend(params_list)
    return found


def activate(p, extra_network_data: dict) -> None:
    """Tell every kind of tag what the prompt asks of it, then the scripts; failures are only reported."""
    served = []
    for network, params_list in _by_network(p, extra_network_data):
        try:
            network.activate(p, params_list)
            served.append(network)
        except Exception as error:
            errors.display(error, f"activating extra network {network.name} with arguments {params_list}")
    for name, network in extra_network_registry.items():
        if network in served:
            continue
        try:
            network.activate(p, [])
        except Exception as error:
            errors.display(error, f"activating extra network {name}")
    if p.scripts is not None:
        p.scripts.after_extra_networks_activate(
            p,
            batch_number=p.iteration,
            prompts=p.prompts,
            seeds=p.seeds,
            subseeds=p.subseeds,
            extra_network_data=extra_network_data,
        )


def deactivate(p, extra_network_data: dict) -> None:
    """Tell every kind of tag that the picture is done."""
    for name in extra_network_data:
        network = lookup(name)
        if network is None:
            continue
        try:
            network.deactivate(p)
        except Exception as error:
            errors.display(error, f"deactivating extra network {name}")
    for name, network in extra_network_registry.items():
        if name in extra_network_data:
            continue
        try:
            network.deactivate(p)
        except Exception as error:
            errors.display(error, f"deactivating unmentioned extra network {name}")


def parse_prompt(prompt: str) -> tuple[str, dict]:
    """Take the tags out of a prompt: the text without them, {kind: [params]}."""
    found: dict[str, list] = defaultdict(list)

    def take(match: re.Match) -> str:
        found[match.group(1)].append(ExtraNetworkParams(items=match.group(2).split(":")))
        return ""

    return re.sub(_TAG, take, prompt), found


def parse_prompts(prompts: list[str]) -> tuple[list[str], dict | None]:
    """Strip all prompts of a batch; the tags of the first count for all."""
    texts, data = [], None
    for prompt in prompts:
        text, found = parse_prompt(prompt)
        if data is None:
            data = found
        texts.append(text)
    return texts, data
