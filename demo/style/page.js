// The host's own small behaviours: switches in accordion titles, the shown picture, word chips, hints.
"use strict";

// --- accordions with a switch -------------------------------------------------------------------

function inputAccordionChecked(id, checked) {
  const accordion = gradioApp().getElementById(id);
  if (accordion?.visibleCheckbox) {
    accordion.visibleCheckbox.checked = checked;
    openInputAccordion(accordion, checked);
  }
}

function openInputAccordion(accordion, wanted) {
  const title = accordion.querySelector(".label-wrap");
  if (title && title.classList.contains("open") !== wanted) title.click();
}

function setupInputAccordion(accordion) {
  const title = accordion.querySelector(".label-wrap");
  const hidden = gradioApp().querySelector(`#${CSS.escape(accordion.id)}-checkbox input`);
  if (!title || !hidden || accordion.visibleCheckbox) return;
  const visible = document.createElement("input");
  visible.type = "checkbox";
  visible.id = `${accordion.id}-visible-checkbox`;
  visible.className = "input-accordion-checkbox";
  visible.checked = hidden.checked;
  visible.setAttribute("aria-label", title.querySelector("span")?.textContent ?? accordion.id);
  visible.addEventListener("click", (event) => event.stopPropagation());
  visible.addEventListener("keydown", (event) => event.stopPropagation());
  visible.addEventListener("change", () => {
    if (hidden.checked !== visible.checked) hidden.click();
    openInputAccordion(accordion, visible.checked);
  });
  accordion.visibleCheckbox = visible;
  title.prepend(visible);
  const extra = gradioApp().getElementById(`${accordion.id}-extra`);
  if (extra) title.append(extra);
}

// --- the shown picture --------------------------------------------------------------------------

function selectedGalleryIndex(tab) {
  const gallery = gradioApp().getElementById(`${tab}_gallery`);
  const buttons = [...(gallery?.querySelectorAll(".thumbnail-item.thumbnail-small") ?? [])];
  const index = buttons.findIndex((button) => button.classList.contains("selected"));
  return String(Math.max(index, 0));
}

function seedOfShownPicture(tab) {
  const text = gradioApp().querySelector(`#html_info_${tab}`)?.textContent ?? "";
  const found = text.match(/\bSeed: (\d+)/);
  return found ? Number(found[1]) : -1;
}

// Reload UI, as in the real host: nothing of the page is left, and the next one is loaded when it answers.
// The server may be away for less time than lies between two questions, so they ask which page it serves.
function restart_reload() {
  document.body.innerHTML = '<h1 class="reloading">Reloading…</h1>';
  const ask = async () => {
    const served = await servedPage();
    if (served !== undefined && served !== pageName) window.location.reload();
    else setTimeout(ask, 300);
  };
  setTimeout(ask, 300);
  return [];
}

async function servedPage() {
  try {
    const reply = await fetch("./internal/ping", { cache: "no-store" });
    return (await reply.json()).page;
  } catch {
    return undefined; // not there, or not whole yet
  }
}

(() => {
  const shown = {};

  function showInfoOfShownPicture() {
    for (const tab of ["txt2img", "img2img"]) {
      const index = selectedGalleryIndex(tab);
      if (shown[tab] !== undefined && shown[tab] !== index) {
        gradioApp().getElementById(`${tab}_generation_info_button`)?.click();
      }
      shown[tab] = index;
    }
  }

  onAfterUiUpdate(() => {
    for (const accordion of gradioApp().querySelectorAll(".input-accordion")) setupInputAccordion(accordion);
    for (const [id, text] of Object.entries(hints)) {
      const element = gradioApp().getElementById(id);
      if (element && !element.title) {
        element.title = text;
        element.setAttribute("aria-label", text);
      }
    }
    showInfoOfShownPicture();
  });

  // Choosing another picture only changes classes, which no observer above hears of.
  for (const kind of ["click", "keydown"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.closest?.("#txt2img_gallery, #img2img_gallery")) setTimeout(showInfoOfShownPicture, 200);
    });
  }

  // --- word chips -------------------------------------------------------------------------------

  function insertWord(tab, word) {
    const box = gradioApp().querySelector(`#${tab}_prompt textarea`);
    if (!box) return;
    const parts = box.value.split(",").map((part) => part.trim()).filter(Boolean);
    box.value = [...parts, word].join(", ");
    updateInput(box);
    box.focus();
  }

  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.(".word-chip");
    if (chip) insertWord(chip.closest(".word-chips").dataset.tab, chip.dataset.word);
  });

  // --- settings --------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#settings_submit")) return;
    setTimeout(async () => {
      const reply = await fetch("./sdapi/v1/options");
      if (!reply.ok) return;
      Object.assign(opts, await reply.json());
      executeCallbacks(optionsChangedCallbacks);
    }, 1000);
  });
})();
