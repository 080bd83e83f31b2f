"""When a stack is on the model: exactly while a run of its own encodes text or samples, and never longer.

Every way into the model is a frame: the outermost attaches, a nested one with the same request and model
changes nothing, a nested one with another request (or none) swaps the stack and puts it back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_lora.engine.aimed import Aim
from lib_lora.engine.report import Report
from lib_lora.engine.view import ModelView
from lib_lora.errors import LoraStackError, NetworkMismatchError, NotAppliedError
from lib_lora.hosts.embeddings import Embeddings
from lib_lora.hosts.nested import Outer
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import request_of
from lib_lora.hosts.rows import Rows, side_of_texts
from lib_lora.hosts.telling import Telling
from lib_lora.hosts.texts import Timeline, over_steps, timeline_of
from lib_lora.hosts.wearing import Fitted, Wardrobe, Wear
from lib_lora.network import NetworkCache, check_fit
from lib_lora.session import Session
from lib_lora.stack.schedule import Moment

Call = Callable[[], Any]
Asked = Callable[[bool], "Moment | None"]
"""Tells where sampling is, with the noise level if that is asked for; None where the host does not say."""


@dataclass(frozen=True)
class Signs:
    """What can be told at every step: the key of the model in use, and what the built-in Lora wants now."""

    model: Hashable
    foreign: Hashable = None


@dataclass(frozen=True)
class _Frame:
    """One level of a run: what it wears on which model; a wear of None wants the bare model."""

    wear: Wear | None
    model: Hashable = None
    owner: Any = field(default=None, compare=False)  # the processing object


@dataclass(frozen=True, eq=False)
class _Applied:
    """What is on the model now: which model, and for whose run."""

    fitted: Fitted
    model: Hashable
    owner: Any


@dataclass(frozen=True)
class _Drawn:
    """What was worn in one pass; stepped: whether the host began a step of it."""

    owner: int  # the processing object, by identity
    name: str
    report: Report
    stepped: bool


class Lifecycle:
    """Attaches and detaches around the host's own methods, whatever happens inside them."""

    def __init__(
        self,
        view_of: Callable[[Any], ModelView],
        mode: Callable[[], str],
        reports: Reports,
        signs: Callable[[Any], Signs] | None = None,
    ) -> None:
        self._view_of = view_of
        self._signs = signs or (lambda p: Signs(view_of(p).key))
        self._mode = mode
        self._telling = Telling(reports)
        self._networks = NetworkCache()
        self._wardrobe = Wardrobe(self._networks)
        self._rows = Rows()
        self._session = Session()
        self._embeddings = Embeddings()
        self._outer = Outer()
        self._frames: list[_Frame] = []
        self._applied: _Applied | None = None
        self._drawn: list[_Drawn] = []
        self._stepped = False  # whether the host has begun a step with what is applied
        self._seen: Signs | None = None
        self._loose: Any = None
        self._timeline: Timeline | None = None  # while prompts are encoded over the steps
        self._pending: LoraStackError | None = None

    def around(self, p: Any, call: Call, hires: bool = False) -> Any:
        """Run a host method that uses the model with the stack of `p` on it."""
        self._outer.meet(p)
        with self._told(p), _Level(self, p, hires):
            return call()

    def around_hires(self, p: Any, call: Call) -> Any:
        """The same for methods of the second pass, which host and object may only begin to prepare."""
        return self.around(p, call, hires=True)

    def around_texts(self, p: Any, call: Call) -> Any:
        """Encode the prompts of one side with what acts for that side, once or over the steps."""
        side, on = side_of_texts(call), self._applied
        curves = () if on is None else on.fitted.plan.text_schedules
        if not curves:
            self._session.encode(side)
            return call()
        self._timeline = timeline_of(p, call)
        try:
            return over_steps(call, curves, self._timeline, lambda moment: self._session.encode(side, moment))
        finally:
            self._timeline = None

    def around_sample(self, p: Any, call: Call) -> Any:
        """Run the sampler with the stack of `p`, then tell what was applied; nothing applied is an error."""
        self._outer.meet(p)
        request = request_of(p)
        with self._told(p):
            with _Level(self, p):
                self._pending, self._drawn = None, []
                self._rows.expect(None)
                self._telling.begin(p)
                result = call()
                if self._pending is not None:
                    raise self._pending
                request = request or request_of(p)  # the tags of a hires prompt may be all there is
                if request is None:
                    return result
                self._note_pass()
                mine = [drawn for drawn in self._drawn if drawn.owner == id(p)]
                told = [drawn for drawn in mine if drawn.stepped or drawn.report.unet_calls] or mine[-1:]
                notes = self._embeddings.notes
            # Without a step there was nothing to act in: interrupted before the first, or no such pass.
            asked = any(drawn.stepped and drawn.report.unet_layers for drawn in told)
            if asked and not any(drawn.report.unet_calls for drawn in told):
                raise NotAppliedError(
                    "The picture was sampled without the LoRA stack: the WebUI used a UNet that cannot be "
                    "patched (a compiled or converted one). Switch that UNet off in the settings, or switch "
                    "the stack off."
                )
        self._telling.tell(p, request, [(drawn.name, drawn.report) for drawn in told], notes)
        return result

    @contextmanager
    def _told(self, p: Any) -> Iterator[None]:
        """Show an error under the rows too, besides where the host shows it."""
        try:
            yield
        except LoraStackError as error:
            if (request := request_of(p)) is not None:
                self._telling.tell_failure(p, request, error)
            raise

    def cached_params(self, p: Any, call: Call) -> Any:
        """Add what changes the text encoder to the key under which the host keeps encoded prompts."""
        return (*call(), self._text_key(p))

    def problem_of(self, path: Path, view: ModelView) -> str:
        """Return why a file cannot be applied to a model, empty where it can."""
        try:
            check_fit(self._networks.open(path, view.architecture), view.shapes, view.architecture)
        except LoraStackError as error:
            return str(error)
        return ""

    def changed(self, p: Any) -> None:
        """Let the running frames of `p` want what it asks for now: the tags of a hires prompt are others.

        What is wrong with it is raised by the next frame, where the host shows it.
        """
        request = request_of(p)
        if request is not None and request.failure is not None:
            return
        with suppress(LoraStackError):
            self._exchange(p, None if request is None else self._wardrobe.wear(p, request))

    def before_step(self, p: Any = None, moment: Asked | None = None, params: Any = None) -> None:
        """See to it, before a step, that the model being sampled wears what `p` asks for.

        The net below the frames, for what they cannot see: a refiner, a model exchanged by somebody else, a
        `sample` exchanged on the object, a built-in Lora whose weights change with the steps. Costs two
        comparisons while nothing happens. The host swallows what is raised here: `around_sample` raises it.
        moment: asked where a row does not always act. params: what the host tells of the step.
        """
        self._rows.expect(params)
        p = self.running if p is None else p
        request = request_of(p)
        if request is None or request.failure is not None:
            return
        try:
            signs, wear = self._signs(p), self._wardrobe.wear(p, request)
            on = self._applied
            if on is None or on.fitted.wear != wear or on.model != signs.model:
                if not self._exchange(p, wear):
                    view = self._view_of(p)
                    self._apply(_Frame(wear, view.key, p), view)
                    self._loose = p
            elif self._seen is not None and signs.foreign != self._seen.foreign:
                self._session.refresh()
            self._seen = signs
            schedules = self._session.schedules
            if moment is not None and schedules:
                now = moment(any(schedule.needs_sigma for schedule in schedules))
                if now is not None:
                    self._session.step(now)
            self._stepped = True
        except LoraStackError as error:
            self._pending = error

    @property
    def running(self) -> Any:
        """The processing object whose method is running now, None between pictures."""
        return self._frames[-1].owner if self._frames else None

    def closing(self, p: Any, call: Call) -> Any:
        """Run the host's `close`, and take off what the net had to put on."""
        try:
            return call()
        finally:
            if self._loose is p:
                self._loose = None
                self._take_off()

    def _exchange(self, p: Any, wear: Wear | None) -> bool:
        """Put something else, or another model, in the place of what the frames of `p` want."""
        mine = [index for index, frame in enumerate(self._frames) if frame.owner is p]
        if not mine:
            return False
        view = None if wear is None else self._view_of(p)
        frame = _Frame(wear, None if view is None else view.key, p)
        for index in mine:
            self._frames[index] = frame
        if mine[-1] == len(self._frames) - 1:
            self._apply(frame, view)
        return True

    def forget_model(self) -> None:
        """Drop everything computed from a checkpoint: it was loaded, changed or replaced."""
        self._note_pass()
        self._session.forget()
        self._embeddings.remove()
        self._applied = None
        self._wardrobe.forget()

    def let_go(self) -> None:
        """Drop what is kept for the next picture; a picture that is being made keeps what it needs."""
        if not self._frames:
            self.forget_model()

    def detach(self) -> None:
        """Take everything off at once, when the extension is unloaded."""
        self._frames.clear()
        self._session.forget()
        self._embeddings.remove()
        self._applied = self._loose = None

    def _text_key(self, p: Any) -> Hashable:
        request = request_of(p)
        if request is None or request.failure is not None:
            return ()
        frame = self._frames[-1] if self._frames else None
        inside = frame is not None and frame.owner is p and frame.wear is not None
        wear = frame.wear if inside and frame is not None else None
        if wear is None or wear.request is not request:
            wear = self._wardrobe.wear(p, request)
        key = self._wardrobe.fitted(wear, self._view_of(p)).plan.te_key
        return key if self._timeline is None else (*key, self._timeline)

    def _enter(self, p: Any, hires: bool) -> None:
        request = request_of(p)
        if request is None:
            frame, view = _Frame(None, owner=p), None
        else:
            if request.failure is not None:
                raise request.failure
            view = self._view_of(p)
            frame = _Frame(self._wardrobe.wear(p, request, hires), view.key, p)
        if not self._frames or self._frames[-1] != frame:
            self._apply(frame, view)
        else:
            # The host comes back in the middle of a run after changing its own networks (a hires prompt).
            self._session.refresh()
        self._frames.append(frame)

    def _leave(self, p: Any) -> None:
        if not self._frames:  # the extension was unloaded meanwhile, and everything is off already
            return
        frame = self._frames.pop()
        if not self._frames:
            self._take_off()
        elif self._frames[-1] != frame:
            outer = self._frames[-1]
            try:
                self._apply(outer, None if outer.wear is None else self._view_of(p))
            except NetworkMismatchError:
                # The model is still that of a hires pass or a refiner; if it goes on sampling, the next step
                # raises this where the host shows it.
                self._take_off()

    def _apply(self, frame: _Frame, view: ModelView | None) -> None:
        self._loose = self._seen = None
        if frame.wear is None or view is None:
            self._take_off()
            self._session.give_back()
        else:
            fitted = self._wardrobe.fitted(frame.wear, view)
            self._note_pass()
            aim = Aim(frame.wear.masks, self._rows.sides_of, self._rows.size_of)
            self._session.attach(view, fitted.plan, self._mode(), aim)
            self._embeddings.place(fitted.plan.embeddings)
            self._applied = _Applied(fitted, view.key, frame.owner)

    def _note_pass(self) -> None:
        """Keep what has been sampled with, for the report of the whole picture."""
        on, report = self._applied, self._session.report()
        if on is not None:
            told = replace(report, notes=(*on.fitted.notes, *report.notes))
            self._drawn.append(_Drawn(id(on.owner), on.fitted.wear.pass_name, told, self._stepped))
        self._stepped = False

    def _take_off(self) -> None:
        self._note_pass()
        self._session.detach()
        self._embeddings.remove()
        self._applied = None


class _Level:
    """One frame of a run as a context manager."""

    def __init__(self, lifecycle: Lifecycle, p: Any, hires: bool = False) -> None:
        self._lifecycle, self._p, self._hires = lifecycle, p, hires

    def __enter__(self) -> None:
        self._lifecycle._enter(self._p, self._hires)

    def __exit__(self, *_: object) -> None:
        self._lifecycle._leave(self._p)
