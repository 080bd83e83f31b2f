"""Acting in a part of the picture: the laws of masks on every kind of layer, over the small SD1 model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lib_lora.adapters import find_family
from lib_lora.engine.aimed import Aim
from lib_lora.engine.attached import Attached
from lib_lora.engine.masks import Mask, Picture, Rest, box_mask, drawn_mask
from lib_lora.engine.view import ModelView
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from lib_lora.stack.region import BOX, INPAINT, NOT, Region
from lib_lora.stack.schedule import Moment, Schedule
from tests.adapters.table import CASES, Case
from tests.builders import SmallModel, small_sd1
from tests.engine.changes import Doubling, lora

LEFT, RIGHT, ALL, NONE = Region(BOX, box=(0, 0, 0.375, 1)), Region(NOT, row=1), Region(BOX), Region(INPAINT)
PICTURE = Picture(128, 64)  # a latent of 8 × 16, which the UNet halves to 4 × 8, 2 × 4 and 1 × 2
LEFT_MASK = box_mask((0, 0, 0.375, 1), PICTURE)
ALMOST = drawn_mask("almost", torch.tensor([[1.0, 1 - 1e-6]]), PICTURE)
"""As good as one everywhere, and still computed as a mask."""
MASKS: dict[Region, Mask] = {
    LEFT: LEFT_MASK,
    RIGHT: Rest(LEFT_MASK),
    ALL: box_mask((0, 0, 1, 1), PICTURE),
    NONE: drawn_mask("none", torch.zeros(4, 4), PICTURE),
}

LAYERS = (
    pytest.param("unet.input_blocks.0.0", id="first convolution"),
    pytest.param("unet.input_blocks.1.0.in_layers.2", id="convolution 3x3"),
    pytest.param("unet.input_blocks.3.0.op", id="convolution with stride"),
    pytest.param("unet.output_blocks.3.0.skip_connection", id="convolution 1x1"),
    pytest.param("unet.output_blocks.2.1.conv", id="convolution after enlarging"),
    pytest.param("unet.input_blocks.1.1.proj_in", id="projection in"),
    pytest.param("unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q", id="self-attention q"),
    pytest.param("unet.input_blocks.4.1.transformer_blocks.0.attn1.to_v", id="self-attention v"),
    pytest.param("unet.output_blocks.3.1.transformer_blocks.0.attn1.to_out.0", id="self-attention out"),
    pytest.param("unet.input_blocks.1.1.transformer_blocks.0.attn2.to_q", id="words q"),
    pytest.param("unet.middle_block.1.transformer_blocks.0.ff.net.0.proj", id="feed-forward"),
    pytest.param("unet.out.2", id="last convolution"),
)
NORMS = (
    pytest.param("unet.input_blocks.1.0.in_layers.0", id="group norm"),
    pytest.param("unet.input_blocks.1.1.transformer_blocks.0.norm1", id="layer norm"),
)


def run(model: SmallModel, batch: int = 1, height: int = 8, width: int = 16) -> Tensor:
    seeded = torch.Generator().manual_seed(5)
    latent = torch.randn(1, 4, height, width, generator=seeded).expand(batch, -1, -1, -1)
    text = torch.randn(1, 8, 24, generator=seeded).expand(batch, -1, -1)
    with torch.no_grad():
        output: Tensor = model.unet(latent, torch.tensor([10] * batch), context=text)
    return output


@pytest.fixture(scope="module")
def model() -> SmallModel:
    return small_sd1()


@pytest.fixture(scope="module")
def view(model: SmallModel) -> ModelView:
    return model.view()


Wear = Callable[..., Attached]


@pytest.fixture
def wear(model: SmallModel, view: ModelView) -> Iterator[Wear]:
    """Put changes on the model, in the place of those put on before; everything is off again at the end."""
    worn: list[Attached] = []

    def put_on(changes: dict[str, Sequence[Contribution]], aim: Aim | None = None) -> Attached:
        while worn:
            worn.pop().rest()
        given = {name: tuple(found) for name, found in changes.items()}
        part = Attached("unet", {})
        part.resume(view, given, "merged", aim or Aim(MASKS))
        worn.append(part)
        return part

    yield put_on
    while worn:
        worn.pop().rest()
    modules = list(model.unet.modules())
    assert not any("forward" in vars(module) or module._forward_pre_hooks for module in modules)


def changed(view: ModelView, name: str, region: Region | None, seed: int = 1, **more: object) -> Contribution:
    shape = view.shapes[name]
    adapter = lora(shape, rank=3, seed=seed)
    change = Contribution(f"n{seed}", adapter, adapter.factors(shape), 0.8, region=region)
    return replace(change, **more)  # type: ignore[arg-type]


def doubled(view: ModelView, name: str, region: Region | None, bias: float | None = None) -> Contribution:
    return Contribution("d", Doubling(view.shapes[name], bias), None, 0.7, region=region)


def output_of(model: SmallModel, name: str) -> Tensor:
    """What one module puts out in a run of the UNet."""
    taken: list[Tensor] = []
    module = model.unet.get_submodule(name.removeprefix("unet."))
    hook = module.register_forward_hook(lambda _, __, result: taken.append(result))
    run(model)
    hook.remove()
    return taken[0]


@pytest.fixture(scope="module")
def plain(model: SmallModel) -> dict[str, Tensor]:
    """What every module puts out without any change."""
    found: dict[str, Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _, __, result, name=name: found.update({f"unet.{name}": result}))
        for name, module in model.unet.named_modules()
    ]
    run(model)
    for hook in hooks:
        hook.remove()
    return found


def cells(output: Tensor, size: tuple[int, int]) -> Tensor:
    """The output as a map `[batch, channels, height, width]`."""
    return output if output.dim() == 4 else output.transpose(1, 2).reshape(output.shape[0], -1, *size)


def map_size(output: Tensor) -> tuple[int, int]:
    if output.dim() == 4:
        return output.shape[-2], output.shape[-1]
    return {128: (8, 16), 32: (4, 8), 8: (2, 4), 2: (1, 2)}[output.shape[1]]


@pytest.mark.parametrize("name", [*LAYERS, *NORMS])
@pytest.mark.parametrize("family", ["low rank", "whole", "whole with bias"])
def test_outside_its_region_a_layer_is_untouched_to_the_last_bit(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor], name: str, family: str
) -> None:
    if family == "low rank" and len(view.shapes[name]) > 1:
        everywhere = changed(view, name, None)
    else:
        everywhere = doubled(view, name, None, 0.25 if "bias" in family else None)
    before, size = plain[name], map_size(plain[name])
    wear({name: [everywhere]})
    full = output_of(model, name)
    wear({name: [replace(everywhere, region=LEFT)]})
    part = output_of(model, name)
    mask = LEFT_MASK.at(*size)
    delta, wanted = (cells(output - before, size) for output in (part, full))
    assert (delta[..., mask == 0] == 0).all()
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(delta, wanted * mask, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    "case", [case for case in CASES if "linear" in case.hosts], ids=lambda case: case.name
)
def test_every_family_stays_inside(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor], case: Case
) -> None:
    name = "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q"
    tensors = case.draw(view.shapes[name])
    family = find_family(tensors)
    assert family is not None
    adapter = family.read(tensors)
    wear({name: [Contribution("f", adapter, adapter.factors(view.shapes[name]), 0.8, region=LEFT)]})
    delta = cells(output_of(model, name) - plain[name], (4, 8))
    assert (delta[..., 3:] == 0).all()
    assert (delta[..., :3].abs().max() > 1e-4) == ("constraint 0" not in case.name), (
        "one of them changes nothing"
    )


def test_the_moment_acts_inside_the_region_too(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor]
) -> None:
    """One number a channel becomes a map of its own, which the block adds place by place."""
    block = "unet.input_blocks.4.0"
    name = f"{block}.emb_layers.1"
    wear({name: [changed(view, name, None)]})
    everywhere = output_of(model, name) - plain[name]
    wear({name: [changed(view, name, LEFT), doubled(view, name, LEFT)]})
    output = output_of(model, name)
    assert output.shape == (1, 64, 4, 8)
    delta = output - plain[name][:, :, None, None]
    assert (delta[..., 3:] == 0).all()
    twice = 0.7 * (plain[name] - model.unet.get_submodule(name[5:]).bias)
    expected = (everywhere + twice)[:, :, None, None].expand(-1, -1, 4, 3)
    torch.testing.assert_close(delta[..., :3], expected, rtol=1e-3, atol=1e-5)
    assert output_of(model, block).shape == plain[block].shape
    assert (output_of(model, block) - plain[block]).abs().max() > 0.01


@pytest.mark.parametrize("place", ["to_k", "to_v"])
def test_words_are_attended_to_anew_inside_the_region(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor], place: str
) -> None:
    attention = "unet.input_blocks.4.1.transformer_blocks.0.attn2"
    name = f"{attention}.{place}"
    wear({name: [changed(view, name, None)]})
    full = output_of(model, attention) - plain[attention]
    wear({name: [changed(view, name, LEFT), changed(view, name, RIGHT, seed=2)]})
    both = output_of(model, attention) - plain[attention]
    wear({name: [changed(view, name, LEFT)]})
    part = output_of(model, attention) - plain[attention]
    full, both, part = (cells(delta, (4, 8)) for delta in (full, both, part))
    assert (part[..., 3:] == 0).all() and full.abs().max() > 0.001
    torch.testing.assert_close(part[..., :3], full[..., :3], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(both[..., :3], full[..., :3], rtol=1e-3, atol=1e-6)
    assert both[..., 3:].abs().max() > 0.001


def every_layer(view: ModelView, region: Region | None, seed: int = 1) -> dict[str, list[Contribution]]:
    """A small change of each linear layer and convolution that a region can act in."""
    names = [name for name, shape in view.shapes.items() if name.startswith("unet.") and len(shape) > 1]
    return {
        name: [changed(view, name, region, seed, strength=0.2)]
        for name in names
        if not name.startswith(("unet.time_embed", "unet.label_emb"))
    }


def test_a_mask_of_ones_is_no_mask(wear: Wear, model: SmallModel, view: ModelView) -> None:
    wear(every_layer(view, None))
    merged = run(model)
    attached = wear(every_layer(view, ALL))
    assert torch.equal(run(model), merged), "a full mask is merged like any other row"
    assert all(patch.masked is None for patch in attached.patches)
    wear(every_layer(view, LEFT), Aim({LEFT: ALMOST}))
    torch.testing.assert_close(run(model), merged, rtol=1e-3, atol=1e-3)


def test_a_black_mask_is_off(wear: Wear, model: SmallModel, view: ModelView) -> None:
    before = run(model)
    attached = wear(every_layer(view, NONE))
    assert not attached.patches
    assert torch.equal(run(model), before)


def test_half_a_mask_is_half_the_change(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor]
) -> None:
    name = "unet.input_blocks.1.0.in_layers.2"
    half = Aim({LEFT: drawn_mask("half", torch.full((3, 3), 0.5), PICTURE)})
    wear({name: [changed(view, name, LEFT)]}, half)
    delta = output_of(model, name) - plain[name]
    wear({name: [changed(view, name, None, strength=0.4)]})
    torch.testing.assert_close(delta, output_of(model, name) - plain[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS[1:8:3])
def test_a_region_and_its_rest_are_the_whole(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor], name: str
) -> None:
    wear({name: [changed(view, name, None)]})
    full = output_of(model, name)
    wear({name: [changed(view, name, LEFT), changed(view, name, RIGHT)]})
    torch.testing.assert_close(output_of(model, name), full, rtol=1e-4, atol=1e-5)


def test_what_acts_everywhere_stays_merged_beside_it(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor]
) -> None:
    name = "unet.input_blocks.1.1.transformer_blocks.0.attn1.to_q"
    everywhere = changed(view, name, None, seed=2)
    wear({name: [everywhere]})
    merged = output_of(model, name)
    attached = wear({name: [everywhere, changed(view, name, LEFT), doubled(view, name, LEFT)]})
    both = output_of(model, name)
    (patch,) = attached.patches
    assert patch.merged is not None and patch.masked is not None and patch.bypass is None
    right = cells(merged - both, (8, 16))[..., 6:]
    assert (right == 0).all()
    wear({name: [changed(view, name, LEFT), doubled(view, name, LEFT)]})
    alone = output_of(model, name) - plain[name]
    torch.testing.assert_close(both - merged, alone, rtol=1e-4, atol=1e-5)


def test_each_call_has_its_own_geometry(wear: Wear, model: SmallModel, view: ModelView) -> None:
    """Pictures of equal area and other proportions, and larger ones, one after another."""
    sizes = [(8, 16), (16, 8), (8, 24), (24, 16), (8, 16)]
    wear(every_layer(view, LEFT))
    outputs = [run(model, 1, *size) for size in sizes]
    assert torch.equal(outputs[0], outputs[-1])
    for size, output in zip(sizes[1:4], outputs[1:4], strict=True):
        wear(every_layer(view, LEFT))
        assert torch.equal(run(model, 1, *size), output)


def test_merged_tokens_are_an_error_and_not_a_guess(wear: Wear, model: SmallModel, view: ModelView) -> None:
    """Token merging hands the attention fewer tokens than its block has, tiling other rows."""
    name = "unet.input_blocks.1.1.transformer_blocks.0.attn1.to_q"
    attention = model.unet.get_submodule(name.rpartition(".")[0][5:])
    wear({name: [changed(view, name, LEFT)]})
    for fewer in (lambda x: x[:, :60], lambda x: x.reshape(4, 32, -1)):
        hook = attention.register_forward_pre_hook(lambda _, args, fewer=fewer: (fewer(args[0]),))
        with pytest.raises(EngineError, match="token merging, Hypertile"):
            run(model)
        hook.remove()


def test_one_side_of_the_prompt(wear: Wear, model: SmallModel, view: ModelView) -> None:
    sides = lambda args, kwargs: ["positive", "negative"]  # noqa: E731
    every = {
        name: [replace(change, side="positive") for change in found]
        for name, found in every_layer(view, None).items()
    }
    before = run(model)
    wear(every_layer(view, None))
    whole = run(model)
    wear(every, Aim(MASKS, sides))
    positive, negative = run(model, 2)
    assert torch.allclose(negative, before[0], atol=1e-5)
    torch.testing.assert_close(positive, whole[0], rtol=1e-3, atol=1e-3)
    wear(every, Aim(MASKS))
    with pytest.raises(EngineError, match="does not tell which prompt"):
        run(model, 2)


def test_a_side_inside_a_region(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor]
) -> None:
    aim = Aim(MASKS, lambda args, kwargs: ["negative", "positive"])
    for name in (
        "unet.input_blocks.1.0.in_layers.2",
        "unet.input_blocks.1.1.transformer_blocks.0.attn1.to_q",
    ):
        wear(
            {
                name: [
                    changed(view, name, LEFT, side="positive"),
                    changed(view, name, RIGHT, 2, side="negative"),
                ]
            },
            aim,
        )
        taken: list[Tensor] = []
        module = model.unet.get_submodule(name[5:])
        hook = module.register_forward_hook(lambda _, __, result, taken=taken: taken.append(result))
        run(model, 2)
        hook.remove()
        delta = cells(taken[0] - plain[name], (8, 16))
        moved = [[bool(delta[row, :, :, side].abs().max() > 1e-3) for side in (0, -1)] for row in (0, 1)]
        assert moved == [[False, True], [True, False]]


def test_a_schedule_acts_inside_the_region(
    wear: Wear, model: SmallModel, view: ModelView, plain: dict[str, Tensor]
) -> None:
    name = "unet.input_blocks.1.0.in_layers.2"
    ramp = Schedule(points=((0.0, 0.0), (1.0, 1.0)))
    changes = {
        name: [changed(view, name, LEFT, schedule=ramp), replace(doubled(view, name, LEFT), schedule=ramp)]
    }
    attached = wear(changes)
    with pytest.raises(EngineError, match="which step"):
        run(model)
    deltas = []
    for step in range(3):
        attached.step(Moment(step, 3))
        deltas.append(output_of(model, name) - plain[name])
    assert (deltas[0] == 0).all() and deltas[2].abs().max() > 0.01
    torch.testing.assert_close(deltas[1] * 2, deltas[2], rtol=1e-3, atol=1e-5)


def test_a_region_that_nobody_knows_is_an_error(wear: Wear, view: ModelView) -> None:
    with pytest.raises(EngineError, match="does not tell where 'inpaint' is"):
        wear(every_layer(view, NONE), Aim({}))


@torch.no_grad()
def test_a_change_that_reads_the_weight_follows_what_the_host_writes_there() -> None:
    name, model, part = "unet.input_blocks.1.1.proj_in", small_sd1(), Attached("unet", {})
    view = model.view()
    changes = {name: (doubled(view, name, LEFT),)}
    part.resume(view, changes, "merged", Aim(MASKS))
    run(model)
    view.layers[name].module.weight.mul_(2)
    followed = run(model)
    part.rest()
    part.resume(view, changes, "merged", Aim(MASKS))
    assert torch.equal(run(model), followed)
    part.rest()
