"""Registers the stand-in for the built-in Lora, at the moments the real one does."""

import extra_networks_lora
import lora_patches
import networks
from modules import extra_networks, script_callbacks, shared

patches = lora_patches.LoraPatches()


def before_ui():
    networks.extra_network_lora = extra_networks_lora.ExtraNetworkLora()
    extra_networks.register_extra_network(networks.extra_network_lora)
    extra_networks.register_extra_network_alias(networks.extra_network_lora, "lyco")


def add_settings():
    for key, info in networks.settings().items():
        info.section = ("extra_networks", "Extra Networks")
        shared.opts.add_option(key, info)


networks.list_available_networks()
script_callbacks.on_model_loaded(networks.assign_network_names_to_compvis_modules)
script_callbacks.on_script_unloaded(patches.undo)
script_callbacks.on_before_ui(before_ui)
script_callbacks.on_ui_settings(add_settings)
script_callbacks.on_infotext_pasted(networks.infotext_pasted)
