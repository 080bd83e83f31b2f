// Which of ten thousand files are drawn: columns, heights, the part in sight. Numbers only; no page needed.
(function (LoraStack) {
    "use strict";

    const MOST = 200; // elements drawn at once, whatever the screen
    const SPARE = 1; // rows drawn beyond each edge, so that a slow wheel shows no gap
    const GAP = 12;
    const CARDS = Object.freeze({ least: 148, most: 232, share: 8.5, text: 56, shape: 1.2 }); // pixels wide at least, on a large screen; pixels of text below, height of the picture by its width
    const LIST = Object.freeze({ height: 52 });

    /** Columns, sizes in pixels and the height of it all, for `count` files in a space of that size. */
    function layOut({ mode, width, height, count }) {
        if (mode === "list") return finish({ columns: 1, cell: width, row: LIST.height, gap: 0 }, count);
        let found;
        const least = Math.min(CARDS.most, Math.max(CARDS.least, width / CARDS.share)); // a large screen shows larger ones, not only more
        let columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
        do {
            const cell = (width - GAP * (columns - 1)) / columns;
            found = { columns, cell, row: Math.round(cell * CARDS.shape) + CARDS.text + GAP, gap: GAP };
            columns -= 1; // fewer and larger cards where the screen would hold too many
        } while (columns > 1 && found.columns * (Math.ceil(height / found.row) + 1 + 2 * SPARE) > MOST);
        return finish(found, count);
    }

    function finish(layout, count) {
        const rows = Math.ceil(count / layout.columns);
        return { ...layout, count, rows, total: Math.max(0, rows * layout.row - layout.gap) };
    }

    /** The files to draw, from `first` to before `last`, for a space scrolled that far. */
    function inSight(layout, top, height) {
        const row = Math.floor(Math.max(0, top) / layout.row);
        const seen = Math.ceil(Math.max(0, height) / layout.row) + 1;
        const first = Math.max(0, row - SPARE) * layout.columns;
        const last = Math.min(layout.count, (row + seen + SPARE) * layout.columns, first + MOST);
        return { first: Math.min(first, last), last };
    }

    /** Where a file is drawn, in pixels from the start. */
    function placeOf(layout, index) {
        const column = index % layout.columns;
        return { x: column * (layout.cell + layout.gap), y: Math.floor(index / layout.columns) * layout.row };
    }

    /** How far to scroll so that a file is in sight, moving no more than needed. */
    function scrollTo(layout, index, top, height) {
        const { y } = placeOf(layout, index);
        const bottom = y + layout.row - layout.gap;
        if (y < top) return y;
        return bottom > top + height ? Math.max(0, bottom - height) : top;
    }

    Object.assign(LoraStack, { MOST_CARDS: MOST, layOut, inSight, placeOf, scrollTo });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
