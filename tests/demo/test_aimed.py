"""Rows aimed at a place, a pass or a side of the prompt, through the host's own sampling."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_lora.errors import EntryValueError, LoraStackError, MaskError
from tests.demo.conftest import Host
from tests.demo.test_nested import detailer

pytestmark = pytest.mark.demo
NETWORK = "clothing/mecha_suit"
FEW = {"steps": 2}
HIRES = {"enable_hr": True, "hr_scale": 2.0, "denoising_strength": 0.7, "hr_second_pass_steps": 1}


def paint(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    image = Image.new("L", size)
    image.paste(255, box)
    return image


def args_of(
    *rows: dict[str, Any], tab: str = "txt2img", masks: dict[str, str] | None = None
) -> tuple[Any, ...]:
    """The host's list of arguments with ours filled in; rows without a network are of one for all."""
    from modules import scripts

    runner = scripts.scripts_img2img if tab == "img2img" else scripts.scripts_txt2img
    script = next(s for s in runner.alwayson_scripts if s.title() == "LoRA Stack")
    args = [0] + [getattr(control, "value", None) for control in runner.inputs[1:]]
    stack = {"version": 1, "entries": [{"network": NETWORK, **row} for row in rows], "masks": masks or {}}
    args[script.args_from : script.args_to] = [bool(rows), json.dumps(stack)]
    return tuple(args)


def pixels(processed: Any) -> np.ndarray:
    return np.asarray(processed.images[0].convert("RGB"), dtype=float)


class Draws:
    """Pictures of the host, each drawn once."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._known: dict[str, np.ndarray] = {}

    def __call__(
        self, *rows: dict[str, Any], masks: dict[str, str] | None = None, fresh: bool = False, **fields: Any
    ) -> np.ndarray:
        key = json.dumps([rows, masks, fields])
        if fresh or key not in self._known:
            self._known[key] = pixels(self.host.draw(args=args_of(*rows, masks=masks), **{**FEW, **fields}))
        return self._known[key]

    def before(self) -> Image.Image:
        """The picture that is painted in."""
        return Image.fromarray(self(seed=7).astype(np.uint8))

    def inpaint(self, *rows: dict[str, Any], **fields: Any) -> Any:
        given = {
            "init_images": [self.before()],
            "mask": paint((64, 64), (0, 0, 32, 64)),
            "mask_blur": 0,
            "inpainting_fill": 1,
            "inpaint_full_res": False,
            "denoising_strength": 0.9,
            **FEW,
            **fields,
        }
        return self.host.draw("img2img", args_of(*rows, tab="img2img"), **given)


@pytest.fixture(scope="module")
def draw(host: Host) -> Draws:
    return Draws(host)


def as_base64(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def report_of(processed: Any) -> dict[str, Any]:
    return json.loads(processed.js())["extra_generation_params"]["LoRA Stack report"]


OBJECT = {"region": "inpaint", "weight": 1.1}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="whole picture"),
        pytest.param(
            {
                "inpaint_full_res": True,
                "inpaint_full_res_padding": 4,
                "mask": paint((64, 64), (4, 20, 28, 44)),
            },
            id="only masked",
        ),
        pytest.param({"inpainting_mask_invert": 1, "mask": paint((64, 64), (32, 0, 64, 64))}, id="inverted"),
        pytest.param({"mask_blur": 4, "mask": paint((64, 64), (0, 0, 24, 64))}, id="blurred"),
        pytest.param({"batch_size": 2}, id="a batch"),
    ],
)
def test_inpainting_with_an_object(draw: Draws, fields: dict[str, Any]) -> None:
    """Outside the mask no pixel changes; inside the row is seen, and it acts nowhere else."""
    before = np.asarray(draw.before(), dtype=float)
    plain = draw.inpaint(**fields)
    worn = draw.inpaint(OBJECT, **fields)
    for image in worn.images[: fields.get("batch_size", 1)]:
        drawn = np.asarray(image.convert("RGB"), dtype=float)
        assert np.abs(drawn[:, 44:] - before[:, 44:]).max() == 0
    assert np.abs(pixels(worn) - pixels(plain))[:, :20].mean() > 0.8
    (row,) = report_of(worn)["entries"]
    assert 0.3 < row["share"] < 0.7


def test_the_inpaint_mask_is_the_hosts_own(draw: Draws) -> None:
    """A box where the host's mask is, and the mask itself, are the same picture."""
    assert np.array_equal(
        pixels(draw.inpaint({"region": "inpaint"})), pixels(draw.inpaint({"region": "box:0,0,0.5,1"}))
    )
    assert not np.array_equal(pixels(draw.inpaint({"region": "inpaint"})), pixels(draw.inpaint({})))


