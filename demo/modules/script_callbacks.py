"""Callbacks an extension registers while its script file runs; their exceptions are printed and swallowed."""

from __future__ import annotations

import inspect
from collections import namedtuple
from typing import Any

from modules import errors

ScriptCallback = namedtuple("ScriptCallback", ["script", "callback", "name"])

_CATEGORIES = (
    "app_started",
    "app_reload",
    "before_reload",
    "model_loaded",
    "ui_tabs",
    "ui_train_tabs",
    "ui_settings",
    "before_image_saved",
    "image_saved",
    "extra_noise",
    "cfg_denoiser",
    "cfg_denoised",
    "cfg_after_cfg",
    "before_component",
    "after_component",
    "image_grid",
    "infotext_pasted",
    "script_unloaded",
    "before_ui",
    "list_optimizers",
    "list_unets",
    "before_token_counter",
)
callback_map: dict[str, list[ScriptCallback]] = {category: [] for category in _CATEGORIES}


class CFGDenoiserParams:
    """What the denoiser is about to do; the callback may replace the tensors."""

    def __init__(
        self, x, image_cond, sigma, sampling_step, total_sampling_steps, text_cond, text_uncond, denoiser=None
    ):
        self.x = x
        self.image_cond = image_cond
        self.sigma = sigma
        self.sampling_step = sampling_step
        self.total_sampling_steps = total_sampling_steps
        self.text_cond = text_cond
        self.text_uncond = text_uncond
        self.denoiser = denoiser


class CFGDenoisedParams:
    """What the model answered, before prompt and negative prompt are combined."""

    def __init__(self, x, sampling_step, total_sampling_steps, inner_model):
        self.x = x
        self.sampling_step = sampling_step
        self.total_sampling_steps = total_sampling_steps
        self.inner_model = inner_model


class AfterCFGCallbackParams:
    """The combined answer."""

    def __init__(self, x, sampling_step, total_sampling_steps):
        self.x = x
        self.sampling_step = sampling_step
        self.total_sampling_steps = total_sampling_steps


class ImageSaveParams:
    """A picture on its way to disk."""

    def __init__(self, image, p, filename, pnginfo):
        self.image = image
        self.p = p
        self.filename = filename
        self.pnginfo = pnginfo


class ExtraNoiseParams:
    """Noise added to a picture in img2img."""

    def __init__(self, noise, x, xi):
        self.noise = noise
        self.x = x
        self.xi = xi


class UiTrainTabParams:
    """Kept for its name: there is no training here."""

    def __init__(self, txt2img_preview_params):
        self.txt2img_preview_params = txt2img_preview_params


class ImageGridLoopParams:
    """A grid about to be made."""

    def __init__(self, imgs, cols, rows):
        self.imgs = imgs
        self.cols = cols
        self.rows = rows


class BeforeTokenCounterParams:
    """A prompt whose tokens are about to be counted."""

    def __init__(self, prompt, steps, styles, is_positive=True):
        self.prompt = prompt
        self.steps = steps
        self.styles = styles
        self.is_positive = is_positive


def clear_callbacks() -> None:
    """Forget everything, as every load of scripts does."""
    for callbacks in callback_map.values():
        callbacks.clear()


def _calling_file() -> str:
    """Ask as A1111 does, at its price: for a file it does not know, Python looks through all modules."""
    files = [frame.filename for frame in inspect.stack() if frame.filename != __file__]
    return files[0] if files else "unknown file"


def _registrar(category: str):
    def register(callback, *, name: str | None = None) -> None:
        callback_map[category].append(ScriptCallback(_calling_file(), callback, name))

    return register


def _call(registered: ScriptCallback, category: str, *args, **kwargs) -> Any:
    try:
        return registered.callback(*args, **kwargs)
    except Exception:
        errors.report(f"Error executing callback {category}_callback for {registered.script}", exc_info=True)
        return None


def _caller(category: str):
    def call(*args, **kwargs) -> None:
        for registered in list(callback_map[category]):
            _call(registered, category, *args, **kwargs)

    return call


def remove_current_script_callbacks() -> None:
    """Forget the callbacks registered by the calling file."""
    remove_callbacks_of_file(_calling_file())


def remove_callbacks_of_file(filename: str) -> None:
    for callbacks in callback_map.values():
        callbacks[:] = [registered for registered in callbacks if registered.script != filename]


def remove_callbacks_for_function(function) -> None:
    """Forget one function wherever it is registered."""
    for callbacks in callback_map.values():
        callbacks[:] = [registered for registered in callbacks if registered.callback != function]


def ui_tabs_callback() -> list[tuple]:
    """The tabs of all extensions: [(blocks, title, elem_id)]."""
    tabs: list[tuple] = []
    for registered in list(callback_map["ui_tabs"]):
        tabs.extend(_call(registered, "ui_tabs") or [])
    return tabs


def script_unloaded_callback() -> None:
    """Last registered first."""
    for registered in reversed(list(callback_map["script_unloaded"])):
        _call(registered, "script_unloaded")


def list_optimizers_callback() -> list:
    found: list = []
    for registered in list(callback_map["list_optimizers"]):
        _call(registered, "list_optimizers", found)
    return found


def list_unets_callback() -> list:
    found: list = []
    for registered in list(callback_map["list_unets"]):
        _call(registered, "list_unets", found)
    return found


on_app_started = _registrar("app_started")
on_before_reload = _registrar("before_reload")
on_model_loaded = _registrar("model_loaded")
on_ui_tabs = _registrar("ui_tabs")
on_ui_train_tabs = _registrar("ui_train_tabs")
on_ui_settings = _registrar("ui_settings")
on_before_image_saved = _registrar("before_image_saved")
on_image_saved = _registrar("image_saved")
on_extra_noise = _registrar("extra_noise")
on_cfg_denoiser = _registrar("cfg_denoiser")
on_cfg_denoised = _registrar("cfg_denoised")
on_cfg_after_cfg = _registrar("cfg_after_cfg")
on_before_component = _registrar("before_component")
on_after_component = _registrar("after_component")
on_image_grid = _registrar("image_grid")
on_infotext_pasted = _registrar("infotext_pasted")
on_script_unloaded = _registrar("script_unloaded")
on_before_ui = _registrar("before_ui")
on_list_optimizers = _registrar("list_optimizers")
on_list_unets = _registrar("list_unets")
on_before_token_counter = _registrar("before_token_counter")

app_started_callback = _caller("app_started")
app_reload_callback = _caller("before_reload")
model_loaded_callback = _caller("model_loaded")
ui_train_tabs_callback = _caller("ui_train_tabs")
ui_settings_callback = _caller("ui_settings")
before_image_saved_callback = _caller("before_image_saved")
image_saved_callback = _caller("image_saved")
extra_noise_callback = _caller("extra_noise")
cfg_denoiser_callback = _caller("cfg_denoiser")
cfg_denoised_callback = _caller("cfg_denoised")
cfg_after_cfg_callback = _caller("cfg_after_cfg")
before_component_callback = _caller("before_component")
after_component_callback = _caller("after_component")
image_grid_callback = _caller("image_grid")
infotext_pasted_callback = _caller("infotext_pasted")
before_ui_callback = _caller("before_ui")
before_token_counter_callback = _caller("before_token_counter")
