"""What the Generate button of txt2img runs."""

from __future__ import annotations

from contextlib import closing

from modules import processing, scripts, shared
from modules.ui_common import picture_outputs


def txt2img_create_processing(
    id_task,
    prompt,
    negative_prompt,
    steps,
    sampler_name,
    scheduler,
    n_iter,
    batch_size,
    cfg_scale,
    height,
    width,
    seed,
    subseed,
    subseed_strength,
    enable_hr,
    denoising_strength,
    hr_scale,
    hr_upscaler,
    hr_second_pass_steps,
    hr_resize_x,
    hr_resize_y,
    hr_prompt,
    hr_negative_prompt,
    *args,
):
    """The request for the values on the page; script arguments come last."""
    p = processing.StableDiffusionProcessingTxt2Img(
        outpath_samples=shared.opts.outdir_txt2img_samples,
        prompt=prompt,
        negative_prompt=negative_prompt,
        steps=int(steps),
        sampler_name=sampler_name,
        scheduler=scheduler,
        n_iter=int(n_iter),
        batch_size=int(batch_size),
        cfg_scale=cfg_scale,
        width=int(width),
        height=int(height),
        seed=processing.get_fixed_seed(seed),
        subseed=processing.get_fixed_seed(subseed),
        subseed_strength=subseed_strength,
        enable_hr=enable_hr,
        denoising_strength=denoising_strength,
        hr_scale=hr_scale,
        hr_upscaler=hr_upscaler,
        hr_second_pass_steps=int(hr_second_pass_steps),
        hr_resize_x=int(hr_resize_x),
        hr_resize_y=int(hr_resize_y),
        hr_prompt=hr_prompt,
        hr_negative_prompt=hr_negative_prompt,
    )
    p.scripts = scripts.scripts_txt2img
    p.script_args = args
    return p


def txt2img(id_task, *args):
    """Make the pictures; return gallery, generation info, infotext, log."""
    p = txt2img_create_processing(id_task, *args)
    with closing(p):
        processed = scripts.scripts_txt2img.run(p, *p.script_args)
        if processed is None:
            processed = processing.process_images(p)
    return picture_outputs(processed)
