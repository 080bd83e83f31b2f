"""What the Generate button of img2img runs."""

from __future__ import annotations

import base64
import io
from contextlib import closing

from modules import processing, scripts, shared
from modules.ui_common import picture_outputs
from PIL import Image

RESIZE_MODES = ("Just resize", "Crop and resize", "Resize and fill")


def read_painted_mask(text: str | None, size: tuple[int, int]) -> Image.Image | None:
    """The mask that was painted in the browser, a PNG as data address; white where it may change."""
    if not text:
        return None
    encoded = text.partition("base64,")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as mask:
        return mask.convert("L").resize(size)


def _chosen_picture(mode: int, init_img, painted, painted_mask, base, mask_uploaded):
    """(picture, mask) of the tab in front."""
    if mode == 0:
        return init_img, None
    if mode == 1:
        return painted, None if painted is None else read_painted_mask(painted_mask, painted.size)
    return base, mask_uploaded


def img2img_create_processing(
    id_task,
    mode,
    prompt,
    negative_prompt,
    init_img,
    painted,
    painted_mask,
    base,
    mask_uploaded,
    steps,
    sampler_name,
    scheduler,
    mask_blur,
    inpainting_fill,
    n_iter,
    batch_size,
    cfg_scale,
    denoising_strength,
    height,
    width,
    resize_mode,
    inpaint_full_res,
    inpaint_full_res_padding,
    inpainting_mask_invert,
    seed,
    subseed,
    subseed_strength,
    *args,
):
    """The request for the values on the page; script arguments come last."""
    image, mask = _chosen_picture(int(mode), init_img, painted, painted_mask, base, mask_uploaded)
    if image is None:
        raise ValueError("img2img needs a picture to start from: drop one on the field above.")
    if int(mode) > 0 and (mask is None or mask.convert("L").getbbox() is None):
        raise ValueError("Inpainting needs a mask: paint over the part to change, or give a mask picture.")
    p = processing.StableDiffusionProcessingImg2Img(
        outpath_samples=shared.opts.outdir_img2img_samples,
        prompt=prompt,
        negative_prompt=negative_prompt,
        init_images=[image],
        mask=mask,
        steps=int(steps),
        sampler_name=sampler_name,
        scheduler=scheduler,
        mask_blur=int(mask_blur),
        inpainting_fill=int(inpainting_fill),
        n_iter=int(n_iter),
        batch_size=int(batch_size),
        cfg_scale=cfg_scale,
        denoising_strength=denoising_strength,
        width=int(width),
        height=int(height),
        resize_mode=int(resize_mode),
        inpaint_full_res=bool(inpaint_full_res),
        inpaint_full_res_padding=int(inpaint_full_res_padding),
        inpainting_mask_invert=int(inpainting_mask_invert),
        seed=processing.get_fixed_seed(seed),
        subseed=processing.get_fixed_seed(subseed),
        subseed_strength=subseed_strength,
    )
    p.scripts = scripts.scripts_img2img
    p.script_args = args
    return p


def img2img(id_task, *args):
    """Make the pictures; return gallery, generation info, infotext, log."""
    p = img2img_create_processing(id_task, *args)
    with closing(p):
        processed = scripts.scripts_img2img.run(p, *p.script_args)
        if processed is None:
            processed = processing.process_images(p)
    return picture_outputs(processed)
