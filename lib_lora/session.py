"""All that is applied to a model now, in one object.

    session = Session()
    session.attach(view, plan, "auto")       # installs; the merge runs at the first forward of each part
    try:
        ...                                  # encode text, sample
        report = session.report()
    finally:
        session.detach()                     # takes it off; merged weights are kept for the next time
    session.give_back()                      # drops those where memory is short: pictures are made without
    session.forget()                         # drops those too: the checkpoint changed or the extension goes

Attaching the same plan to the same view again does nothing, another plan takes the first one's place, and
detaching twice is once. An empty plan installs nothing at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from types import TracebackType

from lib_lora.engine.aimed import Aim
from lib_lora.engine.attached import EVERYWHERE, Attached
from lib_lora.engine.budget import is_short
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.modes import AUTO, MODES
from lib_lora.engine.report import ACTS, EntryReport, Report, told_share
from lib_lora.engine.view import ModelView
from lib_lora.errors import EngineError
from lib_lora.plan import UNET_PART, Plan, PlannedEntry
from lib_lora.stack.schedule import BEGINNING, Moment, Schedule

SAMPLE = 8
"""Unmatched weights quoted in a report."""


class Session:
    """Attaches plans to models, one at a time."""

    def __init__(self) -> None:
        self._attached: list[Attached] = []
        self._resting: dict[str, Attached] = {}
        self._now: tuple[Hashable, Plan, str, Aim] | None = None
        self._store: dict[str, MergedWeight] = {}
        self._store_of: Hashable = None
        self._told: tuple[Plan, float] | None = None
        self._last = Report()
        self._moment: Moment | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()

    def attach(self, view: ModelView, plan: Plan, mode: str = AUTO, aim: Aim = EVERYWHERE) -> None:
        """Install a plan on a model; nothing is read or computed before its first forward.

        mode: "merged" or "bypass" force one way, "auto" looks at the weights and the free memory. aim: where
        the plan's regions are.
        """
        if mode not in MODES:
            raise EngineError(f"There is no mode '{mode}'. Choose one of: {', '.join(MODES)}.")
        if plan.model != view.key:
            raise EngineError("The checkpoint was changed while the stack was prepared. Generate again.")
        now = self._now
        if now is not None and now[0] == view.key and now[1] is plan and now[2:] == (mode, aim):
            return
        self.detach()
        self._keep_useful(view, plan)
        if self._told is None or self._told[0] is not plan:
            self._told = plan, 0.0
        try:
            for part in view.parts:
                changes = plan.part(part)
                if changes:
                    attached = self._resting.pop(part, None) or Attached(part, self._store)
                    attached.resume(view, changes, mode, aim)
                    self._attached.append(attached)
        except BaseException:
            self.detach()
            raise
        self._now, self._moment = (view.key, plan, mode, aim), None

    def detach(self) -> None:
        """Take everything off the model; merged weights stay in memory for the same plan."""
        if self._now is not None:
            self._last = self.report()
            self._told = self._now[1], self._last.seconds
        attached, self._attached, self._now = self._attached, [], None
        for part in attached:
            part.rest()
        self._resting |= {part.part: part for part in attached}

    def forget(self) -> None:
        """Take everything off and drop every merged weight."""
        self.detach()
        self._drop(list(self._store))
        self._resting = {}
        self._store_of = self._told = None

    def give_back(self) -> None:
        """Drop what is kept of merged weights if memory is short: a picture is being made without them."""
        if self._now is None:
            weights = (kept.weight for kept in self._store.values())
            if any(map(is_short, {weight.device for weight in weights if weight is not None})):
                self.forget()

    def refresh(self) -> None:
        """Look at every weight again before the next forward: the host's own networks may have changed."""
        for part in self._attached:
            part.refresh()

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """When rows act that do not always act; where there are none, no step need be told."""
        return () if self._now is None else self._now[1].schedules

    def step(self, moment: Moment) -> None:
        """Let rows with a schedule act as they do at this moment, from the next forward on."""
        self._moment = moment
        for part in self._attached:
            part.step(moment)

    def encode(self, side: str, moment: Moment = BEGINNING) -> None:
        """Let text encoders act as for this side of the prompt at this moment, from the next text on."""
        for part in self._attached:
            part.encode(side, moment)

    def report(self) -> Report:
        """Return what is applied now, or was until the last detach."""
        if self._now is None:
            return self._last
        _, plan, _, aim = self._now
        parts = self._attached
        patches = [patch for part in parts for patch in part.patches]
        calls = {part.part: part.calls for part in parts}
        layers = {part.part: len(part.patches) for part in parts}
        seconds = (self._told[1] if self._told is not None else 0.0) + sum(
            part.merging.seconds for part in parts
        )
        held = [kept.nbytes for kept in self._store.values()]
        held += [patch.bypass.nbytes for patch in patches if patch.bypass is not None]
        held += [part.extra_bytes for part in parts]
        return Report(
            entries=tuple(_entry_report(planned, self._moment, aim) for planned in plan.entries),
            unet_layers=layers.pop(UNET_PART, 0),
            te_layers=sum(layers.values()),  # of one text encoder or two
            unet_calls=calls.pop(UNET_PART, 0),
            te_calls=sum(calls.values()),
            merged=len(self._store),
            bypassed=sum(patch.bypass is not None or patch.masked is not None for patch in patches),
            seconds=seconds,
            bytes=sum(held),
            reused=seconds == 0,
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )

    def _keep_useful(self, view: ModelView, plan: Plan) -> None:
        """Drop merged weights of another checkpoint, those no longer needed, and those we cannot watch."""
        if view.key != self._store_of:
            self._drop(list(self._store))
            self._resting = {}
            self._store_of = view.key
        self._resting = {part: rests for part, rests in self._resting.items() if plan.part(part)}
        useful = plan.changes
        self._drop([name for name, kept in self._store.items() if name not in useful or not kept.tracked])

    def _drop(self, names: Iterable[str]) -> None:
        """Give merged weights back at once; what rests knows them still, and itself, so it goes later."""
        for name in names:
            self._store.pop(name).give_back()


def _entry_report(planned: PlannedEntry, moment: Moment | None, aim: Aim) -> EntryReport:
    entry, fit = planned.entry, planned.fit
    notes, mask = planned.notes, None if planned.region is None else aim.masks.get(planned.region)
    if mask is not None:
        notes += (f"{ACTS}{told_share(mask.share)} of the picture",)
    if moment is not None:
        notes += planned.schedule.told(moment.steps)
    return EntryReport(
        row=planned.row,
        network=entry.network,
        te=entry.te_weight,
        unet=entry.unet_weight,
        matched=len(fit.matched),
        total=fit.total,
        applied=planned.acting > 0,
        unmatched=(*fit.unmatched, *fit.absent)[:SAMPLE],
        notes=notes,
        share=None if mask is None else round(mask.share, 4),
    )
