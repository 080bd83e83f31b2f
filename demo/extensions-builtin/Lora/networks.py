"""The stand-in for the built-in Lora: which files there are, which are wanted, and how they get into a layer.

It keeps the real one's manners. A layer's weight is changed in place, in the class's forward, when the wanted
set is not the one merged last; only then is the backup restored. Duplicate file names: the last one counts.
"""

from __future__ import annotations

from pathlib import Path

import torch
from modules import errors, sd_hijack, shared


class NetworkOnDisk:
    """One file, by the names and the hash the host knows it by."""

    def __init__(self, path: Path, metadata: dict) -> None:
        self.name = path.stem
        self.filename = str(path)
        self.metadata = metadata
        self.alias = metadata.get("ss_output_name") or self.name
        # The declared hash is believed, as in the real host.
        self.hash = metadata.get("sshs_model_hash", "")
        self.shorthash = self.hash[:12]

    def read_hash(self) -> None:
        if not self.hash:
            from lib_lora.files.hashes import payload_sha256

            self.hash = payload_sha256(Path(self.filename))
            self.shorthash = self.hash[:12]


class Network:
    """A loaded file with the multipliers of its tag."""

    def __init__(self, name: str, network_on_disk: NetworkOnDisk) -> None:
        from lib_lora.network import open_network

        self.name = name
        self.network_on_disk = network_on_disk
        self.mentioned_name = name
        self.te_multiplier = self.unet_multiplier = 1.0
        self.dyn_dim: int | None = None
        self.adapters = open_network(Path(network_on_disk.filename), "sd1").adapters

    def delta(self, layer: str, weight: torch.Tensor) -> torch.Tensor | None:
        """What the layer's weight gains, in float32."""
        adapter = self.adapters.get(layer)
        if adapter is None or not adapter.fits(tuple(weight.shape)):
            return None
        multiplier = self.unet_multiplier if layer.startswith("unet.") else self.te_multiplier
        return adapter.delta(weight.float()).reshape(weight.shape) * multiplier


available_networks: dict[str, NetworkOnDisk] = {}
available_network_aliases: dict[str, NetworkOnDisk] = {}
forbidden_network_aliases: dict[str, int] = {}
loaded_networks: list[Network] = []
extra_network_lora = None


def list_available_networks() -> None:
    """Look at the folder anew."""
    from modules.lora_files import list_lora_files

    available_networks.clear()
    available_network_aliases.clear()
    forbidden_network_aliases.clear()
    forbidden_network_aliases.update({"none": 1, "Addams": 1})
    for found in list_lora_files():
        entry = NetworkOnDisk(Path(str(found["path"])), dict(found["metadata"]))
        available_networks[entry.name] = entry
        if entry.alias in available_network_aliases:
            forbidden_network_aliases[entry.alias.lower()] = 1
        available_network_aliases[entry.name] = entry
        available_network_aliases[entry.alias] = entry


def find(name: str) -> NetworkOnDisk | None:
    """The file of a name in a tag: its own name, or the alias in it."""
    forbidden = name.lower() in forbidden_network_aliases
    return (available_networks if forbidden else available_network_aliases).get(name)


def load_networks(names, te_multipliers=None, unet_multipliers=None, dyn_dims=None) -> None:
    """Want these files and no others; the layers follow when they are used next."""
    before = {network.name: network for network in loaded_networks}
    loaded_networks.clear()
    if not all(find(name) for name in names):
        list_available_networks()
    missing = []
    for index, name in enumerate(names):
        on_disk = find(name)
        if on_disk is None:
            missing.append(name)
            continue
        try:
            network = before.get(name) or Network(name, on_disk)
        except Exception as error:
            errors.display(error, f"loading network {on_disk.filename}")
            continue
        on_disk.read_hash()
        network.mentioned_name = name
        network.te_multiplier = te_multipliers[index] if te_multipliers else 1.0
        network.unet_multiplier = unet_multipliers[index] if unet_multipliers else 1.0
        network.dyn_dim = dyn_dims[index] if dyn_dims else None
        loaded_networks.append(network)
    if missing:
        sd_hijack.model_hijack.comments.append("Networks not found: " + ", ".join(missing))


def assign_network_names_to_compvis_modules(sd_model) -> None:
    """Give every layer the name under which networks look for it."""
    parts = {
        "unet": sd_model.model.diffusion_model,
        "clip_l": getattr(sd_model.cond_stage_model, "wrapped", sd_model.cond_stage_model).transformer,
    }
    mapping = {}
    for part, root in parts.items():
        for name, module in root.named_modules():
            module.network_layer_name = f"{part}.{name}"
            mapping[module.network_layer_name] = module
    sd_model.network_layer_mapping = mapping


def network_apply_weights(module) -> None:
    """Bring one layer into the wanted state, from its backup."""
    layer = getattr(module, "network_layer_name", None)
    if layer is None:
        return
    wanted = tuple((n.name, n.te_multiplier, n.unet_multiplier, n.dyn_dim) for n in loaded_networks)
    if getattr(module, "network_current_names", ()) == wanted:
        return
    with torch.no_grad():
        backup = getattr(module, "network_weights_backup", None)
        if backup is None:
            backup = module.network_weights_backup = module.weight.detach().to("cpu", copy=True)
        module.weight.copy_(backup)
        for network in loaded_networks:
            delta = network.delta(layer, module.weight)
            if delta is not None:
                module.weight.copy_(module.weight.float() + delta)
    module.network_current_names = wanted


def network_restore_weights_from_backup(module) -> None:
    """Take everything out of one layer's weight, where it was ever changed."""
    backup = getattr(module, "network_weights_backup", None)
    if backup is not None:
        with torch.no_grad():
            module.weight.copy_(backup)


def network_forward(module, x, original):
    """The old mode: compute the wanted networks beside the layer. With none wanted, nothing is restored."""
    if not loaded_networks:
        return original(module, x)
    network_restore_weights_from_backup(module)
    network_reset_cached_weight(module)
    y = original(module, x)
    layer = getattr(module, "network_layer_name", None)
    for network in loaded_networks if layer else ():
        delta = network.delta(layer, module.weight)
        if delta is None:
            continue
        if isinstance(module, torch.nn.Conv2d):
            y = y + module._conv_forward(x, delta.to(x.dtype), None)
        else:
            y = y + torch.nn.functional.linear(x, delta.to(x.dtype))
    return y


def network_reset_cached_weight(module) -> None:
    """Other weights are copied into the layer: the backup is of the old ones."""
    module.network_current_names = ()
    module.network_weights_backup = None


def infotext_pasted(infotext, params) -> None:
    """Turn AddNet's keys into tags, unless somebody pastes the key `AddNet Module 1` himself."""
    from modules import scripts

    if "AddNet Module 1" in [field[1] for field in scripts.scripts_txt2img.infotext_fields]:
        return
    added = ""
    for key in params:
        number = key.removeprefix("AddNet Model ")
        if number == key or params.get(f"AddNet Module {number}") != "LoRA":
            continue
        name = str(params[key]).rpartition("(")[0].strip() or params[key]
        added += f"<lora:{name}:{params.get(f'AddNet Weight A {number}', '1.0')}>"
    if added:
        params["Prompt"] += "\n" + added


def settings() -> dict:
    """What the options page offers for networks."""
    return {
        "sd_lora": shared.OptionInfo("None", "Add network to prompt"),
        "lora_functional": shared.OptionInfo(False, "Compute networks beside the weights (old, slower)"),
        "lora_add_hashes_to_infotext": shared.OptionInfo(True, "Add Lora hashes to infotext"),
    }
