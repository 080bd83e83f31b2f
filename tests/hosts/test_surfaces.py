"""The door opens on every host's surface: signatures recorded from the sources of eight versions.

`surfaces.json` holds what there is (null), and how functions and methods are called: `x=` has a default. The
modules made of it refuse a call that the real ones would refuse.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import NetworkNotFoundError
from lib_lora.hosts.webui import WRAPPED

ROOT = Path(__file__).resolve().parents[2]
SURFACES = json.loads((Path(__file__).parent / "surfaces.json").read_text(encoding="utf-8"))
CALLBACKS = (
    "ui_settings",
    "before_ui",
    "ui_tabs",
    "app_started",
    "model_loaded",
    "cfg_denoiser",
    "script_unloaded",
)

Signature = list[str]


def signature_of(names: Signature) -> inspect.Signature:
    kind, parameters = inspect.Parameter.POSITIONAL_OR_KEYWORD, []
    for name in names:
        if name == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif name.startswith("**"):
            parameters.append(inspect.Parameter(name[2:], inspect.Parameter.VAR_KEYWORD))
        elif name.startswith("*"):
            parameters.append(inspect.Parameter(name[1:], inspect.Parameter.VAR_POSITIONAL))
            kind = inspect.Parameter.KEYWORD_ONLY
        else:
            default = None if name.endswith("=") else inspect.Parameter.empty
            parameters.append(inspect.Parameter(name.rstrip("="), kind, default=default))
    return inspect.Signature(parameters)


def function(names: Signature, act: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Make a function that can be called in that way only."""
    signature = signature_of(names)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        return None if act is None else act(**bound.arguments)

    return call


def klass(name: str, methods: dict[str, Signature], *bases: type) -> type:
    return type(name, bases, {method: function(names) for method, names in methods.items()})


@dataclass
class Surface:
    """A host made of signatures, with our script loaded; `callbacks` is what it registered."""

    data: dict[str, Any]
    modules: dict[str, ModuleType]
    callbacks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    script: Any = None
    unknown: set[str] = field(default_factory=set)

    def register(self, name: str, callback: Callable[..., Any]) -> None:
        """Keep a callback, and the files on the stack that no module is known for: hosts look for one."""
        self.callbacks[name] = callback
        known = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        frame = sys._getframe()
        while frame := frame.f_back:  # type: ignore[assignment]
            self.unknown |= {frame.f_code.co_filename} - known

    def processing(self, name: str = "StableDiffusionProcessingTxt2Img") -> Any:
        p = getattr(self.modules["processing"], name)()
        p.extra_generation_params, p.scripts, p.sd_model = {}, SimpleNamespace(alwayson_scripts=[]), None
        return p


def build(data: dict[str, Any], folder: Path) -> Surface:
    surface = Surface(data, {})
    for name, content in data["modules"].items():
        module = surface.modules[name] = ModuleType(f"modules.{name}")
        for item, what in content.items():
            if isinstance(what, list):
                setattr(module, item, function(what))
            else:
                setattr(module, item, None if what is None else klass(item, what))
    modules = surface.modules
    for name in CALLBACKS:
        names = data["modules"]["script_callbacks"][f"on_{name}"]
        put = surface.register
        setattr(
            modules["script_callbacks"],
            f"on_{name}",
            function(names, lambda callback, name=name, put=put, **_: put(name, callback)),
        )
    known = data["modules"]["processing"]
    base = modules["processing"].StableDiffusionProcessing  # type: ignore[attr-defined]
    for name in ("StableDiffusionProcessingTxt2Img", "StableDiffusionProcessingImg2Img"):
        setattr(modules["processing"], name, klass(name, known[name], base))
    modules["scripts"].scripts_data, modules["scripts"].AlwaysVisible = [], object()  # type: ignore[attr-defined]
    modules["extra_networks"].extra_network_registry = {}  # type: ignore[attr-defined]
    modules["extra_networks"].extra_network_aliases = {}  # type: ignore[attr-defined]
    modules["paths_internal"].models_path = modules["paths_internal"].extensions_dir = str(folder)  # type: ignore[attr-defined]
    option = klass("OptionInfo", data["modules"]["options"]["OptionInfo"])
    option.info = lambda self, text: self  # type: ignore[attr-defined]
    add = function(
        data["modules"]["options"]["Options"]["add_option"],
        lambda self, key, info: surface.options.__setitem__(key, info),
    )
    shared = modules["shared"]
    shared.OptionInfo = option  # type: ignore[attr-defined]
    shared.opts = SimpleNamespace(data={}, add_option=lambda *args: add(None, *args))  # type: ignore[attr-defined]
    shared.cmd_opts = SimpleNamespace(lora_dir=str(folder))  # type: ignore[attr-defined]
    return surface


