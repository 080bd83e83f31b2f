// Where the arrow keys lead in a grid of files. No page needed.
(function (LoraStack) {
    "use strict";

    /** The index that `key` leads to from `index` (-1: nowhere yet), or null where the key means something else. */
    LoraStack.gridKey = function (key, index, { count, columns, page }) {
        const steps = {
            ArrowRight: columns > 1 ? 1 : 0, ArrowLeft: columns > 1 ? -1 : 0, ArrowDown: columns, ArrowUp: -columns,
            PageDown: columns * page, PageUp: -columns * page, Home: -Infinity, End: Infinity,
        };
        if (!Object.hasOwn(steps, key) || steps[key] === 0 || count === 0) return null;
        if (index < 0) return key === "End" ? count - 1 : 0;
        const next = index + steps[key];
        if (next >= 0 && next < count) return next;
        if (key === "Home" || key === "ArrowLeft") return 0;
        if (key === "End" || key === "ArrowRight") return count - 1;
        if (key === "ArrowUp") return index; // already in the first row
        const lastRow = Math.floor((count - 1) / columns);
        if (key === "PageUp") return index % columns;
        if (key === "ArrowDown" && Math.floor(index / columns) === lastRow) return index;
        return Math.min(count - 1, lastRow * columns + (index % columns)); // a short last row: its end
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