def test_a_box_on_the_whole_picture_is_found_in_its_crop(draw: Draws) -> None:
    """Only the masked corner is drawn, enlarged: the right half of the picture is not in it."""
    only = {"inpaint_full_res": True, "inpaint_full_res_padding": 0, "mask": paint((64, 64), (0, 0, 32, 32))}
    plain = pixels(draw.inpaint(**only))
    assert np.array_equal(pixels(draw.inpaint({"region": "box:0.6,0,0.4,1"}, **only)), plain)
    whole = draw.inpaint({"region": "box:0,0,0.5,0.5"}, **only)
    assert np.array_equal(pixels(whole), pixels(draw.inpaint({}, **only)))


def test_inpainting_needs_a_mask(draw: Draws) -> None:
    with pytest.raises(EntryValueError, match=r"row 1 \(clothing/mecha_suit\): region is inpaint.*inpainted"):
        draw({"region": "inpaint"})
    assert draw({"region": "inpaint", "passes": "detailer"}).size, "in another pass it does not matter"


@pytest.mark.parametrize("region", ["box:0,0,0.5,1", "mask:left"])
def test_a_row_acts_more_inside_its_region(draw: Draws, region: str) -> None:
    """What is outside changes too, since every part of a picture looks at the others, but less."""
    masks = {"left": as_base64(paint((64, 64), (0, 0, 32, 64)))}
    row = {"network": "style/neon", "region": region, "te": 0}
    change = np.abs(draw(row, masks=masks) - draw())
    assert change[:, :28].mean() > 1.2 * change[:, 36:].mean()


def test_the_regions_of_a_picture_are_its_whole(draw: Draws) -> None:
    """All of it, one half after another, and a mask of ones are one row; a black one is none."""
    white = {"all": as_base64(Image.new("L", (64, 64), 255)), "none": as_base64(Image.new("L", (64, 64)))}
    everywhere = draw({})
    assert np.array_equal(draw({"region": "mask:all"}, masks=white), everywhere)
    assert np.array_equal(draw({"region": "box:0,0,1,1", "feather": 0.1}), everywhere)
    left, right = {"region": "box:0,0,0.5,1", "feather": 0.1, "te": 0}, {"region": "not:1", "te": 0}
    assert np.abs(draw(left, right) - draw({"te": 0})).max() <= 2, "roundings of 16 bits"
    processed = draw.host.draw(args=args_of({"region": "mask:none"}, masks=white), **FEW)
    assert np.array_equal(pixels(processed), draw())
    assert any("its region is nowhere" in note for note in report_of(processed)["notes"])


def test_a_picture_with_a_mask_can_be_made_again(draw: Draws) -> None:
    """The mask is kept beside the outputs; the parameters hold its hash only."""
    from lib_lora.hosts import options
    from lib_lora.stack import infotext

    masks = {"left": "data:image/png;base64," + as_base64(paint((64, 64), (0, 0, 32, 64)))}
    first = draw.host.draw(args=args_of({"region": "mask:left"}, masks=masks), **FEW)
    stack = infotext.read(first.extra_generation_params[infotext.KEY])
    ((name, digest),) = stack.masks
    assert name == "left" and options.mask_store().path(digest) is not None
    again = draw({"region": "mask:left"}, masks={"left": digest})
    assert np.array_equal(again, pixels(first))


