"""How far the running task is, for the bar on the page."""

from __future__ import annotations

import base64
import time

from modules import shared

current_task: str | None = None
pending_tasks: dict[str, float] = {}
finished_tasks: list[str] = []
_KEEP = 16


def start_task(id_task: str | None) -> None:
    global current_task
    current_task = id_task
    pending_tasks.pop(id_task, None)


def finish_task(id_task: str | None) -> None:
    global current_task
    if current_task == id_task:
        current_task = None
    if id_task is not None:
        finished_tasks.append(id_task)
        del finished_tasks[:-_KEEP]


def add_task_to_queue(id_task: str) -> None:
    pending_tasks[id_task] = time.time()


def fraction() -> float:
    """0..1 over all parts of the job."""
    state = shared.state
    done = 0.0
    if state.job_count > 0:
        done = state.job_no / state.job_count
        if state.sampling_steps > 0:
            done += state.sampling_step / state.sampling_steps / state.job_count
    return min(done, 1.0)


def progress_of(id_task: str, id_live_preview: int, live_preview: bool) -> dict[str, object]:
    """What the page asks for several times a second while it waits."""
    active = id_task == current_task
    queued = id_task in pending_tasks
    completed = id_task in finished_tasks
    answer: dict[str, object] = {
        "active": active,
        "queued": queued,
        "completed": completed,
        "progress": None,
        "eta": None,
        "step": None,
        "steps": None,
        "live_preview": None,
        "id_live_preview": id_live_preview,
        "textinfo": None,
    }
    if not active:
        answer["textinfo"] = "In queue…" if queued else ("" if completed else "Waiting…")
        return answer
    state = shared.state
    done = fraction()
    elapsed = time.time() - (state.time_start or time.time())
    answer["progress"] = done
    answer["eta"] = elapsed / done - elapsed if done > 0 else None
    answer["step"], answer["steps"] = state.sampling_step + 1, state.sampling_steps
    answer["textinfo"] = state.textinfo
    if live_preview and shared.opts.live_previews_enable and state.id_live_preview != id_live_preview:
        image = state.current_image
        if image is not None:
            from modules.gradio_extensions import png_bytes

            encoded = base64.b64encode(png_bytes(image)).decode("ascii")
            answer["live_preview"] = f"data:image/png;base64,{encoded}"
            answer["id_live_preview"] = state.id_live_preview
    return answer


def setup_progress_api(app) -> None:
    """Answer POST /internal/progress."""
    from fastapi import Body

    def progressapi(
        id_task: str = Body(embed=True), id_live_preview: int = Body(-1), live_preview: bool = Body(True)
    ):
        return progress_of(id_task, id_live_preview, live_preview)

    app.add_api_route("/internal/progress", progressapi, methods=["POST"])