def load_script() -> ModuleType:
    """Load the door as hosts do: by its path, under the name of the file."""
    path = ROOT / "scripts" / "lora_stack.py"
    spec = importlib.util.spec_from_file_location(path.name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=list(SURFACES))
def surface(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Surface]:
    built = build(SURFACES[request.param], tmp_path)
    package = ModuleType("modules")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "modules", package)
    for name, module in built.modules.items():
        monkeypatch.setitem(sys.modules, f"modules.{name}", module)
        if "." not in name:
            setattr(package, name, module)
    built.script = load_script().LoraStackScript()
    yield built
    built.callbacks["script_unloaded"]()


def test_everything_is_registered(surface: Surface) -> None:
    assert set(surface.callbacks) == set(CALLBACKS)
    surface.callbacks["ui_settings"]()
    assert {"lora_stack_folders", "lora_stack_mode", "lora_stack_takeover"} <= set(surface.options)
    surface.callbacks["before_ui"]()
    surface.callbacks["model_loaded"](SimpleNamespace())


def test_nothing_is_looked_for_when_callbacks_are_registered(surface: Surface) -> None:
    """In A1111 a start took half a second longer: `inspect.stack()` searches all modules for such a file."""
    assert not surface.unknown


def test_every_way_into_the_model_is_ours(surface: Surface) -> None:
    known, wrapped = surface.data["modules"]["processing"], dict(WRAPPED)
    found = [
        (owner, name)
        for owner, methods in known.items()
        for name in methods
        if hasattr(vars(getattr(surface.modules["processing"], owner)).get(name), "__wrapped__")
    ]
    assert found == [(owner, name) for owner, methods in known.items() for name in methods if name in wrapped]
    assert {name for _, name in found} == set(wrapped)


def test_a_picture_without_us_passes_through(surface: Surface) -> None:
    for name in ("StableDiffusionProcessingTxt2Img", "StableDiffusionProcessingImg2Img"):
        p = surface.processing(name)
        surface.script.process(p, False, "")
        p.setup_conds()
        p.sample(None, None, [1], [1], 0, ["prompt"])
        p.close()
        surface.script.postprocess(p, SimpleNamespace(extra_generation_params={}))
        assert p.extra_generation_params == {}


def test_a_wrong_name_stops_the_picture(surface: Surface) -> None:
    """What a hook raises is swallowed by all of them; `setup_conds` is not a hook."""
    p = surface.processing()
    surface.script.process(p, True, '{"version": 1, "entries": [{"network": "nobody"}]}')
    with pytest.raises(NetworkNotFoundError, match="nobody") as raised:
        p.setup_conds()
    assert vars(raised.value)["status_code"] == 422
    p.close()


def test_a_step_of_the_sampler(surface: Surface) -> None:
    """Before 1.8 the callback does not say whose step it is."""
    names = surface.data["modules"]["script_callbacks"]["CFGDenoiserParams"]["__init__"]
    params = SimpleNamespace(**{name.rstrip("="): None for name in names[1:]})
    surface.callbacks["cfg_denoiser"](params)


def test_reload_ui_leaves_one_wrap(surface: Surface) -> None:
    processing = surface.modules["processing"].StableDiffusionProcessing  # type: ignore[attr-defined]
    wrapped = processing.setup_conds
    surface.callbacks["script_unloaded"]()
    assert processing.setup_conds is not wrapped
    load_script()
    again = processing.setup_conds
    load_script()
    assert processing.setup_conds is again
