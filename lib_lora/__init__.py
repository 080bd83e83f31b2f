"""LoRA Stack: stack any number of LoRA files with sliders in the Stable Diffusion WebUI."""
