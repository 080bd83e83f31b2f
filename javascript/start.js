// Finds the panels' places on the page, gives each its panel, and passes on what the host tells.
(function (LoraStack) {
    "use strict";

    const panels = new Map(); // mount element → Panel
    const seen = new Map(); // tab → what its result area showed
    let loaded = null; // what stood in the host's field for the checkpoint

    /** Give every place a panel; safe to call as often as one likes. */
    LoraStack.mount = function () {
        for (const place of LoraStack.app().querySelectorAll(".lora-stack-mount")) {
            const fields = LoraStack.Panel.findFields(place); // gradio may draw them later than the place
            if (!panels.has(place) && fields) panels.set(place, new LoraStack.Panel(place, fields));
        }
        LoraStack.mountLibrary();
    };

    /** The panel of a tab, or null while there is none. */
    LoraStack.panelOf = function (tab) {
        return [...panels.values()].find((panel) => panel.tab === tab) ?? null;
    };

    /** Something was noted of a file, or it was hashed: rows with it are told anew. */
    LoraStack.fileChanged = function (file) {
        for (const panel of panels.values()) if (panel.holds(file)) panel.askAgain();
    };

    /** Called by gradio when the text box of a tab has a new value, whoever gave it. */
    LoraStack.changed = function (tab) {
        for (const panel of panels.values()) if (panel.tab === tab) panel.refresh();
    };

    /** What changes on the page when a picture is finished or failed: gallery, infotext, error line. */
    function resultOf(tab) {
        const part = (id) => LoraStack.app().querySelector(`#${id}_${tab}`)?.textContent ?? "";
        const pictures = [...LoraStack.app().querySelectorAll(`#${tab}_gallery img`)].map((image) => image.src);
        return JSON.stringify([part("html_info"), part("html_log"), pictures]);
    }

    /** Alt+L opens the picker of the tab in sight; where these keys write a letter of their own (¬, ł), not while one types. */
    function pressed(event) {
        const ours = event.code === "KeyL" && event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.getModifierState("AltGraph");
        const typing = event.key.toLowerCase() !== "l" && event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]");
        if (!ours || typing || LoraStack.app().querySelector("dialog[open]")) return;
        const panel = [...panels.values()].find(({ tab }) => LoraStack.app().querySelector(`#tab_${tab}`)?.getClientRects().length);
        if (!panel) return;
        event.preventDefault();
        panel.picker.browse();
    }

    /** The host's field for the checkpoint; what is chosen there is loaded some time later. */
    function checkpoint() {
        return LoraStack.app().querySelector("#setting_sd_model_checkpoint input")?.value ?? "";
    }

    function lookAround() {
        LoraStack.mount();
        const chosen = checkpoint();
        if (loaded !== null && loaded !== chosen) for (const panel of panels.values()) panel.checkpointChanged();
        loaded = chosen;
        for (const panel of panels.values()) {
            panel.refresh();
            const result = resultOf(panel.tab);
            // The first look may come after the first picture: the page is looked at once it is still for a moment.
            if (seen.get(panel.tab) !== result) panel.tell();
            seen.set(panel.tab, result);
        }
    }

    if (typeof globalThis.onUiLoaded === "function") {
        globalThis.onUiLoaded(() => {
            LoraStack.mount();
            document.addEventListener("keydown", pressed);
        });
        globalThis.onAfterUiUpdate(lookAround);
    }
})((globalThis.LoraStack = globalThis.LoraStack || {}));
