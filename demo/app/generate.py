"""`python -m demo generate`: one request through the same path as the page, without a server."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import time
from pathlib import Path

from app.studio import ScriptMissing, Studio, request

LORA_HELP = (
    "add a LoRA, with fields such as ,region=inpaint,schedule=0@0;1@1,blocks=OUTD,hires=0.5; may be repeated"
)
NUMBERS = ("te", "unet", "feather")
LISTS = ("region", "blocks", "schedule", "te_schedule", "passes")
PASSES = ("base", "hires", "refiner", "detailer")


class UsageError(Exception):
    """Something on the command line cannot be; the message says what and the way out."""


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m demo generate", description="Make one picture and save it."
    )
    add = result.add_argument
    add("--prompt", default="", help="what to draw")
    add("--negative", default="", help="what not to draw")
    add("--seed", type=int, default=-1)
    add("--steps", type=int, default=20)
    add("--size", default=None, metavar="WIDTHxHEIGHT", help="default: 128x128, 512x512 with --checkpoint")
    add("--cfg", type=float, default=5.0, help="CFG scale")
    add("--sampler", default="Euler")
    add("--scheduler", default=None)
    add("--lora", action="append", default=[], metavar="NAME:WEIGHT[:TE][,FIELD=VALUE…]", help=LORA_HELP)
    add("--stack", type=Path, default=None, metavar="FILE.json", help="a stack as the panel writes it")
    add(
        "--region-mask",
        action="append",
        default=[],
        metavar="NAME=IMAGE",
        help="a mask that rows name as region=mask:NAME; may be repeated",
    )
    add("--init", type=Path, default=None, metavar="IMAGE", help="picture to start from")
    add("--mask", type=Path, default=None, metavar="IMAGE", help="white where the picture may change")
    add("--denoise", type=float, default=0.75, help="denoising strength of --init and --hires")
    add("--hires", type=float, default=None, metavar="FACTOR", help="second pass at a larger size")
    add("--batch-count", type=int, default=1)
    add("--batch-size", type=int, default=1)
    add(
        "--out",
        type=Path,
        default=None,
        metavar="FILE.png",
        help="where to save; more pictures get -1, -2, …",
    )
    add("--json", action="store_true", help="print one JSON object instead of text")
    return result


def read_lora(text: str) -> dict[str, object]:
    """NAME:WEIGHT[:TE][,field=value…] as a row of the stack; `hires=0.5` is the weight of a pass.

    What has no `=` goes on with the field before it: `region=box:0,0,0.5,1`.
    """
    first, *rest = text.split(",")
    name, *numbers = first.split(":")
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        values = []
    if not name or len(values) not in (1, 2):
        raise UsageError(
            f"--lora {text}: write NAME:WEIGHT or NAME:WEIGHT:TE, as in --lora styles/ghibli:0.8"
        )
    row: dict[str, object] = {"network": name, "weight": values[0]}
    if len(values) == 2:
        row["te"] = values[1]
    own: dict[str, float] = {}
    field = ""
    for item in rest:
        name, sign, value = (part.strip() for part in item.partition("="))
        if not sign and field in LISTS:
            row[field] = f"{row[field]},{name}"
            continue
        if not sign or not name:
            raise UsageError(f"--lora {text}: '{item}' is not field=value, as in ,stop=0.5")
        field = name
        if field in PASSES:
            own[field] = _number(text, item, value)
        else:
            row[field] = _number(text, item, value) if field in NUMBERS else value
    if own:
        if "passes" in row:
            raise UsageError(
                f"--lora {text}: write either passes= or the weights of passes such as hires=0.5"
            )
        # A weight for one pass leaves the row in the others.
        row["passes"] = ",".join(f"{name}:{own[name]:g}" if name in own else name for name in PASSES)
    return row


def _number(text: str, item: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"--lora {text}: '{item}' must be a number, as in ,hires=0.5") from None


def read_masks(options: argparse.Namespace) -> dict[str, str]:
    """The pictures of --region-mask as base64, by name."""
    masks = {}
    for text in options.region_mask:
        name, sign, path = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--region-mask {text}: write NAME=IMAGE, as in --region-mask left=left.png")
        try:
            masks[name.strip()] = base64.b64encode(Path(path).read_bytes()).decode("ascii")
        except OSError as error:
            raise UsageError(f"--region-mask {path}: {error.strerror}") from error
    return masks


def stack_text(options: argparse.Namespace) -> str:
    """The stack of --stack and --lora together; empty when neither is given."""
    stack: dict = {"version": 1, "entries": []}
    if options.stack is not None:
        try:
            text = options.stack.read_text(encoding="utf8")
        except OSError as error:
            raise UsageError(f"--stack {options.stack}: {error.strerror}") from error
        if not options.lora and not options.region_mask:
            return text
        try:
            stack = json.loads(text)
            stack["entries"]
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"--stack {options.stack} is not a stack: {error}") from error
    elif not options.lora:
        return ""
    stack["entries"] = [*stack["entries"], *(read_lora(text) for text in options.lora)]
    if masks := read_masks(options):
        stack["masks"] = {**stack.get("masks", {}), **masks}
    return json.dumps(stack)


def read_size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise UsageError(f"--size {text}: write WIDTHxHEIGHT, as in --size 128x128") from None
    if width % 8 or height % 8 or not (64 <= width <= 2048 and 64 <= height <= 2048):
        raise UsageError(f"--size {text}: both numbers must be multiples of 8 between 64 and 2048")
    return width, height


def _open_image(option: str, path: Path | None):
    if path is None:
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, UnidentifiedImageError) as error:
        raise UsageError(f"{option} {path} is no picture that can be read: {error}") from error


def make_request(options: argparse.Namespace):
    """The host's request object for these options."""
    from modules import sd_samplers, shared

    width, height = read_size(options.size or ("128x128" if shared.cmd_opts.ckpt is None else "512x512"))
    if sd_samplers.find_sampler_config(options.sampler) is None:
        raise UsageError(str(sd_samplers.UnknownSampler(options.sampler)))
    if options.steps < 1 or options.batch_count < 1 or options.batch_size < 1:
        raise UsageError("--steps, --batch-count and --batch-size must be at least 1")
    image, mask = _open_image("--init", options.init), _open_image("--mask", options.mask)
    if mask is not None and image is None:
        raise UsageError("--mask needs --init: the picture that is painted in")
    kind = {"enable_hr": options.hires is not None, "hr_scale": options.hires or 2.0}
    if image is not None:
        kind = {"init_images": [image], "mask": mask, "inpainting_fill": 1, "inpaint_full_res": False}
    return request(
        sd_model=shared.sd_model,
        prompt=options.prompt,
        negative_prompt=options.negative,
        seed=options.seed,
        steps=options.steps,
        width=width,
        height=height,
        cfg_scale=options.cfg,
        sampler_name=sd_samplers.find_sampler_config(options.sampler).name,
        scheduler=options.scheduler,
        n_iter=options.batch_count,
        batch_size=options.batch_size,
        denoising_strength=options.denoise,
        **kind,
    )


