// Moving a row by its handle, with mouse, pen or finger.
(function (LoraStack) {
    "use strict";

    const EDGE = 40; // pixels from the window's edge where the page begins to scroll
    const SPEED = 12; // pixels a frame

    /** Where among `rows` a pointer at height `y` would put a row: before which index. */
    function gapAt(rows, y) {
        const index = rows.findIndex((row) => {
            const box = row.root.getBoundingClientRect();
            return y < box.top + box.height / 2;
        });
        return index < 0 ? rows.length : index;
    }

    /** Follow the pointer from the press on the handle until it is let go; Escape or a lost pointer changes nothing. */
    LoraStack.startDrag = function (panel, row, press) {
        if (press.button !== 0) return;
        press.preventDefault();
        row.handle.focus();
        row.handle.setPointerCapture(press.pointerId);
        row.root.classList.add("ls-dragged");
        let y = press.clientY;
        let frame = 0;
        let moved = false;

        const rows = () => panel.rows;
        const draw = () => {
            if (y < EDGE) window.scrollBy(0, -SPEED);
            else if (y > window.innerHeight - EDGE) window.scrollBy(0, SPEED);
            const gap = gapAt(rows(), y);
            rows().forEach((other, index) => {
                other.root.classList.toggle("ls-drop-before", index === gap);
                other.root.classList.toggle("ls-drop-after", index === rows().length - 1 && gap === rows().length);
            });
            frame = requestAnimationFrame(draw);
        };
        const follow = (event) => {
            y = event.clientY;
            if (!moved && Math.abs(y - press.clientY) > 4) {
                moved = true;
                draw();
            }
        };
        const finish = (drop) => {
            cancelAnimationFrame(frame);
            stop.abort();
            const gap = gapAt(rows(), y);
            for (const other of rows()) other.root.classList.remove("ls-dragged", "ls-drop-before", "ls-drop-after");
            if (drop && moved) panel.move(row.id, gap > row.index ? gap - 1 : gap);
        };
        const stop = new AbortController();
        const listen = (type, handler, target = row.handle) => target.addEventListener(type, handler, { signal: stop.signal });
        listen("pointermove", follow);
        listen("pointerup", () => finish(true));
        listen("pointercancel", () => finish(false));
        listen("keydown", (event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation(); // the host would interrupt the picture that is being made
            finish(false);
        });
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
