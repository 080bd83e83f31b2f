"""Loading, holding and exchanging the model."""

from __future__ import annotations

import threading
from pathlib import Path

import torch
from modules import devices, errors, script_callbacks, sd_hijack, shared
from modules.sd_checkpoints import (
    CheckpointInfo,
    checkpoint_aliases,
    checkpoint_tiles,
    checkpoints_list,
    get_closest_checkpoint_match,
    get_closet_checkpoint_match,
    list_models,
    model_path,
    select_checkpoint,
)
from modules.sd_models_config import find_checkpoint_config
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

__all__ = [
    "CheckpointInfo",
    "checkpoint_aliases",
    "checkpoint_tiles",
    "checkpoints_list",
    "get_closest_checkpoint_match",
    "get_closet_checkpoint_match",
    "list_models",
    "model_path",
    "select_checkpoint",
]

SMALL_MODEL = 50_000_000  # parameters; below it a second thread costs more than it brings


class CheckpointError(RuntimeError):
    """A checkpoint file that cannot be loaded, and why."""


class SdModelData:
    """The loaded model; asking for it loads it."""

    def __init__(self) -> None:
        self.sd_model = None
        self.loaded_sd_models: list = []
        self.was_loaded_at_least_once = False
        self.lock = threading.Lock()
        self._loading_thread: int | None = None

    def get_sd_model(self):
        # A callback that asks while the model is on its way gets what there is: nothing yet.
        if self.was_loaded_at_least_once or self._loading_thread == threading.get_ident():
            return self.sd_model
        if self.sd_model is None:
            with self.lock:
                if self.sd_model is not None or self.was_loaded_at_least_once:
                    return self.sd_model
                self._loading_thread = threading.get_ident()
                try:
                    load_model()
                except Exception as error:
                    errors.display(error, "loading stable diffusion model")
                    self.sd_model = None
                finally:
                    self._loading_thread = None
        return self.sd_model

    def set_sd_model(self, model, already_loaded: bool = False) -> None:
        self.sd_model = model
        if already_loaded or model is None:
            return
        if model in self.loaded_sd_models:
            self.loaded_sd_models.remove(model)
        self.loaded_sd_models.insert(0, model)


model_data = SdModelData()


def read_state_dict(filename: str) -> dict[str, torch.Tensor]:
    """All tensors of a .safetensors checkpoint; pickles are not opened."""
    if Path(filename).suffix.lower() != ".safetensors":
        raise CheckpointError(
            f"{filename}: only .safetensors checkpoints are loaded, as other kinds may run code."
        )
    try:
        return load_file(filename)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{filename} cannot be read as a checkpoint: {error}") from error


def read_metadata_from_safetensors(filename: str) -> dict[str, str]:
    """The texts in a safetensors header."""
    with safe_open(filename, framework="pt") as file:
        return dict(file.metadata() or {})


def _fitting(state: dict[str, torch.Tensor], own: dict[str, torch.Tensor], filename: str) -> dict:
    """Keep the tensors the model has, under its own spelling; say which are missing or of another shape."""
    given = {}
    for key, tensor in state.items():
        if key.startswith("cond_stage_model.transformer.") and ".text_model." not in key:
            key = key.replace("cond_stage_model.transformer.", "cond_stage_model.transformer.text_model.")
        given[key] = tensor
    wrong = [key for key in own if key not in given or given[key].shape != own[key].shape]
    if wrong:
        raise CheckpointError(
            f"{filename} is no Stable Diffusion 1.5 checkpoint that fits its configuration: "
            f"{len(wrong)} of {len(own)} weights are missing or have another shape, the first is {wrong[0]}."
        )
    return {key: given[key] for key in own}


