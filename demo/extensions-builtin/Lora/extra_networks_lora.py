"""Serves the tags `<lora:name:te:unet:dyn>` of a prompt."""

from __future__ import annotations

import networks
from modules import extra_networks, shared


class ExtraNetworkLora(extra_networks.ExtraNetwork):
    """Reads the tags and tells `networks` what is wanted; the layers follow by themselves."""

    def __init__(self):
        super().__init__("lora")
        self.errors = {}

    def activate(self, p, params_list):
        self.errors.clear()
        always = shared.opts.data.get("sd_lora", "None")
        if always in networks.available_networks and not any(x.items[0] == always for x in params_list):
            p.all_prompts = [f"{prompt}<lora:{always}:1.0>" for prompt in p.all_prompts]
            params_list.append(extra_networks.ExtraNetworkParams(items=[always, "1.0"]))
        names, te_multipliers, unet_multipliers, dyn_dims = [], [], [], []
        for params in params_list:
            positional, named = params.positional, params.named
            names.append(positional[0])
            te = float(named.get("te", positional[1] if len(positional) > 1 else 1.0))
            unet = float(named.get("unet", positional[2] if len(positional) > 2 else te))
            dyn = named.get("dyn", positional[3] if len(positional) > 3 else None)
            te_multipliers.append(te)
            unet_multipliers.append(unet)
            dyn_dims.append(None if dyn is None else int(dyn))
        networks.load_networks(names, te_multipliers, unet_multipliers, dyn_dims)
        if shared.opts.data.get("lora_add_hashes_to_infotext", True):
            self._write_hashes(p)

    def _write_hashes(self, p):
        if not p.is_hr_pass or not hasattr(p, "lora_hashes"):
            p.lora_hashes = {}
        for network in networks.loaded_networks:
            name = network.mentioned_name.replace(":", "").replace(",", "")
            p.lora_hashes[name] = network.network_on_disk.shorthash
        if p.lora_hashes:
            text = ", ".join(f"{name}: {value}" for name, value in p.lora_hashes.items())
            p.extra_generation_params["Lora hashes"] = text

    def deactivate(self, p):
        """Nothing: what is loaded stays until the next prompt says otherwise."""
