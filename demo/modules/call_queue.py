"""One picture at a time, and what the page sees when it fails."""

from __future__ import annotations

import html
import threading
import time
from functools import wraps

from modules import errors, progress, shared

queue_lock = threading.RLock()


def wrap_queued_call(function):
    """Run when nothing else runs."""

    @wraps(function)
    def call(*args, **kwargs):
        with queue_lock:
            return function(*args, **kwargs)

    return call


def wrap_gradio_gpu_call(function, extra_outputs=None):
    """Run as a job of the progress bar; the first argument is the task's id."""

    @wraps(function)
    def call(*args, **kwargs):
        id_task = args[0] if args and isinstance(args[0], str) and args[0].startswith("task(") else None
        if id_task is not None:
            progress.add_task_to_queue(id_task)
        with queue_lock:
            shared.state.begin(job=id_task or "(unknown)")
            progress.start_task(id_task)
            try:
                return function(*args, **kwargs)
            finally:
                progress.finish_task(id_task)
                shared.state.end()

    return wrap_gradio_call(call, extra_outputs=extra_outputs, add_stats=True)


def wrap_gradio_call(function, extra_outputs=None, add_stats=False):
    """Show an exception in the last output, as `<div class='error'>Type: message</div>`."""

    @wraps(function)
    def call(*args, **kwargs):
        started = time.perf_counter()
        try:
            result = list(function(*args, **kwargs))
        except Exception as error:
            errors.report(f"Error completing request\n{type(error).__name__}: {error}", exc_info=True)
            shared.state.job = ""
            shared.state.job_count = 0
            outputs = [None, ""] if extra_outputs is None else list(extra_outputs)
            message = html.escape(f"{type(error).__name__}: {error}")
            result = [*outputs, f"<div class='error'>{message}</div>"]
        shared.state.skipped = False
        shared.state.interrupted = False
        shared.state.stopping_generation = False
        shared.state.job_count = 0
        if add_stats:
            seconds = time.perf_counter() - started
            result[-1] += f"<p class='performance'>Time taken: <span>{seconds:.1f} sec.</span></p>"
        return tuple(result)

    return call


wrap_gradio_call_no_job = wrap_gradio_call
