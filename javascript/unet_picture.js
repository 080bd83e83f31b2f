// Where each block of the UNet stands in the picture of its strengths: a U, in on the left, out on the right. No page needed.
(function (LoraStack) {
    "use strict";

    const WIDTH = 480;
    const ROW = 32;
    const BAR = Object.freeze({ height: 26, widest: 216, narrower: 4 });

    /** Boxes { block, side, x, y, width, height, share }, the width they share and the height of it all; `share` is 0..1 of the strongest, null where unknown. */
    function placeBlocks(blocks) {
        const strongest = Math.max(...blocks.map(({ norm }) => (Number.isFinite(norm) ? norm : 0)), 0);
        const sides = { in: [], middle: [], out: [], words: [], other: [] };
        for (const known of blocks) {
            const { side, ...place } = blockPlace(known);
            sides[side].push({ ...known, ...place });
        }
        for (const side of Object.values(sides)) side.sort((a, b) => a.order - b.order);
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

    /** Where a block of the server's list stands, its number there, and what is written on it. */
    function blockPlace({ name, part }) {
        const [, kind = "", number = ""] = /^(down|up|input|output)_blocks_(\d+)/.exec(name) ?? [];
        if (part === "unet" && kind) return { side: kind === "down" || kind === "input" ? "in" : "out", order: Number(number), label: `${kind} ${number}` };
        if (part === "unet" && name.startsWith("mid")) return { side: "middle", order: 0, label: "mid" };
        const order = Number(/\d+$/.exec(name)?.[0] ?? 0);
        const words = part !== "unet" && part !== "other";
        return { side: words ? "words" : "other", order, label: words ? textLabel(name) : name.replaceAll("_", " ") };
    }

    /** A layer of a text encoder; of the second one it says so. */
    function textLabel(name) {
        const [, encoder = "", layer = null] = /^te(\d?)_.*?(\d+)$/.exec(name) ?? [];
        return layer === null ? name.replaceAll("_", " ") : `text${encoder} ${layer}`;
    }

    LoraStack.placeBlocks = placeBlocks;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
