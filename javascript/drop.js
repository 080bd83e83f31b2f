// A picture or a file dropped on the panel: its stack is read from it.
(function (LoraStack) {
    "use strict";

    /** Files, pictures and text; text that is dropped into a field of the panel is the field's. */
    function carries(event) {
        const types = [...(event.dataTransfer?.types ?? [])];
        if (types.includes("Files")) return true;
        return !event.target.closest("input, textarea") && (types.includes("text/uri-list") || types.includes("text/plain"));
    }

    /** What was dropped, as a stack: a file, a picture of this page, or text. */
    async function readDrop(api, transfer) {
        const [file] = transfer.files;
        if (file) return LoraStack.readFile(api, file);
        const address = transfer.getData("text/uri-list").split("\n").find((line) => line && !line.startsWith("#"));
        if (address && new URL(address, location.href).origin === location.origin) {
            return LoraStack.readPicture(api, await (await fetch(address, { credentials: "same-origin" })).blob());
        }
        return LoraStack.readText(api, transfer.getData("text/plain"));
    }

    LoraStack.listenForDrops = function (panel, root) {
        const mark = (on) => root.classList.toggle("ls-dropping", on);
        root.addEventListener("dragover", (event) => {
            if (!carries(event)) return;
            event.preventDefault();
            mark(true);
        });
        root.addEventListener("dragleave", (event) => {
            if (!root.contains(event.relatedTarget)) mark(false);
        });
        root.addEventListener("drop", (event) => {
            if (!carries(event)) return;
            event.preventDefault();
            event.stopPropagation();
            mark(false);
            panel.tools.take(readDrop(panel.api, event.dataTransfer));
        });
    };

    /** Files mean nothing there; without this the browser would leave the page for them, and with it what was typed. */
    LoraStack.refuseDrops = function (root) {
        for (const type of ["dragover", "drop"]) {
            root.addEventListener(type, (event) => {
                if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
                event.preventDefault();
                event.stopPropagation();
                event.dataTransfer.dropEffect = "none";
            });
        }
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
