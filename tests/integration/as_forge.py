"""An extension for the demo, copied into its folder: pictures are read and inpainted as Forge does it.

A1111's K samplers hold what is not painted to the original picture in their answers alone. Forge also lays
it, noisy as the step is, under what the model sees: with fresh noise at every step; and it reads pictures
with noise too. Both come from PyTorch's own generator, which the noise of a seed sets anew.
"""

import torch
from modules import rng, script_callbacks
from modules.sd_models_build import AutoencoderKL

_first = rng.ImageRNG.first


def _seed_again(self):
    noise = _first(self)
    torch.manual_seed((int(self.seeds[-1]) + 100_000) % 65_536)
    return noise


def _read(self, x):
    """One of the latents that the picture may have; the demo takes the mean."""
    mean, spread = self.quant_conv(self.encoder(x)).chunk(2, dim=1)
    return mean + torch.exp(0.5 * spread.clamp(-30, 20)) * torch.randn(mean.shape)


def _lay_under(params):
    """Rows are the prompt's for all pictures, then the negative prompt's."""
    denoiser = params.denoiser
    if denoiser.mask is None:
        return
    kept = denoiser.init_latent
    noise = torch.randn_like(kept)
    rows = params.x.shape[0] // kept.shape[0]
    under = kept.repeat(rows, 1, 1, 1) + noise.repeat(rows, 1, 1, 1) * params.sigma.view(-1, 1, 1, 1)
    params.x = params.x * denoiser.nmask + under * denoiser.mask


rng.ImageRNG.first = _seed_again
AutoencoderKL.encode = _read
script_callbacks.on_cfg_denoiser(_lay_under)
