"""Standing before the host's own Lora: once, on whoever serves the tags, and gone afterwards."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.hosts.request import ATTRIBUTE, Request
from lib_lora.hosts.tags import Sorted
from lib_lora.hosts.takeover import Takeover


class Lora:
    """Stands for the built-in's extra network."""

    name = "lora"

    def __init__(self) -> None:
        self.got: list[Any] = []

    def activate(self, p: Any, params_list: list[Any]) -> None:
        self.got.append(list(params_list))
        if "broken" in params_list:
            raise ValueError("could not convert string to float")


class Processing(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(comments=[], extra_generation_params={})

    def comment(self, text: str) -> None:
        self.comments.append(text)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    modules, found = ModuleType("modules"), ModuleType("modules.extra_networks")
    found.extra_network_registry, found.extra_network_aliases = {}, {}  # type: ignore[attr-defined]
    found.register_extra_network = lambda network: found.extra_network_registry.update(  # type: ignore[attr-defined]
        {network.name: network}
    )
    modules.extra_networks = found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.extra_networks", found)
    return found


def serve(registry: ModuleType) -> Lora:
    lora = Lora()
    registry.extra_network_registry["lora"] = registry.extra_network_aliases["lyco"] = lora
    return lora


def take_words(p: Any, tags: list[Any]) -> Sorted:
    """Ours are those that begin with a capital."""
    ours = [tag for tag in tags if str(tag)[:1].isupper()]
    left = tuple(tag for tag in tags if tag not in ours)
    notes = tuple(f"{tag} was left." for tag in left if tag != "plain")
    return Sorted(Request("txt2img", failure=EntryValueError(",".join(ours))) if ours else None, left, notes)


def taken(p: Any) -> str:
    request = getattr(p, ATTRIBUTE)
    return "" if request is None else str(request.failure)


def test_ours_are_taken_and_the_rest_is_the_host_s(registry: ModuleType) -> None:
    lora, told = serve(registry), []
    takeover = Takeover(take_words, told.append)
    takeover.ensure()
    p = Processing()
    registry.extra_network_aliases["lyco"].activate(p, ["A", "plain", "B", "strange"])
    assert lora.got == [["plain", "strange"]]
    assert taken(p) == "A,B"
    assert p.comments == ["LoRA Stack: strange was left."]
    assert told == [p]
    lora.activate(p, [])
    assert lora.got[-1] == []
    assert taken(p) == ""


def test_once_however_often_and_gone_afterwards(registry: ModuleType) -> None:
    lora = serve(registry)
    takeovers = [Takeover(take_words, lambda p: None) for _ in range(2)]
    for takeover in (*takeovers, takeovers[1]):  # Reload UI without the unloading of the first
        takeover.ensure()
    lora.activate(Processing(), ["A", "plain"])
    assert lora.got == [["plain"]]
    takeovers[1].remove()
    assert "activate" not in vars(lora)
    takeovers[1].remove()
    lora.activate(Processing(), ["A"])
    assert lora.got[-1] == ["A"]


def test_whoever_serves_next_is_stood_before_as_well(registry: ModuleType) -> None:
    """Reload UI makes a new object, and other extensions register theirs under the same name."""
    takeover = Takeover(take_words, lambda p: None)
    first = serve(registry)
    takeover.ensure()
    second = serve(registry)
    takeover.ensure()
    second.activate(Processing(), ["A"])
    assert second.got == [[]]
    takeover.remove()
    assert "activate" not in vars(first) and "activate" not in vars(second)


def test_a_method_replaced_later_in_the_class_is_used(
    registry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora, seen = serve(registry), []
    Takeover(take_words, lambda p: None).ensure()
    monkeypatch.setattr(Lora, "activate", lambda self, p, tags: seen.append(tags))
    lora.activate(Processing(), ["A", "plain"])
    assert seen == [["plain"]]


def test_where_nobody_serves_the_tags_we_do(registry: ModuleType) -> None:
    """The built-in Lora can be switched off; A1111 then drops the tags without a word."""
    takeover = Takeover(take_words, lambda p: None)
    takeover.ensure()
    p = Processing()
    registry.extra_network_registry["lora"].activate(p, ["A", SimpleNamespace(items=["gone"])])
    assert taken(p) == "A"
    assert p.comments[-1] == "Networks not found: gone"
    takeover.remove()
    assert registry.extra_network_registry == {} == registry.extra_network_aliases


def test_what_the_host_cannot_read_either_stops_the_picture(registry: ModuleType) -> None:
    """A1111 swallows the error and draws without any LoRA of the prompt."""
    lora, p = serve(registry), Processing()
    Takeover(take_words, lambda p: None).ensure()
    lora.activate(p, ["A", "broken"])
    assert "broken was left" in taken(p) and "could not convert" in taken(p)


def test_ours_are_not_lost_with_what_the_host_fails_at(registry: ModuleType) -> None:
    """Told nothing of what was left, the host would be asked again, with no tags at all."""
    lora, p = serve(registry), Processing()
    Takeover(lambda p, tags: replace(take_words(p, tags), notes=()), lambda p: None).ensure()
    try:
        lora.activate(p, ["A", "broken"])
    except ValueError:
        lora.activate(p, [])  # as the host does
    assert "could not convert" in taken(p)


def test_the_host_s_own_failures_stay_its_own(registry: ModuleType) -> None:
    lora = serve(registry)
    Takeover(lambda p, tags: Sorted(None, tuple(tags)), lambda p: None).ensure()
    with pytest.raises(ValueError, match="convert"):
        lora.activate(Processing(), ["broken"])


def test_a_failure_of_ours_is_kept_for_where_it_is_seen(registry: ModuleType) -> None:
    def fail(p: Any, tags: list[Any]) -> Sorted:
        raise OSError("disk on fire")

    lora, p = serve(registry), Processing()
    Takeover(fail, lambda p: None).ensure()
    lora.activate(p, ["A"])
    assert taken(p) == "disk on fire"


def test_more_arguments_of_another_host_are_handed_on(registry: ModuleType) -> None:
    """SD.Next calls with a step and what to include: refused, all tags there would do nothing."""
    told: list[Any] = []

    class Stepping(Lora):
        def activate(self, p: Any, params_list: list[Any], step: int = 0, include: Any = ()) -> None:  # type: ignore[override]
            told.append((params_list, step, include))

    registry.extra_network_registry["lora"] = Stepping()
    takeover = Takeover(lambda p, tags: Sorted(None, tuple(tags)), lambda p: None)
    takeover.ensure()
    activate = registry.extra_network_registry["lora"].activate
    assert list(inspect.signature(activate).parameters) == ["p", "params_list", "step", "include"]
    activate(Processing(), ["a"], 3, include=["unet"])
    assert told == [(["a"], 3, ["unet"])]
    takeover.remove()
