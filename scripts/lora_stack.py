"""The door: what the WebUI loads. It registers and hands over; everything else lives in lib_lora."""

from lib_lora.hosts.renewal import renew

# An update shall be whole after Reload UI, so the other imports come after this.
renew()

from modules import scripts

from lib_lora.hosts import legacy_script, options
from lib_lora.hosts.callbacks import register
from lib_lora.hosts.webui import TITLE, Door

door = Door()
door.install()


class LoraStackScript(scripts.Script):
    """The panel in both tabs; its arguments, for the API too, are `enabled` and `stack`, in this order."""

    def title(self):
        return TITLE

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return door.build_ui(self, is_img2img)

    def process(self, p, *args):
        door.process(p, args)

    def after_extra_networks_activate(self, p, *args, **kwargs):
        door.share_hashes(p)

    def postprocess(self, p, processed, *args):
        door.tell(p, processed)


class AdditionalNetworksScript(scripts.Script):
    """AddNet's title and arguments for its API callers: hidden, and absent where AddNet itself is loaded."""

    create_group = False

    def title(self):
        return legacy_script.TITLE

    def show(self, is_img2img):
        return False if legacy_script.old_extension_loaded() else scripts.AlwaysVisible

    def ui(self, is_img2img):
        return door.build_legacy_ui(self)

    def process(self, p, *args):
        door.process_legacy(p, args)


register(
    {
        "ui_settings": options.add_options,
        "before_ui": door.before_ui,
        "ui_tabs": door.build_tabs,
        "app_started": door.add_routes,
        "model_loaded": door.model_loaded,
        "cfg_denoiser": door.before_step,
        "script_unloaded": door.uninstall,
    }
)
# With --nowebui the plot's controls are made before the callback says that they will be.
door.before_ui()
