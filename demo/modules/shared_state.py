"""What the host is doing now: the page's progress bar and the API read it, Interrupt and Skip write it."""

from __future__ import annotations

import datetime
import threading
import time

from modules import errors


class State:
    """One job at a time; a job has `job_count` parts of `sampling_steps` steps."""

    def __init__(self) -> None:
        self.skipped = False
        self.interrupted = False
        self.stopping_generation = False
        self.job = ""
        self.job_no = 0
        self.job_count = 0
        self.processing_has_refined_job_count = False
        self.job_timestamp = "0"
        self.sampling_step = 0
        self.sampling_steps = 0
        self.current_latent = None
        self.current_image = None
        self.current_image_sampling_step = 0
        self.id_live_preview = 0
        self.textinfo: str | None = None
        self.time_start: float | None = None
        self.server_start = time.time()
        self.restart_wanted = threading.Event()

    def skip(self) -> None:
        """Stop the running picture, go on with the next."""
        self.skipped = True

    def interrupt(self) -> None:
        """Stop the running job."""
        self.interrupted = True

    def stop_generating(self) -> None:
        """Finish the running picture, then stop."""
        self.stopping_generation = True

    def request_restart(self) -> None:
        """Reload UI: the page and all scripts are made anew."""
        self.interrupt()
        self.restart_wanted.set()

    def nextjob(self) -> None:
        """One part of the job is done."""
        self.job_no += 1
        self.sampling_step = 0
        self.current_image_sampling_step = 0

    def begin(self, job: str = "(unknown)") -> None:
        """Start a job."""
        self.sampling_step = self.sampling_steps = 0
        self.job_count = -1
        self.processing_has_refined_job_count = False
        self.job_no = 0
        self.job_timestamp = datetime.datetime.now().strftime("%Y%m%d%H%M%S")
        self.current_latent = None
        self.current_image = None
        self.current_image_sampling_step = 0
        self.id_live_preview = 0
        self.skipped = self.interrupted = self.stopping_generation = False
        self.textinfo = None
        self.job = job
        self.time_start = time.time()

    def end(self) -> None:
        """The job is over, whatever its end."""
        self.job = ""
        self.job_count = 0

    def dict(self) -> dict[str, object]:
        """The fields the API shows."""
        return {
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "stopping_generation": self.stopping_generation,
            "job": self.job,
            "job_count": self.job_count,
            "job_timestamp": self.job_timestamp,
            "job_no": self.job_no,
            "sampling_step": self.sampling_step,
            "sampling_steps": self.sampling_steps,
        }

    def set_current_image(self) -> None:
        """Make a preview when a page waits for this task and enough steps have passed since the last one."""
        from modules import progress, shared

        every = shared.opts.show_progress_every_n_steps
        if progress.current_task is None or not shared.opts.live_previews_enable or every <= 0:
            return
        if self.sampling_step - self.current_image_sampling_step >= every:
            self.do_set_current_image()

    def do_set_current_image(self) -> None:
        """Decode the latent of this moment for the page."""
        if self.current_latent is None:
            return
        from modules import sd_samplers_common

        try:
            self.current_image = sd_samplers_common.samples_to_image_grid(self.current_latent)
            self.current_image_sampling_step = self.sampling_step
            self.id_live_preview += 1
        except RuntimeError:
            errors.record_exception()
