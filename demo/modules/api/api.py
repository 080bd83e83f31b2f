"""The routes below /sdapi/v1."""

from __future__ import annotations

import secrets
from contextlib import closing

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from modules import (
    images,
    infotext_utils,
    processing,
    progress,
    scripts,
    sd_checkpoints,
    sd_models,
    sd_samplers,
    sd_schedulers,
    shared,
)
from modules.api import models
from modules.api.images_codec import decode_base64_to_image, encode_pil_to_base64
from modules.api.middleware import api_middleware
from modules.api.script_args import init_default_script_args, init_script_args, selectable_script

_NOT_OF_P = frozenset(
    {
        "script_name",
        "script_args",
        "alwayson_scripts",
        "send_images",
        "save_images",
        "infotext",
        "include_init_images",
        "sampler_index",
    }
)


class Api:
    """All routes; the script arguments' defaults are read once, by building every script's controls again."""

    def __init__(self, app: FastAPI, queue_lock) -> None:
        self.credentials = dict(
            pair.split(":", 1) for pair in (shared.cmd_opts.api_auth or "").split(",") if ":" in pair
        )
        self.router = APIRouter()
        self.app = app
        self.queue_lock = queue_lock
        api_middleware(app)
        route = self.add_api_route
        route("/sdapi/v1/txt2img", self.text2imgapi, methods=["POST"])
        route("/sdapi/v1/img2img", self.img2imgapi, methods=["POST"])
        route("/sdapi/v1/png-info", self.pnginfoapi, methods=["POST"])
        route("/sdapi/v1/progress", self.progressapi, methods=["GET"])
        route("/sdapi/v1/interrupt", self.interruptapi, methods=["POST"])
        route("/sdapi/v1/skip", self.skip, methods=["POST"])
        route("/sdapi/v1/options", self.get_config, methods=["GET"])
        route("/sdapi/v1/options", self.set_config, methods=["POST"])
        route("/sdapi/v1/cmd-flags", lambda: vars(shared.cmd_opts), methods=["GET"])
        route("/sdapi/v1/samplers", self.get_samplers, methods=["GET"])
        route("/sdapi/v1/schedulers", self.get_schedulers, methods=["GET"])
        route("/sdapi/v1/upscalers", lambda: [{"name": name} for name in images.UPSCALERS], methods=["GET"])
        route("/sdapi/v1/sd-models", self.get_sd_models, methods=["GET"])
        route("/sdapi/v1/refresh-checkpoints", sd_checkpoints.list_models, methods=["POST"])
        route("/sdapi/v1/loras", self.get_loras, methods=["GET"])
        route("/sdapi/v1/refresh-loras", lambda: None, methods=["POST"])
        route("/sdapi/v1/scripts", self.get_scripts_list, methods=["GET"])
        route("/sdapi/v1/script-info", self.get_script_info, methods=["GET"])
        self.default_args = {
            False: init_default_script_args(scripts.scripts_txt2img),
            True: init_default_script_args(scripts.scripts_img2img),
        }
        app.include_router(self.router)

    def add_api_route(self, path: str, endpoint, **kwargs) -> None:
        if self.credentials:
            kwargs["dependencies"] = [Depends(self.auth)]
        self.router.add_api_route(path, endpoint, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> bool:  # noqa: B008
        """Check the password of --api-auth."""
        known = self.credentials.get(credentials.username)
        if known is not None and secrets.compare_digest(credentials.password, known):
            return True
        raise HTTPException(401, "Incorrect username or password", headers={"WWW-Authenticate": "Basic"})

    def _fields(self, request) -> dict:
        """The request as arguments of a processing object."""
        wanted = request.sampler_name or request.sampler_index or "Euler"
        sampler = sd_samplers.find_sampler_config(wanted)
        if sampler is None:
            raise HTTPException(400, str(sd_samplers.UnknownSampler(wanted)))
        fields = {key: value for key, value in dict(request).items() if key not in _NOT_OF_P}
        fields["sampler_name"] = sampler.name
        fields["do_not_save_samples"] = not request.save_images
        if fields["denoising_strength"] is None:
            del fields["denoising_strength"]
        return fields

    def _generate(self, request, p, is_img2img: bool):
        runner = scripts.scripts_img2img if is_img2img else scripts.scripts_txt2img
        chosen, index = selectable_script(request.script_name, runner)
        args = init_script_args(request, self.default_args[is_img2img], chosen, index, runner)
        with self.queue_lock, closing(p):
            p.is_api = True
            p.scripts = runner
            shared.state.begin(job="scripts_img2img" if is_img2img else "scripts_txt2img")
            progress.start_task(request.force_task_id)
            try:
                if chosen is not None:
                    p.script_args = args
                    processed = runner.run(p, *args)
                else:
                    p.script_args = tuple(args)
                    processed = processing.process_images(p)
            finally:
                progress.finish_task(request.force_task_id)
                shared.state.end()
        encoded = [encode_pil_to_base64(image) for image in processed.images] if request.send_images else []
        return encoded, processed

    def text2imgapi(self, txt2imgreq: models.Txt2ImgRequest):
        p = processing.StableDiffusionProcessingTxt2Img(
            **self._fields(txt2imgreq), outpath_samples=shared.opts.outdir_txt2img_samples
        )
        encoded, processed = self._generate(txt2imgreq, p, is_img2img=False)
        return {"images": encoded, "parameters": _echo(txt2imgreq), "info": processed.js()}

    def img2imgapi(self, img2imgreq: models.Img2ImgRequest):
        if not img2imgreq.init_images:
            raise HTTPException(404, "Init image not found")
        fields = self._fields(img2imgreq)
        fields["init_images"] = [decode_base64_to_image(text) for text in img2imgreq.init_images]
        fields["mask"] = decode_base64_to_image(img2imgreq.mask) if img2imgreq.mask else None
        p = processing.StableDiffusionProcessingImg2Img(
            **fields, outpath_samples=shared.opts.outdir_img2img_samples
        )
        encoded, processed = self._generate(img2imgreq, p, is_img2img=True)
        parameters = _echo(img2imgreq)
        if not img2imgreq.include_init_images:
            parameters["init_images"] = parameters["mask"] = None
        return {"images": encoded, "parameters": parameters, "info": processed.js()}

    def pnginfoapi(self, req: models.PNGInfoRequest):
        parameters, items = images.read_info_from_image(decode_base64_to_image(req.image.strip()))
        parsed = infotext_utils.read_params(parameters) if parameters else {}
        return {"info": parameters or "", "items": items, "parameters": parsed}

    def progressapi(self, skip_current_image: bool = False):
        state = shared.state
        answer = {"eta_relative": 0, "state": state.dict(), "current_image": None, "textinfo": state.textinfo}
        answer["progress"] = progress.fraction() if state.job_count > 0 else 0.0
        answer["current_task"] = progress.current_task
        if state.current_image is not None and not skip_current_image:
            answer["current_image"] = encode_pil_to_base64(state.current_image)
        return answer

    def interruptapi(self):
        shared.state.interrupt()
        return {}

    def skip(self):
        shared.state.skip()

    def get_config(self):
        opts = shared.opts
        return {
            key: opts.data.get(key, info.default)
            for key, info in opts.data_labels.items()
            if not info.do_not_save
        }

    def set_config(self, req: dict):
        name = req.get("sd_model_checkpoint")
        if name is not None and sd_checkpoints.get_closet_checkpoint_match(name) is None:
            raise RuntimeError(f"model {name!r} not found")
        with self.queue_lock:
            for key, value in req.items():
                shared.opts.set(key, value, is_api=True)
            shared.opts.save(shared.config_filename)
            if name is not None:
                sd_models.reload_model_weights()

    def get_samplers(self):
        return [
            {"name": sampler.name, "aliases": sampler.aliases, "options": sampler.options}
            for sampler in sd_samplers.all_samplers
        ]

    def get_schedulers(self):
        return [
            {"name": row.name, "label": row.label, "aliases": row.aliases} for row in sd_schedulers.schedulers
        ]

    def get_sd_models(self):
        return [
            {
                "title": info.title,
                "model_name": info.model_name,
                "hash": info.shorthash,
                "sha256": info.sha256,
                "filename": info.filename,
                "config": None,
            }
            for info in sd_checkpoints.checkpoints_list.values()
        ]

    def get_loras(self):
        """The built-in Lora serves this in the real host; here the files are only listed."""
        from modules.lora_files import list_lora_files

        return list_lora_files()

    def get_scripts_list(self):
        runners = {"txt2img": scripts.scripts_txt2img, "img2img": scripts.scripts_img2img}
        return {
            tab: [script.name for script in runner.scripts if script.name is not None]
            for tab, runner in runners.items()
        }

    def get_script_info(self):
        return [
            script.api_info.to_json()
            for runner in (scripts.scripts_txt2img, scripts.scripts_img2img)
            for script in runner.scripts
            if script.api_info is not None
        ]


def _echo(request) -> dict:
    return dict(request)
