"""The base class of scripts and the small values their hooks receive."""

from __future__ import annotations

import re
from dataclasses import dataclass

AlwaysVisible = object()


class MaskBlendArgs:
    """Blending of the latent inside and outside the inpaint mask."""

    def __init__(self, current_latent, nmask, init_latent, mask, blended_latent, denoiser=None, sigma=None):
        self.current_latent = current_latent
        self.nmask = nmask
        self.init_latent = init_latent
        self.mask = mask
        self.blended_latent = blended_latent
        self.denoiser = denoiser
        self.is_final_blend = denoiser is None
        self.sigma = sigma


class PostSampleArgs:
    def __init__(self, samples):
        self.samples = samples


class PostprocessImageArgs:
    def __init__(self, image):
        self.image = image


class PostProcessMaskOverlayArgs:
    def __init__(self, index, mask_for_overlay, overlay_image):
        self.index = index
        self.mask_for_overlay = mask_for_overlay
        self.overlay_image = overlay_image


class PostprocessBatchListArgs:
    def __init__(self, images):
        self.images = images


@dataclass
class OnComponent:
    component: object


class Script:
    """A script of an extension: one instance per tab, whose hooks the host calls."""

    name = None
    section = None
    filename = None
    args_from = None
    args_to = None
    alwayson = False
    is_txt2img = False
    is_img2img = False
    tabname = None
    group = None
    create_group = True
    infotext_fields = None
    paste_field_names = None
    api_info = None
    controls = None
    setup_for_ui_only = False
    load_script_before_init = False
    on_before_component_elem_id = None
    on_after_component_elem_id = None

    def title(self):
        raise NotImplementedError

    def ui(self, is_img2img):
        """Return the components whose values become the script's arguments."""

    def show(self, is_img2img):
        """False: hidden; True: in the Script list; AlwaysVisible: an own place on the page."""
        return True

    def run(self, p, *args):
        """Selectable scripts only: make the pictures."""

    def setup(self, p, *args): ...

    def before_process(self, p, *args): ...

    def process(self, p, *args): ...

    def before_process_batch(self, p, *args, **kwargs): ...

    def after_extra_networks_activate(self, p, *args, **kwargs): ...

    def process_before_every_sampling(self, p, *args, **kwargs): ...

    def process_batch(self, p, *args, **kwargs): ...

    def postprocess_batch(self, p, *args, **kwargs): ...

    def postprocess_batch_list(self, p, pp, *args, **kwargs): ...

    def on_mask_blend(self, p, mba, *args): ...

    def post_sample(self, p, ps, *args): ...

    def postprocess_image(self, p, pp, *args): ...

    def postprocess_maskoverlay(self, p, ppmo, *args): ...

    def postprocess_image_after_composite(self, p, pp, *args): ...

    def postprocess(self, p, processed, *args): ...

    def before_hr(self, p, *args): ...

    def before_component(self, component, **kwargs): ...

    def after_component(self, component, **kwargs): ...

    def on_before_component(self, callback, *, elem_id):
        """Call `callback(OnComponent)` before the component of that id is made."""
        if self.on_before_component_elem_id is None:
            self.on_before_component_elem_id = []
        self.on_before_component_elem_id.append((elem_id, callback))

    def on_after_component(self, callback, *, elem_id):
        """Call `callback(OnComponent)` after the component of that id was made."""
        if self.on_after_component_elem_id is None:
            self.on_after_component_elem_id = []
        self.on_after_component_elem_id.append((elem_id, callback))

    def describe(self):
        return ""

    def elem_id(self, item_id):
        """An id for a control: unique per script, and per tab when both tabs show it."""
        both_tabs_alike = self.show(True) == self.show(False)
        tab = ("img2img_" if self.is_img2img else "txt2img_") if both_tabs_alike else ""
        slug = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{tab}{slug}_{item_id}"


class ScriptBuiltinUI(Script):
    """A part of the page written as a script."""

    setup_for_ui_only = True
