// Where each block of the UNet stands in the picture of its strengths: a U, in on the left, out on the right. No page needed.
(function (LoraStack) {
    "use strict";

    const WIDTH = 480;
    const ROW = 24;
    const BAR = Object.freeze({ height: 20, widest: 200, narrower: 6 });

    /** Boxes { block, side, x, y, width, height, share } and the height of it all; `share` is 0..1 of the strongest, null where unknown. */
    function placeBlocks(blocks) {
        const strongest = Math.max(...blocks.map(({ norm }) => (Number.isFinite(norm) ? norm : 0)), 0);
        const sides = { in: [], middle: [], out: [], words: [], other: [] };
        for (const block of blocks) sides[sideOf(block)].push(block);
        const share = ({ norm }) => (Number.isFinite(norm) && strongest > 0 ? norm / strongest : null);
        const depth = Math.max(sides.in.length, sides.out.length);
        const boxes = [];
        const put = (block, side, row, level) => {
            const width = BAR.widest - BAR.narrower * level;
            const x = side === "out" ? WIDTH - width : 0;
            boxes.push({ block, side, x, y: row * ROW, width, height: BAR.height, share: share(block) });
        };
        sides.in.forEach((block, level) => put(block, "in", level, level));
        sides.out.forEach((block, level) => put(block, "out", depth - 1 - level, depth - 1 - level));
        sides.middle.forEach((block, index) => {
            const width = BAR.widest;
            boxes.push({ block, side: "middle", x: (WIDTH - width) / 2, y: (depth + index) * ROW, width, height: BAR.height, share: share(block) });
        });
        const below = depth + sides.middle.length + (sides.words.length || sides.other.length ? 0.5 : 0);
        [...sides.words, ...sides.other].forEach((block, index) => {
            boxes.push({ block, side: "words", x: index % 2 ? WIDTH - BAR.widest : 0, y: (below + Math.floor(index / 2)) * ROW, width: BAR.widest, height: BAR.height, share: share(block) });
        });
        return { boxes, width: WIDTH, height: Math.max(0, ...boxes.map((box) => box.y + box.height)) };
    }

    function sideOf({ part, label }) {
        if (part && part !== "unet") return "words";
        const name = String(label ?? "").toUpperCase();
        if (name.startsWith("IN")) return "in";
        if (name.startsWith("OUT")) return "out";
        return name.startsWith("M") ? "middle" : "other";
    }

    LoraStack.placeBlocks = placeBlocks;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