def load_model_weights(model, checkpoint_info: CheckpointInfo, state: dict[str, torch.Tensor]) -> None:
    """Copy a checkpoint into the existing parameters of an unhijacked model."""
    shorthash = checkpoint_info.calculate_shorthash()
    model.load_state_dict(_fitting(state, model.state_dict(), checkpoint_info.filename), strict=True)
    model.to(devices.device)
    model.model.to(devices.dtype_unet)
    model.cond_stage_model.to(devices.dtype)
    model.sd_model_hash = shorthash
    model.sd_model_checkpoint = checkpoint_info.filename
    model.sd_checkpoint_info = checkpoint_info
    shared.opts.data["sd_checkpoint_hash"] = checkpoint_info.sha256


def _use_threads(model) -> None:
    wanted = shared.cmd_opts.threads
    small = sum(parameter.numel() for parameter in model.parameters()) < SMALL_MODEL
    if wanted > 0:
        torch.set_num_threads(wanted)
    elif small:
        torch.set_num_threads(1)


def get_empty_cond(sd_model) -> torch.Tensor:
    """Encode the empty prompt, with all extra networks told that there are none."""
    from modules import extra_networks, processing

    p = processing.StableDiffusionProcessingTxt2Img()
    extra_networks.activate(p, {})
    return sd_model.get_learned_conditioning([""])


def _build(checkpoint_info: CheckpointInfo):
    from modules.sd_models_build import build_model

    config = find_checkpoint_config(checkpoint_info.filename)
    state = read_state_dict(checkpoint_info.filename)
    model = build_model(config)
    load_model_weights(model, checkpoint_info, state)
    sd_hijack.model_hijack.hijack(model)
    _use_threads(model)
    return model


def load_model(checkpoint_info: CheckpointInfo | None = None):
    """Build a new model from a checkpoint; tell everybody; then it becomes `shared.sd_model`."""
    checkpoint_info = checkpoint_info or select_checkpoint()
    model = _build(checkpoint_info)
    script_callbacks.model_loaded_callback(model)
    model_data.set_sd_model(model)
    model_data.was_loaded_at_least_once = True
    if get_closet_checkpoint_match(shared.opts.data.get("sd_model_checkpoint")) is None:
        shared.opts.data["sd_model_checkpoint"] = checkpoint_info.title
    with devices.autocast(), torch.no_grad():
        model.cond_stage_model_empty_prompt = get_empty_cond(model)
    return model


def reload_model_weights(sd_model=None, info: CheckpointInfo | None = None, forced_reload: bool = False):
    """Change to another checkpoint: into the same object where the configuration is the same."""
    checkpoint_info = info or select_checkpoint()
    sd_model = sd_model or model_data.sd_model
    if sd_model is not None and not forced_reload:
        current = sd_model.sd_checkpoint_info
        if current is not None and current.filename == checkpoint_info.filename:
            return sd_model
    for loaded in model_data.loaded_sd_models:
        if loaded.sd_checkpoint_info.filename == checkpoint_info.filename and not forced_reload:
            model_data.set_sd_model(loaded)
            return loaded
    config = find_checkpoint_config(checkpoint_info.filename)
    in_place = (
        sd_model is not None and sd_model.used_config == config and shared.opts.sd_checkpoints_limit == 1
    )
    if not in_place:
        if shared.opts.sd_checkpoints_limit == 1:
            unload_model_weights()
        model = load_model(checkpoint_info)
        del model_data.loaded_sd_models[max(1, int(shared.opts.sd_checkpoints_limit)) :]
        return model
    state = read_state_dict(checkpoint_info.filename)
    sd_hijack.model_hijack.undo_hijack(sd_model)
    try:
        load_model_weights(sd_model, checkpoint_info, state)
    finally:
        sd_hijack.model_hijack.hijack(sd_model)
        script_callbacks.model_loaded_callback(sd_model)
    model_data.set_sd_model(sd_model)
    return sd_model


def unload_model_weights(sd_model=None, info=None):
    """Forget the loaded models."""
    model_data.sd_model = None
    model_data.loaded_sd_models.clear()
    devices.torch_gc()
    return sd_model


def apply_token_merging(sd_model, ratio: float) -> None:
    """The real host merges tokens here; the stand-in does not."""
