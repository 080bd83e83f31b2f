"""One model evaluation of the sampler: rows, guidance, inpaint blending, and the callbacks."""

from __future__ import annotations

import torch
from modules import prompt_parser, sd_samplers_common, shared
from modules.script_callbacks import (
    AfterCFGCallbackParams,
    CFGDenoisedParams,
    CFGDenoiserParams,
    cfg_after_cfg_callback,
    cfg_denoised_callback,
    cfg_denoiser_callback,
)
from modules.script_class import MaskBlendArgs


def pad_cond(tensor: torch.Tensor, repeats: int, empty: torch.Tensor) -> torch.Tensor:
    """Append the encoded empty prompt to [rows, tokens, width]."""
    return torch.cat([tensor, empty.repeat((tensor.shape[0], repeats, 1))], axis=1)


class CFGDenoiser(torch.nn.Module):
    """Rows: all prompt rows (several per picture with AND), then one negative row per picture."""

    def __init__(self, sampler) -> None:
        super().__init__()
        self.model_wrap = None
        self.mask = None
        self.nmask = None
        self.init_latent = None
        self.steps: int | None = None
        self.total_steps: int | None = None
        self.step = 0
        self.image_cfg_scale = None
        self.padded_cond_uncond = False
        self.padded_cond_uncond_v0 = False
        self.sampler = sampler
        self.p = None
        self.cond_scale_miltiplier = 1.0
        self.need_last_noise_uncond = False
        self.last_noise_uncond = None
        self.mask_before_denoising = False

    @property
    def inner_model(self):
        raise NotImplementedError

    def update_inner_model(self) -> None:
        """The model was exchanged in mid-sampling: take the new one and the conds made with it."""
        self.model_wrap = None
        c, uc = self.p.get_conds()
        self.sampler.sampler_extra_args["cond"] = c
        self.sampler.sampler_extra_args["uncond"] = uc

    def combine_denoised(self, x_out, conds_list, uncond, cond_scale):
        """negative + Σ weight·(prompt − negative)·scale."""
        negative = x_out[-uncond.shape[0] :]
        denoised = torch.clone(negative)
        for index, conds in enumerate(conds_list):
            for row, weight in conds:
                denoised[index] += (x_out[row] - negative[index]) * (weight * cond_scale)
        return denoised

    def _blended(self, latent: torch.Tensor, current: torch.Tensor, sigma) -> torch.Tensor:
        """Keep the original latent outside the inpaint mask; scripts may blend otherwise."""
        blended = latent * self.nmask + self.init_latent * self.mask
        if self.p.scripts is not None:
            args = MaskBlendArgs(
                current, self.nmask, self.init_latent, self.mask, blended, denoiser=self, sigma=sigma
            )
            self.p.scripts.on_mask_blend(self.p, args)
            blended = args.blended_latent
        return blended

    def _skips_uncond(self, sigma, s_min_uncond: float) -> bool:
        opts = shared.opts
        if 0 < self.step / max(self.total_steps, 1) <= opts.skip_early_cond:
            return True
        return bool((self.step % 2 or opts.s_min_uncond_all) and s_min_uncond > 0 and sigma[0] < s_min_uncond)

    def _pad(self, tensor, uncond):
        """Bring prompt and negative prompt to one length with empty chunks."""
        empty = shared.sd_model.cond_stage_model_empty_prompt
        missing = (tensor.shape[1] - uncond.shape[1]) // empty.shape[1]
        if missing < 0:
            tensor = pad_cond(tensor, -missing, empty)
        elif missing > 0:
            uncond = pad_cond(uncond, missing, empty)
        self.padded_cond_uncond = missing != 0
        return tensor, uncond

    def _call_model(self, x_in, sigma_in, tensor, uncond, batch_size: int, skip_uncond: bool):
        """Run the model on all rows: in one call, or in chunks where lengths or options ask for it."""

        def call(rows, cond):
            return self.inner_model(x_in[rows], sigma_in[rows], cond={"c_crossattn": [cond], "c_concat": []})

        x_out = torch.zeros_like(x_in)
        if tensor.shape[1] == uncond.shape[1] or skip_uncond:
            cond_in = tensor if skip_uncond else torch.cat([tensor, uncond])
            chunk = x_out.shape[0] if shared.opts.batch_cond_uncond else batch_size
            for start in range(0, x_out.shape[0], chunk):
                rows = slice(start, min(start + chunk, x_out.shape[0]))
                x_out[rows] = call(rows, cond_in[rows])
            return x_out
        chunk = batch_size * 2 if shared.opts.batch_cond_uncond else batch_size
        for start in range(0, tensor.shape[0], chunk):
            rows = slice(start, min(start + chunk, tensor.shape[0]))
            x_out[rows] = call(rows, tensor[rows])
        rows = slice(x_out.shape[0] - uncond.shape[0], x_out.shape[0])
        x_out[rows] = call(rows, uncond)
        return x_out

    def forward(self, x, sigma, uncond, cond, cond_scale, s_min_uncond, image_cond):
        state = shared.state
        if state.interrupted or state.skipped:
            raise sd_samplers_common.InterruptedException
        if sd_samplers_common.apply_refiner(self, sigma):
            cond = self.sampler.sampler_extra_args["cond"]
            uncond = self.sampler.sampler_extra_args["uncond"]
        conds_list, tensor = prompt_parser.reconstruct_multicond_batch(cond, self.step)
        uncond = prompt_parser.reconstruct_cond_batch(uncond, self.step)
        if self.mask_before_denoising and self.mask is not None:
            x = self._blended(x, x, sigma)
        repeats = [len(conds) for conds in conds_list]
        batch_size = len(conds_list)
        x_in = torch.cat([torch.stack([x[i]] * n) for i, n in enumerate(repeats)] + [x])
        sigma_in = torch.cat([torch.stack([sigma[i]] * n) for i, n in enumerate(repeats)] + [sigma])
        params = CFGDenoiserParams(
            x_in, image_cond, sigma_in, state.sampling_step, state.sampling_steps, tensor, uncond, self
        )
        cfg_denoiser_callback(params)
        x_in, sigma_in, tensor, uncond = params.x, params.sigma, params.text_cond, params.text_uncond
        skip_uncond = self._skips_uncond(sigma, s_min_uncond)
        if skip_uncond:
            x_in, sigma_in = x_in[:-batch_size], sigma_in[:-batch_size]
        self.padded_cond_uncond = False
        if shared.opts.pad_cond_uncond and tensor.shape[1] != uncond.shape[1]:
            tensor, uncond = self._pad(tensor, uncond)
        x_out = self._call_model(x_in, sigma_in, tensor, uncond, batch_size, skip_uncond)
        cfg_denoised_callback(
            CFGDenoisedParams(x_out, state.sampling_step, state.sampling_steps, self.inner_model)
        )
        if skip_uncond:
            firsts = torch.tensor([conds[0][0] for conds in conds_list], device=x_out.device)
            x_out = torch.cat([x_out, x_out[firsts]])
            denoised = self.combine_denoised(x_out, conds_list, uncond, 1.0)
        else:
            denoised = self.combine_denoised(
                x_out, conds_list, uncond, cond_scale * self.cond_scale_miltiplier
            )
        if not self.mask_before_denoising and self.mask is not None:
            denoised = self._blended(denoised, denoised, sigma)
        self.sampler.last_latent = denoised
        sd_samplers_common.store_latent(denoised)
        after = AfterCFGCallbackParams(denoised, state.sampling_step, state.sampling_steps)
        cfg_after_cfg_callback(after)
        self.step += 1
        return after.x


class CFGDenoiserKDiffusion(CFGDenoiser):
    """The denoiser over a model that answers with noise or with v."""

    @property
    def inner_model(self):
        if self.model_wrap is None:
            from modules.k_sampling import wrap_model

            # Not a registered child: the model must not appear below the sampler.
            wrapped = wrap_model(shared.sd_model, quantize=shared.opts.enable_quantization)
            object.__setattr__(self, "model_wrap", wrapped)
        return self.model_wrap
