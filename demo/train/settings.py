"""Every number of the training in one place. A second, tiny set lets tests run the whole chain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """One stage: how many steps, how large, how fast. The rate holds for `hold` of the steps, then decays.

    horizon: the steps over which it would decay, where a stage hands over to the next before that.
    """

    steps: int
    batch: int
    rate: float
    seed: int
    hold: float = 0.3
    warm: int = 50
    ema: float = 0.998
    save_every: int = 250
    horizon: int = 0


@dataclass(frozen=True)
class Settings:
    """The stages of one whole training."""

    art: Plan
    kl: Plan
    text: Plan
    base: Plan
    polish: Plan
    finish: Plan
    settle: Plan
    keep: Plan
    firm: Plan
    lora: Plan
    pool: int = 6000
    lora_pictures: int = 400


FULL = Settings(
    art=Plan(steps=2000, batch=16, rate=5e-3, seed=11, ema=0.99),
    kl=Plan(steps=2600, batch=8, rate=3e-3, seed=12, ema=0.99),
    text=Plan(steps=400, batch=48, rate=2e-3, seed=13, hold=0.5, ema=0.99),
    base=Plan(steps=3250, batch=20, rate=1e-3, seed=14, hold=0.5, horizon=4000),
    polish=Plan(steps=2000, batch=20, rate=7e-4, seed=16, hold=0.2),
    finish=Plan(steps=1200, batch=20, rate=5e-4, seed=17, hold=0.3),
    settle=Plan(steps=900, batch=20, rate=4e-4, seed=18, hold=0.3, save_every=150),
    keep=Plan(steps=800, batch=20, rate=4e-4, seed=19, hold=0.3, save_every=100),
    firm=Plan(steps=650, batch=20, rate=4e-4, seed=20, hold=0.2, save_every=50),
    lora=Plan(steps=400, batch=12, rate=3e-3, seed=15, hold=0.2, warm=20, ema=0.98, save_every=100),
)
TOY = Settings(
    art=Plan(steps=3, batch=4, rate=2e-3, seed=11, save_every=1),
    kl=Plan(steps=3, batch=2, rate=2e-3, seed=12, save_every=1),
    text=Plan(steps=3, batch=4, rate=2e-3, seed=13, save_every=1),
    base=Plan(steps=3, batch=4, rate=1e-3, seed=14, save_every=1),
    polish=Plan(steps=3, batch=4, rate=1e-3, seed=16, save_every=1),
    finish=Plan(steps=3, batch=4, rate=1e-3, seed=17, save_every=1),
    settle=Plan(steps=3, batch=4, rate=1e-3, seed=18, save_every=1),
    keep=Plan(steps=3, batch=4, rate=1e-3, seed=19, save_every=1),
    firm=Plan(steps=3, batch=4, rate=1e-3, seed=20, save_every=1),
    lora=Plan(steps=3, batch=4, rate=3e-3, seed=15, save_every=1),
    pool=16,
    lora_pictures=8,
)
