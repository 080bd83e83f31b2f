"""How the host tells of exceptions it swallows: printed and remembered, never shown on the page."""

from __future__ import annotations

import sys
import textwrap
import traceback

# (message, traceback) of the last exceptions, as the WebUI keeps them for its system information page.
exception_records: list[tuple[str, str]] = []
_KEEP = 20


def record_exception() -> None:
    """Remember the exception that is being handled."""
    kind, value, trace = sys.exc_info()
    if kind is None:
        return
    exception_records.append((str(value), "".join(traceback.format_exception(kind, value, trace))))
    del exception_records[:-_KEEP]


def report(message: str, *, exc_info: bool = False) -> None:
    """Print a message to stderr, each line starred, with the current traceback if asked."""
    record_exception()
    for line in message.splitlines():
        print("***", line, file=sys.stderr)
    if exc_info:
        print(textwrap.indent(traceback.format_exc(), "    "), file=sys.stderr)
        print("---", file=sys.stderr)


def print_error_explanation(message: str) -> None:
    """Print a framed message."""
    lines = message.strip().split("\n")
    frame = "=" * max(len(line) for line in lines)
    print("\n".join([frame, *lines, frame]), file=sys.stderr)


def display(exception: Exception, task: str, *, full_traceback: bool = False) -> None:
    """Print an exception with what was being done."""
    record_exception()
    print(f"{task or 'error'}: {type(exception).__name__}", file=sys.stderr)
    if full_traceback:
        traceback.print_stack(file=sys.stderr)
    traceback.print_exception(type(exception), exception, exception.__traceback__, file=sys.stderr)


def run(code, task: str) -> None:
    """Run something whose failure must not stop the host."""
    try:
        code()
    except Exception as error:
        display(error, task)
