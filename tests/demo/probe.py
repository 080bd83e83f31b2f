"""An extension that only writes down what the host calls; it is copied into the host's extensions folder."""

from modules import script_callbacks, scripts
from probe_log import log

log.note("import")


class ProbeScript(scripts.Script):
    def __init__(self):
        log.note("__init__")

    def title(self):
        return "Probe"

    def show(self, is_img2img):
        log.note("show")
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        import gradio as gr

        log.note(f"ui({is_img2img})")
        switch = gr.Checkbox(False, label="Probe switch", elem_id=f"probe_switch_{is_img2img}")
        text = gr.Textbox("default", label="Probe text", elem_id=f"probe_text_{is_img2img}", visible=False)
        self.infotext_fields = [(switch, "Probe switch"), (text, "Probe text")]
        self.paste_field_names = ["Probe switch", "Probe text"]
        return [switch, text]

    def setup(self, p, *args):
        log.note("setup", p, *args)

    def before_process(self, p, *args):
        log.note("before_process", p, *args)

    def process(self, p, *args):
        log.note("process", p, *args)

    def before_process_batch(self, p, *args, **kwargs):
        log.note("before_process_batch", p, *args, **kwargs)

    def after_extra_networks_activate(self, p, *args, **kwargs):
        log.note("after_extra_networks_activate", p, *args, **kwargs)

    def process_batch(self, p, *args, **kwargs):
        log.note("process_batch", p, *args, **kwargs)

    def process_before_every_sampling(self, p, *args, **kwargs):
        log.note("process_before_every_sampling", p, *args, **kwargs)

    def before_hr(self, p, *args):
        log.note("before_hr", p, *args)

    def post_sample(self, p, ps, *args):
        log.note("post_sample", p, ps, *args)

    def on_mask_blend(self, p, mba, *args):
        log.note("on_mask_blend", p, mba, *args)

    def postprocess_batch(self, p, *args, **kwargs):
        log.note("postprocess_batch", p, *args, **kwargs)

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        log.note("postprocess_batch_list", p, pp, *args, **kwargs)

    def postprocess_image(self, p, pp, *args):
        log.note("postprocess_image", p, pp, *args)

    def postprocess_maskoverlay(self, p, ppmo, *args):
        log.note("postprocess_maskoverlay", p, ppmo, *args)

    def postprocess_image_after_composite(self, p, pp, *args):
        log.note("postprocess_image_after_composite", p, pp, *args)

    def postprocess(self, p, processed, *args):
        log.note("postprocess", p, processed, *args)


def _noted(name):
    def callback(*args):
        log.note(name, *args)
        return [] if name == "ui_tabs" else None

    return callback


for category in (
    "list_optimizers",
    "list_unets",
    "before_ui",
    "ui_settings",
    "ui_train_tabs",
    "ui_tabs",
    "app_started",
    "model_loaded",
    "cfg_denoiser",
    "cfg_denoised",
    "cfg_after_cfg",
    "infotext_pasted",
    "script_unloaded",
):
    getattr(script_callbacks, f"on_{category}")(_noted(category))
