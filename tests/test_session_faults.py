"""Faults in the middle of a run: memory that ends, errors, models moved, replaced and loaded anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_lora.engine import merged as merging_into
from lib_lora.engine.merging import ran_out
from lib_lora.errors import EngineError
from lib_lora.network import Network, NetworkCache
from lib_lora.session import Session
from tests.builders import ToyModel, toy_sd1
from tests.sessions import distance, is_untouched, open_networks, plan_of, same


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


class Memory:
    """Memory for so many merges; then every further one ends as the system's does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self.left: int | None = None
        self._error, self._addmm = error, torch.addmm
        monkeypatch.setattr(merging_into.torch, "addmm", self)

    def __call__(self, *args: Tensor, **options: Tensor) -> Tensor:
        if self.left is not None and "out" in options:  # a merge, not a change beside a layer
            if not self.left:
                raise self._error
            self.left -= 1
        return self._addmm(*args, **options)


ENDS = (
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: not enough memory"),
)


@pytest.mark.parametrize("error", ENDS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("merges", [0, 1, 3])
def test_where_memory_ends_the_rest_is_computed_beside(
    toy: ToyModel,
    networks: dict[str, Network],
    monkeypatch: pytest.MonkeyPatch,
    merges: int,
    error: Exception,
) -> None:
    view, before = toy.view(), toy.digests()
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=0.7, b=0.4))
        wanted = toy.run()
    memory, session = Memory(monkeypatch, error), Session()
    session.attach(view, plan_of(networks, view, a=0.7, b=0.4))
    memory.left = merges
    assert distance(toy.run(), wanted) < 1e-5
    report = session.report()
    assert (report.merged, report.bypassed) == (merges, 5 - merges)
    notes = " ".join(report.notes)
    assert "memory ran out while merging" in notes
    memory.left = None
    session.detach()
    session.attach(view, plan_of(networks, view, a=0.7, b=0.4))  # the next picture finds memory again
    assert same(toy.run(), wanted)
    assert session.report().merged == 5
    session.detach()
    assert toy.digests() == before
    assert is_untouched(toy)


def test_a_layer_that_can_only_be_merged_tells_the_way_out(
    networks: dict[str, Network], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toy, path = toy_sd1(), tmp_path / "norm.safetensors"
    view = toy.view()
    name = "unet.middle_block.1.transformer_blocks.0.norm1"
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_norm1"
    save_file({f"{stem}.w_norm": torch.ones(8), f"{stem}.b_norm": torch.ones(8)}, path)
    norm = NetworkCache().open(path, "sd1")
    plan = plan_of({"norm": norm}, view, norm=1.0)
    assert list(plan.changes) == [name]

    def ends(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(merging_into, "_add", ends)
    with pytest.raises(EngineError, match=r"not enough memory.*Least memory"), Session() as session:
        session.attach(view, plan)
        toy.run()
    assert is_untouched(toy)


@pytest.mark.parametrize("merges", [0, 2, 4])
def test_another_error_in_the_middle_of_a_merge_leaves_nothing(
    toy: ToyModel, networks: dict[str, Network], monkeypatch: pytest.MonkeyPatch, merges: int
) -> None:
    base, view, before = toy.run(), toy.view(), toy.digests()
    memory, session = Memory(monkeypatch, KeyError("a bug")), Session()
    for _ in range(2):
        memory.left = None
        session.attach(view, plan_of(networks, view, a=0.7))
        wanted = toy.run()
        session.attach(view, plan_of(networks, view, b=-0.3))
        memory.left = merges
        with pytest.raises(KeyError):
            toy.run()
        session.detach()
        assert is_untouched(toy)
        assert same(toy.run(), base)
        assert toy.digests() == before
        memory.left = None
        session.attach(view, plan_of(networks, view, a=0.7))
        assert same(toy.run(), wanted)
        session.detach()


def moved(toy: ToyModel) -> None:
    for root in (toy.unet, toy.clip_l):
        for parameter in root.parameters():
            parameter.data = parameter.data.clone()


def narrowed(toy: ToyModel) -> None:
    toy.unet.double()
    toy.unet.float()


def reloaded(toy: ToyModel) -> None:
    other = toy_sd1(seed=9)
    toy.unet.load_state_dict(other.unet.state_dict())
    toy.clip_l.load_state_dict(other.clip_l.state_dict())


def replaced(toy: ToyModel) -> None:
    other = toy_sd1(seed=9)
    for ours, theirs in ((toy.unet, other.unet), (toy.clip_l, other.clip_l)):
        for (name, module), (_, source) in zip(ours.named_modules(), theirs.named_modules(), strict=True):
            for key, parameter in source._parameters.items():
                assert name is not None
                if parameter is not None:
                    setattr(module, key, nn.Parameter(parameter.detach().clone()))


@pytest.mark.parametrize("fault", [moved, narrowed, reloaded, replaced], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("mode", ["merged", "bypass", "auto", "least memory"])
@torch.no_grad()
def test_a_model_that_changes_in_mid_run(
    toy: ToyModel, networks: dict[str, Network], fault: Callable[[ToyModel], None], mode: str
) -> None:
    view, session = toy.view(), Session()
    session.attach(view, plan_of(networks, view, a=0.7, b=0.4), mode)
    toy.run()
    fault(toy)
    got = toy.run()
    session.detach()
    assert is_untouched(toy)
    fresh, untouched = Session(), toy.run()
    view = toy.view()
    fresh.attach(view, plan_of(networks, view, a=0.7, b=0.4), mode)
    assert distance(toy.run(), got) < 1e-6
    fresh.forget()
    assert same(toy.run(), untouched)


def test_a_thousand_random_edits_leave_the_model_as_it_was(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    base, before, view = toy.run(), toy.digests(), toy.view()
    generator = torch.Generator().manual_seed(11)
    session = Session()
    seen: dict[tuple[float, ...], tuple[Tensor, Tensor]] = {}
    for edit in range(1000):
        drawn = torch.randint(0, 4, (3,), generator=generator).tolist()
        weights = dict(zip(networks, (0.35 * number for number in drawn), strict=True))
        session.attach(view, plan_of(networks, view, **weights))
        if edit % 3 == 0:
            got = toy.run()
            assert same(seen.setdefault(tuple(drawn), got), got)
        if edit % 7 == 0:
            session.detach()
    session.attach(view, plan_of(networks, view))
    assert same(toy.run(), base)
    assert toy.digests() == before
    assert is_untouched(toy)
    assert len(seen) > 60


def test_an_error_that_says_nothing_of_memory_is_none_of_it() -> None:
    assert not ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not ran_out(KeyError("out of memory"))


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "Could not allocate tensor with 4915840 bytes. There is not enough GPU video memory available!",
        "Current platform can NOT allocate memory block with size larger than 4GB!",
    ],
)
def test_other_cards_and_libraries_say_it_in_their_own_words(message: str) -> None:
    assert ran_out(RuntimeError(message))
