"""Wraps on host classes: once, undone, never doubled, safe under wraps of others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from lib_lora.hosts.wraps import Wraps


@pytest.fixture
def host() -> tuple[type, type]:
    class Base:
        def sample(self, x: int, *, y: int = 0) -> int:
            """Sample."""
            return x + y

    class Child(Base):
        pass

    return Base, Child


def counting(calls: list[Any]) -> Callable[[Any, Callable[[], Any]], Any]:
    def around(p: Any, call: Callable[[], Any]) -> Any:
        calls.append(p)
        return call()

    return around


def test_arguments_and_result_pass_through(host: tuple[type, type]) -> None:
    base, _ = host
    calls: list[Any] = []
    Wraps().place(base, "sample", counting(calls))
    p = base()
    assert p.sample(2, y=3) == 5
    assert calls == [p]
    assert base.sample.__doc__ == "Sample."


def test_inherited_method_is_left_to_its_owner(host: tuple[type, type]) -> None:
    base, child = host
    calls: list[Any] = []
    wraps = Wraps()
    wraps.place(base, "sample", counting(calls))
    wraps.place(child, "sample", counting(calls))
    child().sample(1)
    assert len(calls) == 1


def test_copies_call_with_themselves(host: tuple[type, type]) -> None:
    base, _ = host
    calls: list[Any] = []
    Wraps().place(base, "sample", counting(calls))
    p = base()
    twin = copy.copy(p)
    twin.sample(1)
    assert calls == [twin]


def test_removing_gives_the_original_back(host: tuple[type, type]) -> None:
    base, _ = host
    before = dict(base.__dict__)
    wraps = Wraps()
    wraps.place(base, "sample", counting([]))
    assert base.__dict__["sample"] is not before["sample"]
    wraps.remove()
    assert dict(base.__dict__) == before


def test_a_new_door_after_reload_does_not_double(host: tuple[type, type]) -> None:
    base, _ = host
    first: list[Any] = []
    second: list[Any] = []
    Wraps().place(base, "sample", counting(first))
    Wraps().place(base, "sample", counting(second))
    base().sample(1)
    assert (len(first), len(second)) == (0, 1)


def test_under_a_wrap_of_somebody_else(host: tuple[type, type]) -> None:
    """Removed, ours only calls through; placed again, it wakes up where it is and is not doubled."""
    base, _ = host
    ours: list[Any] = []
    wraps = Wraps()
    wraps.place(base, "sample", counting(ours))
    wrapped = base.__dict__["sample"]

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapped(self, *args, **kwargs) * 10

    base.sample = theirs
    wraps.remove()
    assert base().sample(1) == 10
    assert ours == []
    again: list[Any] = []
    Wraps().place(base, "sample", counting(again))
    assert base().sample(1) == 10
    assert len(again) == 1
    assert base.__dict__["sample"] is theirs


def test_a_function_of_a_module() -> None:
    calls: list[Any] = []
    module = ModuleType("models")
    module.unload = lambda model=None: ("unloaded", model)  # type: ignore[attr-defined]
    before, wraps = module.unload, Wraps()
    wraps.place(module, "unload", counting(calls))
    assert (module.unload(), module.unload("one"), module.unload(model="two")) == (
        ("unloaded", None),
        ("unloaded", "one"),
        ("unloaded", "two"),
    )
    assert calls == [None, "one", None]
    wraps.remove()
    assert module.unload is before


def test_an_error_inside_reaches_the_host(host: tuple[type, type]) -> None:
    base, _ = host

    def failing(p: Any, call: Callable[[], Any]) -> Any:
        raise ValueError("seen")

    Wraps().place(base, "sample", failing)
    with pytest.raises(ValueError, match="seen"):
        base().sample(1)
