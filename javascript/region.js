// Regions of a row as values: what the text says, what a drag makes of a rectangle. No page needed.
//
// lib_lora/stack/region.py is what counts; here a text that cannot be read is left as it is and the server tells why.
(function (LoraStack) {
    "use strict";

    const LEAST = 0.02; // a rectangle's smallest side, as part of the picture: smaller ones cannot be grabbed
    const DECIMALS = 3; // finer than a pixel of a usual picture
    const FEATHER_LIMIT = 0.5; // the same as FEATHER_LIMIT there
    const WHOLE = Object.freeze({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 });

    /** { kind: "" | "inpaint" | "box" | "mask" | "not" | "other", box, name, row } */
    function readRegion(text) {
        const [, word, rest] = /^\s*(\w*)\s*:?\s*(.*?)\s*$/s.exec(text);
        const kind = word.toLowerCase();
        if (!text.trim()) return { kind: "" };
        if (kind === "inpaint" && !rest) return { kind };
        if (kind === "not" && /^\d+$/.test(rest)) return { kind, row: Number(rest) };
        if (kind === "mask" && rest) return { kind, name: rest };
        if (kind === "box") {
            const [x, y, width, height, ...more] = rest.split(",").map((part) => (part.trim() ? Number(part) : NaN));
            const inside = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1.00001 && y + height <= 1.00001;
            if (inside && more.length === 0) return { kind, box: { x, y, width, height } };
        }
        return { kind: "other" };
    }

    function writeRegion(region) {
        const texts = {
            box: () => {
                const { x, y, width, height } = region.box;
                const [left, top] = [plain(x), plain(y)]; // rounded up, with sizes rounded up they would leave the picture
                return `box:${[left, top, plain(Math.min(width, 1 - Number(left))), plain(Math.min(height, 1 - Number(top)))].join(",")}`;
            },
            mask: () => `mask:${region.name}`,
            not: () => `not:${region.row}`,
        };
        return texts[region.kind]?.() ?? region.kind;
    }

    function plain(number) {
        return String(Number(number.toFixed(DECIMALS)));
    }

    /**
     * The rectangle after its `handle` moved by (dx, dy), all in parts of the picture. A handle is "move" or some of
     * the letters n, e, s, w. It never leaves the picture nor becomes too small to grab.
     */
    function dragBox(box, handle, dx, dy) {
        const [left, right] = dragSides(box.x, box.x + box.width, dx, handle, "w", "e");
        const [top, bottom] = dragSides(box.y, box.y + box.height, dy, handle, "n", "s");
        return { x: left, y: top, width: right - left, height: bottom - top };
    }

    function dragSides(low, high, by, handle, lower, upper) {
        if (handle === "move") {
            const moved = Math.max(-low, Math.min(1 - high, by));
            return [low + moved, high + moved];
        }
        if (handle.includes(lower)) return [Math.max(0, Math.min(high - LEAST, low + by)), high];
        if (handle.includes(upper)) return [low, Math.min(1, Math.max(low + LEAST, high + by))];
        return [low, high];
    }

    /** A rectangle drawn from one corner to the other, in either direction. */
    function boxBetween(from, to) {
        const clamp = (value) => Math.max(0, Math.min(1, value));
        const [x, y] = [Math.min(clamp(from.x), 1 - LEAST, clamp(to.x)), Math.min(clamp(from.y), 1 - LEAST, clamp(to.y))];
        return { x, y, width: Math.max(LEAST, Math.abs(clamp(to.x) - clamp(from.x))), height: Math.max(LEAST, Math.abs(clamp(to.y) - clamp(from.y))) };
    }

    /** `not:<row>` of every row, pointing at the same rows after some have moved; one whose row is gone says `not:0`. */
    function renumbered(before, after) {
        const places = new Map(after.map((row, index) => [row.id, index + 1]));
        return after.map((row) => {
            if (!LoraStack.isEntry(row.entry)) return row;
            const region = readRegion(String(LoraStack.fieldOf(row.entry, "region")));
            if (region.kind !== "not") return row;
            const target = before[region.row - 1];
            const place = target ? places.get(target.id) ?? 0 : region.row;
            return place === region.row ? row : { ...row, entry: LoraStack.withField(row.entry, "region", `not:${place}`) };
        });
    }

    Object.assign(LoraStack, { FIRST_BOX: WHOLE, FEATHER_LIMIT, readRegion, writeRegion, dragBox, boxBetween, renumbered });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