@pytest.mark.parametrize(
    ("rows", "masks", "kind", "says"),
    [
        pytest.param(
            {"region": "box:0.6,0,0.5,1"}, {}, EntryValueError, "row 1 .*outside the picture", id="box"
        ),
        pytest.param(
            {"region": "mask:lef"}, {"left": "AAAA"}, EntryValueError, "row 1 .*Nearest: 'left'", id="name"
        ),
        pytest.param(
            {"region": "mask:left"},
            {"left": "AAAA"},
            MaskError,
            "row 1 .*mask 'left' is not a picture",
            id="no picture",
        ),
        pytest.param({"region": "mask:left"}, {"left": "?"}, MaskError, "row 1 .*nor base64", id="no base64"),
        pytest.param(
            {"region": "mask:left"}, {"left": "0" * 16}, MaskError, "row 1 .*is missing", id="not kept"
        ),
        pytest.param(
            {"region": "mask:left"},
            {"left": as_base64(paint((64, 32), (0, 0, 32, 32)))},
            MaskError,
            r"row 1 .*mask 'left' has 64 × 32 pixels, and the picture 64 × 64",
            id="another shape",
        ),
        pytest.param({"passes": "hirs"}, {}, EntryValueError, "row 1 .*Nearest: 'hires'", id="pass"),
        pytest.param({"side": "positiv"}, {}, EntryValueError, "row 1 .*Nearest: 'positive'", id="side"),
        pytest.param({"region": "not:2"}, {}, EntryValueError, "row 1 .*the stack has 1 row", id="not"),
    ],
)
def test_what_is_wrong_names_the_row(
    draw: Draws, rows: dict[str, Any], masks: dict[str, str], kind: type[LoraStackError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        draw(rows, masks=masks)


def test_passes_of_hires(draw: Draws) -> None:
    everywhere = draw({}, **HIRES)
    assert np.array_equal(draw({"passes": "base,hires"}, **HIRES), everywhere)
    assert np.array_equal(draw({"passes": "base,hires:1"}, **HIRES), everywhere)
    other = {
        "base": draw({"passes": "base"}, **HIRES),
        "hires": draw({"passes": "hires"}, **HIRES),
    }
    other["half"] = draw({"passes": "base,hires:0.5"}, **HIRES)
    other["none"] = draw(**HIRES)
    pictures = [everywhere, *other.values()]
    assert len({picture.tobytes() for picture in pictures}) == 5
    assert np.array_equal(draw({"passes": "refiner,detailer"}, **HIRES), other["none"])
    two = draw({"passes": "base"}, {"passes": "hires", "weight": 0.5}, **HIRES)
    assert np.array_equal(two, other["half"]), "a weight of its own, or a row of its own"


def test_the_report_tells_of_all_passes(draw: Draws) -> None:
    rows = (
        {"passes": "base,hires:0.5"},
        {"passes": "hires", "region": "box:0,0,0.5,1"},
        {"passes": "detailer"},
    )
    processed = draw.host.draw(args=args_of(*rows), **FEW, **HIRES)
    report = report_of(processed)
    first, second = report["entries"]
    assert first["unet"] == 1 and "hires pass: weight 0.5, text encoder 0.5" in first["notes"]
    assert second["share"] == 0.5 and "acts in 50 % of the picture" in second["notes"]
    note = "row 3 (clothing/mecha_suit) acts in detailer only, which this picture did not have"
    assert note in report["notes"]


def test_a_region_in_both_passes(draw: Draws) -> None:
    """Each pass has its own size; two halves are the whole in both, and one half is less."""
    left, right = {"region": "box:0,0,0.5,1", "te": 0}, {"region": "not:1", "te": 0}
    whole, none = draw({"te": 0}, **HIRES), draw(**HIRES)
    assert whole.shape[:2] == (128, 128)
    assert np.abs(draw(left, right, **HIRES) - whole).max() <= 4, "roundings of 16 bits, twice sampled"
    half = draw(left, **HIRES)
    assert np.abs(half - none).mean() > 2 and np.abs(half - whole).mean() > 2


def test_hires_weights_on_little_memory(draw: Draws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host then encodes the second pass' prompts before the first pass."""
    from modules import shared

    row = {"passes": "base,hires:0.5"}
    usual = draw(row, **HIRES)
    monkeypatch.setattr(shared.sd_model, "lowvram", True)
    assert np.array_equal(draw(row, fresh=True, **HIRES), usual)


def test_the_detailer_has_its_own_passes(draw: Draws) -> None:
    draw.host.log.acting["postprocess_image"] = detailer()
    rows = {"passes": ""}, {"passes": "base,detailer"}, {"passes": "detailer"}, {"passes": "base"}
    everywhere, both, face, whole = (draw(row, fresh=True) for row in rows)
    assert np.array_equal(everywhere, both)
    none = draw(fresh=True)
    assert len({picture.tobytes() for picture in (everywhere, none, face, whole)}) == 4


def test_sides_of_the_prompt(draw: Draws) -> None:
    both, none = draw({}), draw()
    positive, negative = draw({"side": "positive"}), draw({"side": "negative"})
    assert len({picture.tobytes() for picture in (both, none, positive, negative)}) == 4
    assert np.abs(draw({"side": "positive"}, {"side": "negative"}) - both).max() <= 1
    one = draw({"side": "negative"}, cfg_scale=1.0)
    assert np.abs(one - draw(cfg_scale=1.0)).max() <= 1, "guidance of 1 never looks at the negative prompt"


@pytest.mark.parametrize("row", [{"side": "positive"}, {"start": "0.5"}], ids=["a side", "a window"])
def test_a_weight_of_the_pass_before_leaves_nothing_behind(draw: Draws, row: dict[str, Any]) -> None:
    """The host encodes the negative prompt first, and begins before the window: the row then does nothing."""
    draw({}, fresh=True)
    expected = draw(row, fresh=True)
    draw({"passes": "base,hires:0.3"}, fresh=True, **HIRES)
    assert np.array_equal(draw(row, fresh=True), expected)


@pytest.mark.parametrize("negative", ["dull", "dull " * 90], ids=["of equal length", "of two lengths"])
def test_sides_are_told_apart_when_the_host_batches_otherwise(draw: Draws, negative: str) -> None:
    from modules import shared

    row = {"side": "positive", "te": 0}
    usual = draw(row, negative_prompt=negative)
    shared.opts.data["batch_cond_uncond"] = False
    apart = draw(row, negative_prompt=negative, fresh=True)
    assert np.abs(apart - usual).max() <= 1
    assert np.abs(draw(negative_prompt=negative) - usual).max() > 2


def test_a_second_row_outside_is_the_rest(draw: Draws) -> None:
    """Two networks, left and right: each side is nearer to its own than to the other's."""
    left, right = {"network": "clothing/mecha_suit"}, {"network": "style/neon"}
    alone = [draw(row) for row in (left, right)]
    both = draw({**left, "region": "box:0,0,0.5,1"}, {**right, "region": "not:1"})
    for index, columns in enumerate((slice(0, 28), slice(36, 64))):
        near, far = (np.abs(both - other)[:, columns].mean() for other in (alone[index], alone[1 - index]))
        assert near < far


class Texts:
    """What the host samples with: the conditioning of each call, for prompt and negative prompt."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def __call__(
        self, row: dict[str, Any], calls: int, tab: str = "txt2img", **fields: Any
    ) -> list[list[Any]]:
        from modules import prompt_parser

        passes: list[list[Any]] = []

        def note(p: Any, *args: Any, c: Any, uc: Any, **_: Any) -> None:
            found = []
            for call in range(calls):
                _, positive = prompt_parser.reconstruct_multicond_batch(c, call)
                negative = prompt_parser.reconstruct_cond_batch(uc, call)
                found.append((positive, negative))
            passes.append(found)

        self._host.log.acting["process_before_every_sampling"] = note
        try:
            self._host.draw(tab, args_of(row, tab=tab), **fields)
        finally:
            del self._host.log.acting["process_before_every_sampling"]
        return passes


def equal(one: Any, other: Any) -> bool:
    return all(bool((ours == theirs).all()) for ours, theirs in zip(one, other, strict=True))


def test_text_encoded_at_key_frames(draw: Draws) -> None:
    """First and last step have the prompts of constant weights; between them lies their mixture."""
    texts = Texts(draw.host)
    ((none, *_),), ((full, *_),) = (texts({"te": te}, 1, steps=3) for te in (0, 1))
    (curve,) = texts({"te_schedule": "0@0,1@1"}, 3, steps=3)
    assert equal(curve[0], none) and equal(curve[2], full)
    for ours, first, last in zip(curve[1], none, full, strict=True):
        assert float((ours - (first + last) / 2).abs().max()) < 2e-3 * float(last.abs().max())
    (jump,) = texts({"te_schedule": "1@0,1@0.5,0@0.5"}, 4, steps=2, sampler_name="Heun")
    assert [equal(call, full) for call in jump] == [True, True, False, False] and equal(jump[3], none)


def test_text_over_the_steps_that_run(draw: Draws) -> None:
    """Of ten steps at strength 0.4 five run; a hires pass counts its own."""
    texts, row = Texts(draw.host), {"te_schedule": "0@0,1@1"}
    ((none, *_),), ((full, *_),) = (texts({"te": te}, 1, steps=3) for te in (0, 1))
    picture = {"init_images": [draw.before()], "denoising_strength": 0.4, "steps": 10}
    (some,) = texts(row, 5, "img2img", **picture)
    assert equal(some[0], none) and equal(some[4], full) and not equal(some[3], full)
    base, hires = texts(row, 2, **{**HIRES, "steps": 2, "hr_second_pass_steps": 2})
    assert equal(base[1], full) and equal(hires[0], base[0]) and equal(hires[1], full)


def test_a_curve_of_the_text_encoder_makes_its_own_picture(draw: Draws) -> None:
    assert np.array_equal(draw({"te_schedule": "1@0,1@1"}), draw({}))
    assert np.array_equal(draw({"te_schedule": "0.5"}), draw({"te": 0.5}))
    rise, fall = draw({"te_schedule": "0@0,1@1"}), draw({"te_schedule": "1@0,0@1"})
    assert len({picture.tobytes() for picture in (rise, fall, draw({}), draw({"te": 0}))}) == 4
    assert np.array_equal(draw({"te_schedule": "0@0,1@1"}, fresh=True), rise)
    window = {"stop": "1", "te_schedule": "same"}
    assert not np.array_equal(draw(window), draw({"stop": "1"}))
