// Keys of the panel as a whole: undo and redo, wherever the focus is in it.
(function (LoraStack) {
    "use strict";

    const OWN_UNDO = ".ls-text, .ls-search, textarea"; // fields in which the browser undoes the typing

    /** Ctrl+Z or Cmd+Z undoes, with Shift, or Ctrl+Y, redoes; returns "undo", "redo" or "". */
    function meaningOf(event) {
        if (!(event.ctrlKey || event.metaKey) || event.altKey) return "";
        const key = event.key.toLowerCase();
        if (key === "z") return event.shiftKey ? "redo" : "undo";
        return key === "y" && !event.shiftKey ? "redo" : "";
    }

    LoraStack.listenForKeys = function (panel, root) {
        root.addEventListener("keydown", (event) => {
            const meaning = meaningOf(event);
            if (!meaning || event.target.matches(OWN_UNDO)) return;
            event.preventDefault();
            event.stopPropagation();
            const { target } = event;
            target.blur(); // a number that is being typed shows what is undone to
            panel[meaning]();
            (target.isConnected ? target : panel.picker.input).focus();
        });
    };

    LoraStack.undoKey = meaningOf;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
