"""The house of the design, held by a test: floors, no effect at import, torch in its place, file sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib_lora"

# An import goes to a lower floor, or stays within its own folder.
FLOORS = {
    "errors": 1,
    "stack": 2,
    "files": 2,
    "adapters": 2,
    "keys": 2,
    "library": 3,
    "network": 3,
    "inspection": 3,
    "interference": 4,
    "plan": 4,
    "engine": 5,
    "ui": 5,
    "session": 6,
    "hosts": 7,
    "__main__": 7,
}
TORCH_FREE = (
    "stack",
    "keys",
    "library",
    "ui",
    "files.header",
    "files.hashes",
    "files.metadata",
    "files.sidecars",
    "inspection.inspect",
    "inspection.render",
    "__main__",
)
HOST_MODULES = ("modules", "backend", "modules_forge", "ldm_patched", "networks", "launch")
SOURCES = sorted(path for path in PACKAGE.rglob("*.py"))
SIZED = sorted(
    path
    for pattern in (
        "lib_lora/**/*.py",
        "scripts/*.py",
        "demo/**/*.py",
        "tests/**/*.py",
        "javascript/*.js",
        "*.py",
    )
    for path in ROOT.glob(pattern)
)
LONGEST = 400


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The name on the second level: lib_lora.stack.entry -> stack."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path, everywhere: bool = True) -> list[tuple[str, int]]:
    """Absolute names that a file imports; with `everywhere` false only those run when it is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nested: set[ast.AST] = set()
    for node in ast.walk(tree):
        lazy = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if lazy:
            nested.update(child for child in ast.walk(node) if child is not node)
    found = []
    for node in ast.walk(tree):
        if node in nested and not everywhere:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = list(path.relative_to(ROOT).parts[: -node.level]) if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            # `from lib_lora.stack import infotext` may name a module
            found += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_imports_go_down(path: Path) -> None:
    here = room(dotted(path))
    for name, line in imports(path):
        if not name.startswith("lib_lora."):
            continue
        there = room(name)
        if here and there != here:
            assert there in FLOORS, f"{path.name}:{line}: '{there}' is not on the floor plan"
            assert FLOORS[there] < FLOORS[here], f"{path.name}:{line}: {here} may not import {there}"


def test_every_room_stands_on_the_plan() -> None:
    rooms = {room(dotted(path)) for path in SOURCES} - {""}
    assert rooms == set(FLOORS)


def test_no_import_circles() -> None:
    known = {dotted(path) for path in SOURCES}
    graph = {
        dotted(path): {
            target
            for name, _ in imports(path, everywhere=False)
            for target in (name, name.rpartition(".")[0])
            if target in known and target != dotted(path)
        }
        for path in SOURCES
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, "import circle: " + " -> ".join((*trail, module))
        if module not in done:
            # A package's __init__ may gather its own files: they do not import the package back.
            for target in graph[module]:
                visit(target, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_only_hosts_names_the_host(path: Path) -> None:
    if room(dotted(path)) == "hosts":
        return
    for name, line in imports(path):
        assert name.split(".")[0] not in HOST_MODULES, f"{path.name}:{line}: only hosts/ may import {name}"


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_the_demo_is_never_imported(path: Path) -> None:
    assert not [name for name, _ in imports(path) if name.split(".")[0] in ("demo", "tests", "scripts")]


def test_the_demo_shadows_nobody() -> None:
    assert not (ROOT / "demo" / "__init__.py").exists()
    assert not (ROOT / "scripts" / "__init__.py").exists()


def test_no_effect_at_import() -> None:
    """Import every module with `open` for our own use and `print` refused, in a fresh interpreter."""
    program = f"""
import builtins, io, os, sys, importlib
sys.path.insert(0, {str(ROOT)!r})
import torch, safetensors, gradio, fastapi  # their own effects are theirs
real_open = builtins.open
def caller_is_ours():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("lib_lora"):
            return True
        if name.startswith(("importlib", "_frozen_importlib", "zipimport")):
            return False
        frame = frame.f_back
    return False
def refused(what, real):
    def call(*args, **kwargs):
        if caller_is_ours():
            raise AssertionError(f"{{what}} at import: {{args!r}}")
        return real(*args, **kwargs)
    return call
builtins.open = refused("open", builtins.open)
io.open = refused("io.open", io.open)
builtins.print = refused("print", builtins.print)
os.scandir = refused("os.scandir", os.scandir)
os.listdir = refused("os.listdir", os.listdir)
for name in {[dotted(path) for path in SOURCES]!r}:
    importlib.import_module(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", TORCH_FREE)
def test_torch_is_not_needed(name: str) -> None:
    modules = [
        dotted(path)
        for path in SOURCES
        if dotted(path) == f"lib_lora.{name}" or dotted(path).startswith(f"lib_lora.{name}.")
    ]
    assert modules, f"no module called {name}"
    program = (
        f"import sys, importlib; sys.path.insert(0, {str(ROOT)!r}); sys.modules['torch'] = None; "
        f"sys.modules['modules'] = None; [importlib.import_module(m) for m in {modules!r}]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SIZED, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_job_per_file(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines; split it"


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "a module begins with its purpose"


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_no_mutable_globals(path: Path) -> None:
    """Module level holds constants: no list, dict or set that code could fill later."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        name = node.targets[0].id if named else ""  # type: ignore[union-attr]
        mutable = isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))
        assert not mutable or name == "__all__", (
            f"{path.name}:{node.lineno}: use a tuple or a MappingProxyType"
        )


def test_families_are_named_only_in_adapters() -> None:
    families = {path.stem for path in (PACKAGE / "adapters").glob("*.py")} - {"__init__", "base"}
    for path in SOURCES:
        if room(dotted(path)) in ("adapters", "keys", "files"):
            continue
        for name, line in imports(path):
            parts = name.split(".")
            assert parts[:2] != ["lib_lora", "adapters"] or not families & set(parts[2:]), (
                f"{path.name}:{line}: {name}"
            )
