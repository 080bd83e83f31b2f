// Building elements. Data becomes text nodes and attributes only, never markup.
(function (LoraStack) {
    "use strict";

    const SVG = "http://www.w3.org/2000/svg";
    // Lines on a 16 × 16 grid, drawn for this extension.
    const ICONS = Object.freeze({
        plus: "M8 3v10M3 8h10",
        undo: "M6 3L3 6l3 3M3 6h6a4 4 0 0 1 0 8H6",
        redo: "M10 3l3 3-3 3M13 6H7a4 4 0 0 0 0 8h3",
        presets: "M4 2.5h8v11l-4-3-4 3z",
        take: "M3 2.5h10M8 5.5v8M5 10.5l3 3 3-3",
        give: "M3 2.5h10M8 13.5v-8M5 8.5l3-3 3 3",
        solo: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3",
        erase: "M2.5 10l6-6 4.5 4.5-4.5 4.5H5.5zM5.5 7l4.5 4.5",
        invert: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 2.5v11M8 5h3.5M8 8h5M8 11h3.5",
        load: "M2.5 12.5v-9h4l1.5 2h5.5v7z",
        share: "M8 2.5v8M5 7.5l3 3 3-3M3 13.5h10",
        refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6",
        copy: "M6 6h7v7H6zM3 10V3h7",
        duplicate: "M6 6h7v7H6zM3 10V3h7M9.5 8v3M8 9.5h3",
        paste: "M5 3.5H3.5v10h9v-10H11M6 2.5h4v2H6zM8 7v4M6 9l2 2 2-2",
        clear: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4",
        remove: "M4 4l8 8M12 4l-8 8",
        more: "M4 6l4 4 4-4",
        up: "M8 13V3M4 7l4-4 4 4",
        down: "M8 3v10M4 9l4 4 4-4",
        grip: "M6 3.5v.01M10 3.5v.01M6 8v.01M10 8v.01M6 12.5v.01M10 12.5v.01",
        warning: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.6v.01",
        done: "M3 8.5l3.2 3.2L13 5",
        search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4L14 14",
        cards: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
        list: "M2.5 4h.01M5.5 4h8M2.5 8h.01M5.5 8h8M2.5 12h.01M5.5 12h8",
        star: "M8 2l1.8 3.8 4.2.6-3 2.9.7 4.2L8 11.5l-3.7 2 .7-4.2-3-2.9 4.2-.6z",
        filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
        folder: "M2 4h4.5l1.5 1.5h6v7H2z",
        fold: "M6 4l4 4-4 4",
        open: "M9 3h4v4M13 3L8 8M11 9.5V13H3V5h3.5",
        compare: "M6.5 3H3v10h3.5M9.5 3H13v10H9.5M8 2v12",
        send: "M2.5 8h10M8.5 4l4 4-4 4",
        hash: "M6 2.5L5 13.5M11 2.5l-1 11M3 6h10.5M2.5 10H13",
        edit: "M3 13l.7-3L11 2.7 13.3 5 6 12.3z",
        back: "M13 8H3M7 4L3 8l4 4",
        recent: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3l2 1.5",
    });

    /**
     * Make an element: `make("button", { class: "x", onclick: f, "aria-label": "y" }, "text", child)`.
     * Functions become listeners, true and false become presence, null is left out.
     */
    function make(tag, attributes = {}, ...children) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (typeof value === "function") element.addEventListener(name.slice(2), value);
            else if (value === true) element.setAttribute(name, "");
            else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
        }
        element.append(...children.filter((child) => child !== null && child !== undefined));
        return element;
    }

    function icon(name) {
        const svg = document.createElementNS(SVG, "svg");
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("d", ICONS[name]);
        svg.setAttribute("viewBox", "0 0 16 16");
        svg.setAttribute("class", `ls-icon ls-icon-${name}`);
        svg.setAttribute("aria-hidden", "true");
        svg.append(path);
        return svg;
    }

    /** A button that shows an icon and tells its name to the mouse and the screen reader. */
    function iconButton(name, label, onclick, attributes = {}) {
        const shared = { type: "button", class: "ls-button ls-icon-button", title: label, "aria-label": label };
        return make("button", { ...shared, ...attributes, onclick }, icon(name));
    }

    /** Set text only where it differs, so that a screen reader does not hear it again. */
    function setText(element, text) {
        if (element.textContent !== text) element.textContent = text;
    }

    /** Give a button or group a new name for the mouse and the screen reader. */
    function setLabel(element, label) {
        if (element.title) element.title = label;
        element.setAttribute("aria-label", label);
    }

    function app() {
        return typeof globalThis.gradioApp === "function" ? globalThis.gradioApp() : document;
    }

    /** Tell gradio that a script changed a field, as the host's own helper does. */
    function announce(field) {
        for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
    }

    /** Text to the clipboard, also on pages that are not served over https. */
    async function copyText(text) {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch {
            const area = make("textarea", { class: "ls-offscreen", "aria-hidden": "true" });
            area.value = text;
            document.body.append(area);
            area.select();
            const copied = document.execCommand("copy");
            area.remove();
            return copied;
        }
    }

    Object.assign(LoraStack, { make, icon, iconButton, setText, setLabel, app, announce, copyText });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
