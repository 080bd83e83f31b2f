"""The model as the WebUI has it for Stable Diffusion 1: ldm's UNet and autoencoder, CLIP's text model."""

from __future__ import annotations

import contextlib
import io

import torch
from modules.sd_hijack_clip import FrozenCLIPEmbedder
from modules.sd_models_config import ModelConfig

# ldm prints that xformers is missing. This must be imported before threads run: stdout is theirs too.
with contextlib.redirect_stdout(io.StringIO()):
    from ldm.modules.diffusionmodules import model as ldm_model
    from ldm.modules.diffusionmodules.model import Decoder, Encoder
    from ldm.modules.diffusionmodules.openaimodel import UNetModel

# ldm also prints the kind of each attention it makes.
ldm_model.print = lambda *args, **kwargs: None


class DiffusionWrapper(torch.nn.Module):
    """Holds the UNet and hands it the conditioning."""

    def __init__(self, unet: torch.nn.Module) -> None:
        super().__init__()
        self.diffusion_model = unet
        self.conditioning_key = "crossattn"

    def forward(self, x, t, c_concat=None, c_crossattn=None):
        context = torch.cat(c_crossattn, 1)
        if self.conditioning_key == "hybrid" and c_concat:
            x = torch.cat([x, *c_concat], dim=1)
        return self.diffusion_model(x, t, context=context)


class AutoencoderKL(torch.nn.Module):
    """Picture [n, 3, h, w] in -1..1 to latent and back."""

    def __init__(self, ddconfig: dict, embed_dim: int) -> None:
        super().__init__()
        self.encoder = Encoder(**ddconfig)
        self.decoder = Decoder(**ddconfig)
        self.quant_conv = torch.nn.Conv2d(2 * ddconfig["z_channels"], 2 * embed_dim, 1)
        self.post_quant_conv = torch.nn.Conv2d(embed_dim, ddconfig["z_channels"], 1)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the latent distribution: the same picture gives the same latent."""
        mean, _ = self.quant_conv(self.encoder(x)).chunk(2, dim=1)
        return mean

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(z))


class LatentDiffusion(torch.nn.Module):
    """`shared.sd_model`: UNet, text encoder and autoencoder under the names of the checkpoint's keys."""

    is_sd1 = True
    is_sd2 = False
    is_sdxl = False
    is_ssd = False
    is_sd3 = False
    is_sdxl_inpaint = False
    lowvram = False
    cond_stage_key = "txt"

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.model = DiffusionWrapper(UNetModel(**config.unet))
        self.first_stage_model = AutoencoderKL(config.vae, config.embed_dim)
        self.cond_stage_model = FrozenCLIPEmbedder(config.text)
        self.scale_factor = config.scale_factor
        self.parameterization = config.parameterization
        self.used_config = config
        self.sd_checkpoint_info = None
        self.sd_model_hash = None
        self.sd_model_checkpoint = None
        self.cond_stage_model_empty_prompt = None
        self.alphas_cumprod = None

    def make_schedule(self, config: ModelConfig) -> None:
        """The noise schedule of Stable Diffusion: alphas_cumprod, float32 [timesteps]."""
        betas = torch.linspace(
            config.linear_start**0.5,
            config.linear_end**0.5,
            config.timesteps,
            dtype=torch.float64,
            device="cpu",
        )
        alphas = torch.cumprod(1.0 - betas**2, dim=0).float()
        del self.alphas_cumprod
        self.register_buffer("alphas_cumprod", alphas, persistent=False)

    @property
    def device(self) -> torch.device:
        return self.alphas_cumprod.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.diffusion_model.input_blocks[0][0].weight.dtype

    def apply_model(self, x: torch.Tensor, t: torch.Tensor, cond) -> torch.Tensor:
        """The UNet's answer; cond is a tensor, or a table with c_crossattn and c_concat."""
        if not isinstance(cond, dict):
            cond = {"c_crossattn": cond if isinstance(cond, list) else [cond]}
        return self.model(x, t, **cond)

    def get_learned_conditioning(self, prompts) -> torch.Tensor:
        return self.cond_stage_model(prompts)

    def encode_first_stage(self, x: torch.Tensor) -> torch.Tensor:
        return self.first_stage_model.encode(x)

    def get_first_stage_encoding(self, moments: torch.Tensor) -> torch.Tensor:
        return moments * self.scale_factor

    def decode_first_stage(self, z: torch.Tensor) -> torch.Tensor:
        return self.first_stage_model.decode(z / self.scale_factor)


@contextlib.contextmanager
def _without_initialization():
    """Leave new weights as they are: they are about to be read from a file."""
    names = ("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_")
    originals = {name: getattr(torch.nn.init, name) for name in names}
    for name in names:
        setattr(torch.nn.init, name, lambda tensor, *args, **kwargs: tensor)
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(torch.nn.init, name, original)


def build_model(config: ModelConfig) -> LatentDiffusion:
    """A model whose weights are still to be filled in."""
    with _without_initialization():
        model = LatentDiffusion(config)
    model.make_schedule(config)
    return model.eval().requires_grad_(False)
