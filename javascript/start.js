// Finds the panels' places on the page, gives each its panel, and passes on what the host tells.
(function (LoraStack) {
    "use strict";

    const panels = new Map(); // mount element → Panel
    const seen = new Map(); // tab → what its result area showed

    /** Give every place a panel; safe to call as often as one likes. */
    LoraStack.mount = function () {
        for (const place of LoraStack.app().querySelectorAll(".lora-stack-mount")) {
            const fields = LoraStack.Panel.findFields(place); // gradio may draw them later than the place
            if (!panels.has(place) && fields) panels.set(place, new LoraStack.Panel(place, fields));
        }
    };

    /** The panel of a tab, or null while there is none. */
    LoraStack.panelOf = function (tab) {
        return [...panels.values()].find((panel) => panel.tab === tab) ?? null;
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

    function lookAround() {
        LoraStack.mount();
        for (const panel of panels.values()) {
            panel.refresh();
            const result = resultOf(panel.tab);
            if (seen.has(panel.tab) && seen.get(panel.tab) !== result) panel.tell();
            seen.set(panel.tab, result);
        }
    }

    if (typeof globalThis.onUiLoaded === "function") {
        globalThis.onUiLoaded(LoraStack.mount);
        globalThis.onAfterUiUpdate(lookAround);
    }
})((globalThis.LoraStack = globalThis.LoraStack || {}));