def _paths(out: Path | None, count: int) -> list[Path]:
    if out is None:
        return []
    return [out] + [out.with_name(f"{out.stem}-{index}{out.suffix}") for index in range(1, count)]


def make_pictures(options: argparse.Namespace, host_argv: list[str]) -> dict[str, object]:
    """Run the request; return what there is to tell."""
    studio = Studio(host_argv)
    from modules import images, sd_models

    text = stack_text(options)
    # Now, not at the first use: its errors are told, and its time is not the picture's.
    sd_models.load_model()
    p = make_request(options)
    started = time.perf_counter()
    processed = studio.run(p, text)
    seconds = time.perf_counter() - started
    paths = _paths(options.out, len(processed.images))
    for image, info, path in zip(processed.images, processed.infotexts, paths, strict=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, pnginfo=images.png_text(info) if path.suffix.lower() == ".png" else None)
    report = getattr(p, "lora_stack_report", None)
    return {
        "pictures": [
            {
                "file": str(path) if path is not None else None,
                "seed": seed,
                "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            }
            for image, seed, path in zip(
                processed.images, processed.all_seeds, paths or [None] * len(processed.images), strict=False
            )
        ],
        "report": report.to_json() if report is not None else None,
        "comments": list(p.comments),
        "infotext": processed.infotexts[0],
        "seconds": round(seconds, 3),
    }


def _say(result: dict) -> None:
    """The result for people."""
    report = result["report"] or {"entries": []}
    for entry in report["entries"]:
        applied = f"{entry['matched']} of {entry['total']} weights" if entry["applied"] else "not applied"
        print(f"{entry['network']}  weight {entry['unet']:g}, text encoder {entry['te']:g}  {applied}")
        for note in entry["notes"]:
            print(f"  {note}")
    if report["entries"]:
        print(f"{report['mode']} in {report['seconds'] * 1000:.0f} ms")
    for note in [*report.get("notes", []), *result["comments"]]:
        print(f"note: {note}")
    for picture in result["pictures"]:
        print(f"{picture['file'] or '(not saved)'}  seed {picture['seed']}  sha256 {picture['sha256']}")
    print(f"{result['seconds']:.2f} s")


def main(argv: list[str]) -> int:
    """Entry of the command; 2 for every error a user can mend."""
    options, host_argv = parser().parse_known_args(argv)
    try:
        result = make_pictures(options, host_argv)
    except (UsageError, ScriptMissing, ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        # The extension's errors carry their own sentence; a traceback would only hide it.
        if not hasattr(error, "detail"):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _say(result)
    return 0
