// Generate: a task's id, its progress bar, and the buttons that stop it.
"use strict";

(() => {
  const ASK_EVERY_MS = 250;

  function newTaskId() {
    const digits = crypto.getRandomValues(new Uint32Array(3));
    return `task(${[...digits].map((digit) => digit.toString(36)).join("")})`;
  }

  function showStopButtons(tab, shown) {
    for (const name of ["interrupt", "skip"]) {
      const button = gradioApp().getElementById(`${tab}_${name}`);
      if (button) button.style.display = shown ? "block" : "none";
    }
  }

  function time(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    return whole >= 60 ? `${Math.floor(whole / 60)}m ${whole % 60}s` : `${whole}s`;
  }

  function makeBar(tab) {
    const bar = document.createElement("div");
    bar.className = "progressDiv";
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    const fill = document.createElement("div");
    fill.className = "progress";
    const text = document.createElement("div");
    text.className = "progress-text";
    bar.append(fill, text);
    const preview = document.createElement("div");
    preview.className = "livePreview";
    const container = gradioApp().getElementById(`${tab}_gallery_container`);
    container.prepend(bar);
    container.append(preview);
    return {
      show(answer) {
        const part = answer.progress ?? 0;
        fill.style.width = `${part * 100}%`;
        bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
        const words = [];
        if (answer.step !== null && answer.steps) words.push(`step ${answer.step}/${answer.steps}`);
        if (part > 0) words.push(`${Math.round(part * 100)}%`);
        if (answer.eta !== null && answer.eta > 1) words.push(`ETA: ${time(answer.eta)}`);
        if (answer.textinfo) words.push(answer.textinfo);
        text.textContent = words.join(" · ");
        if (answer.live_preview) {
          const image = new Image();
          image.alt = "Preview";
          image.src = answer.live_preview;
          preview.replaceChildren(image);
        }
      },
      remove() {
        bar.remove();
        preview.remove();
      },
    };
  }

  async function watch(tab, id) {
    const bar = makeBar(tab);
    let previewId = -1;
    let wasSeen = false;
    try {
      for (;;) {
        const reply = await fetch("./internal/progress", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ id_task: id, id_live_preview: previewId, live_preview: true }),
        });
        if (!reply.ok) break;
        const answer = await reply.json();
        wasSeen = wasSeen || answer.active || answer.queued;
        if (answer.completed || (wasSeen && !answer.active && !answer.queued)) break;
        bar.show(answer);
        previewId = answer.id_live_preview;
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      }
    } catch (error) {
      console.warn("progress is not known:", error);
    }
    bar.remove();
    showStopButtons(tab, false);
  }

  // The first input carries the id of the task; the server answers under it.
  globalThis.submitTask = (tab, values) => {
    const id = newTaskId();
    showStopButtons(tab, true);
    watch(tab, id);
    return [id, ...values.slice(1)];
  };

  // An answer may come without the bar having seen the end (an error before the first step).
  onUiLoaded(() => {
    for (const tab of ["txt2img", "img2img"]) showStopButtons(tab, false);
  });
})();
