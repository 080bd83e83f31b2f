"""`python -m demo`: the page and the API; the model is loaded once the page is up."""

from __future__ import annotations

import os
import sys
import threading
import time


def _load_model() -> None:
    """Load in a thread, so that neither the page nor a slow disk waits."""
    from modules import shared

    def load() -> None:
        started = time.perf_counter()
        model = shared.sd_model
        if model is not None:
            print(
                f"Model {model.sd_checkpoint_info.name} loaded in {time.perf_counter() - started:.1f} s.",
                flush=True,
            )

    threading.Thread(target=load, daemon=True).start()


def build():
    """Everything up to the page, in the real host's order; return its blocks."""
    from app import boot
    from modules import script_callbacks, shared, ui, ui_gradio_extensions
    from modules.gradio_extensions import without_servers

    boot.load_extensions()
    ui_gradio_extensions.reload_javascript()
    script_callbacks.before_ui_callback()
    with without_servers():
        shared.demo = ui.create_ui()
    return shared.demo


def serve(page, port: int, inbrowser: bool = False):
    """Start the server; return (app, address)."""
    # The import of ldm is quietened by way of stdout, which must not happen beside other threads.
    from modules import (
        call_queue,
        progress,
        script_callbacks,
        sd_models_build,  # noqa: F401
        shared,
        ui_gradio_extensions,
    )
    from modules.api.api import Api
    from modules.gradio_extensions import launch_arguments, trust_own_address, without_servers

    trust_own_address()
    with without_servers():
        page.queue()
    app, address, _ = page.launch(
        server_name="0.0.0.0" if shared.cmd_opts.listen else "127.0.0.1",
        server_port=port,
        inbrowser=inbrowser,
        prevent_thread_lock=True,
        **launch_arguments(ui_gradio_extensions.served_paths()),
    )
    # gradio lets any origin in by default; this page is nobody else's business.
    app.user_middleware = [
        row for row in app.user_middleware if not row.cls.__name__.endswith("CORSMiddleware")
    ]
    app.middleware_stack = None
    progress.setup_progress_api(app)
    Api(app, call_queue.queue_lock)
    app.middleware_stack = app.build_middleware_stack()
    script_callbacks.app_started_callback(page, app)
    ui_gradio_extensions.setup_ping_api(app)  # last: who gets an answer may load the page
    return app, address


def reload(page):
    """Reload UI: close the page, run all scripts anew, and open a new page at the same address."""
    from app import boot
    from modules import shared

    page.close(verbose=False)
    boot.unload_extensions()
    page = build()
    serve(page, shared.cmd_opts.port)
    print("The page was made anew.", flush=True)
    return page


def main(argv: list[str]) -> int:
    """Serve until interrupted."""
    started = time.perf_counter()
    from app import boot

    boot.prepare(argv)
    from modules import shared

    try:
        page = build()
    except FileNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        _, address = serve(page, shared.cmd_opts.port, inbrowser=_wants_browser())
    except OSError as error:
        print(f"error: port {shared.cmd_opts.port} cannot be used: {error}. Try --port.", file=sys.stderr)
        return 2
    print(f"The page is at {address} ({time.perf_counter() - started:.1f} s).", flush=True)
    _load_model()
    try:
        while True:
            shared.state.restart_wanted.wait()
            shared.state.restart_wanted.clear()
            page = reload(page)
    except KeyboardInterrupt:
        page.close(verbose=False)
    return 0


def _wants_browser() -> bool:
    from modules import shared

    on_a_desktop = bool(os.environ.get("DISPLAY")) or sys.platform in ("darwin", "win32")
    return on_a_desktop and not shared.cmd_opts.no_browser
