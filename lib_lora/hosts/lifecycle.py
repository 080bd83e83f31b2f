"""When a stack is on the model: exactly while a run of its own encodes text or samples, and never longer.

Every way into the model is a frame: the outermost attaches, a nested one with the same request and model
changes nothing, a nested one with another request (or none) swaps the stack and puts it back afterwards.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_lora.engine.view import ModelView
from lib_lora.errors import LoraStackError, NotAppliedError
from lib_lora.hosts.embeddings import Embeddings
from lib_lora.hosts.nested import Outer
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import Request, open_files, request_of
from lib_lora.network import NetworkCache, check_fit
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.schedule import Moment

Call = Callable[[], Any]

REPORT_ATTRIBUTE = "lora_stack_report"
PLANS_KEPT = 8


@dataclass(frozen=True)
class Signs:
    """What can be told at every step: the key of the model in use, and what the built-in Lora wants now."""

    model: Hashable
    foreign: Hashable = None


@dataclass(frozen=True)
class _Frame:
    """One level of a run: what it wants on which model; a request of None wants the bare model."""

    request: Request | None
    model: Hashable = None
    owner: Any = field(default=None, compare=False)  # the processing object


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
        self._reports = reports
        self._networks = NetworkCache()
        self._session = Session()
        self._embeddings = Embeddings()
        self._outer = Outer()
        self._frames: list[_Frame] = []
        self._applied: tuple[Request, Hashable] | None = None
        self._seen: Signs | None = None
        self._loose: Any = None
        self._pending: LoraStackError | None = None
        # By identity; the request is kept beside its plan, so that an identity is never used twice.
        self._plans: OrderedDict[tuple[int, Hashable], tuple[Request, Plan]] = OrderedDict()

    def around(self, p: Any, call: Call) -> Any:
        """Run a host method that uses the model with the stack of `p` on it."""
        self._outer.meet(p)
        with self._told(p), _Level(self, p):
            return call()

    def around_sample(self, p: Any, call: Call) -> Any:
        """Run the sampler with the stack of `p`, then tell what was applied; nothing applied is an error."""
        self._outer.meet(p)
        request = request_of(p)
        if request is None:
            return self.around(p, call)
        with self._told(p):
            with _Level(self, p):
                self._pending = None
                result = call()
                if self._pending is not None:
                    raise self._pending
                applied = self._session.report()
                report = replace(applied, notes=(*request.notes, *self._embeddings.notes, *applied.notes))
            if report.unet_layers and not report.unet_calls:
                raise NotAppliedError(
                    "The picture was sampled without the LoRA stack: the WebUI used a UNet that cannot be "
                    "patched (a compiled or converted one). Switch that UNet off in the settings, or switch "
                    "the stack off."
                )
        setattr(p, REPORT_ATTRIBUTE, report)
        self._reports.put(request.tab, {"ok": True, "line": report.one_line(), **report.to_json()})
        return result

    @contextmanager
    def _told(self, p: Any) -> Iterator[None]:
        """Show an error under the rows too, besides where the host shows it."""
        try:
            yield
        except LoraStackError as error:
            if (request := request_of(p)) is not None:
                self._reports.put(request.tab, {"ok": False, "line": str(error)})
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
            self._exchange(p, request)

    def before_step(self, p: Any = None, moment: Moment | None = None) -> None:
        """See to it, before a step, that the model being sampled wears what `p` asks for.

        The net below the frames, for what they cannot see: a refiner, a model exchanged by somebody else, a
        `sample` exchanged on the object, a built-in Lora whose weights change with the steps. Costs two
        comparisons while nothing happens. The host swallows what is raised here: `around_sample` raises it.
        """
        p = p if p is not None or not self._frames else self._frames[-1].owner
        request = request_of(p)
        if request is None or request.failure is not None:
            return
        try:
            signs = self._signs(p)
            if self._applied is None or self._applied[0] is not request or self._applied[1] != signs.model:
                if not self._exchange(p, request):
                    view = self._view_of(p)
                    self._apply(_Frame(request, view.key, p), view)
                    self._loose = p
            elif self._seen is not None and signs.foreign != self._seen.foreign:
                self._session.refresh()
            self._seen = signs
            if moment is not None:
                self._session.step(moment)
        except LoraStackError as error:
            self._pending = error

    def closing(self, p: Any, call: Call) -> Any:
        """Run the host's `close`, and take off what the net had to put on."""
        try:
            return call()
        finally:
            if self._loose is p:
                self._loose = None
                self._take_off()

    def _exchange(self, p: Any, request: Request | None) -> bool:
        """Put another request, or another model, in the place of what the frames of `p` want."""
        mine = [index for index, frame in enumerate(self._frames) if frame.owner is p]
        if not mine:
            return False
        view = None if request is None else self._view_of(p)
        frame = _Frame(request, None if view is None else view.key, p)
        for index in mine:
            self._frames[index] = frame
        if mine[-1] == len(self._frames) - 1:
            self._apply(frame, view)
        return True

    def forget_model(self) -> None:
        """Drop everything computed from a checkpoint: it was loaded, changed or replaced."""
        self._session.forget()
        self._embeddings.remove()
        self._applied = None
        self._plans.clear()

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
        return self._plan(request, self._view_of(p)).te_key

    def _plan(self, request: Request, view: ModelView) -> Plan:
        key = (id(request), view.key)
        if key not in self._plans:
            networks = open_files(request, lambda path: self._networks.open(path, view.architecture))
            self._plans[key] = request, make_plan(request.stack, networks, view)
            while len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
        return self._plans[key][1]

    def _enter(self, p: Any) -> None:
        request = request_of(p)
        if request is None:
            frame, view = _Frame(None, owner=p), None
        else:
            if request.failure is not None:
                raise request.failure
            view = self._view_of(p)
            frame = _Frame(request, view.key, p)
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
            self._apply(outer, None if outer.request is None else self._view_of(p))

    def _apply(self, frame: _Frame, view: ModelView | None) -> None:
        self._loose = self._seen = None
        if frame.request is None or view is None:
            self._take_off()
        else:
            plan = self._plan(frame.request, view)
            self._session.attach(view, plan, self._mode())
            self._embeddings.place(plan.embeddings)
            self._applied = frame.request, view.key

    def _take_off(self) -> None:
        self._session.detach()
        self._embeddings.remove()
        self._applied = None


class _Level:
    """One frame of a run as a context manager."""

    def __init__(self, lifecycle: Lifecycle, p: Any) -> None:
        self._lifecycle, self._p = lifecycle, p

    def __enter__(self) -> None:
        self._lifecycle._enter(self._p)

    def __exit__(self, *_: object) -> None:
        self._lifecycle._leave(self._p)
