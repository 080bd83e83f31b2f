// Block weights as numbers, one for each block of the UNet, and back to the row's text. No page needed.
//
// `known` is what the server tells: { layouts: { sd1: [names], sdxl: [names] }, presets: [{ name, doc, sd1: [numbers], sdxl: [numbers] }] }.
// The user's own presets are `own`, say which kinds they fit, and have no numbers where they are not one for each block drawn.
(function (LoraStack) {
    "use strict";

    /** The blocks to draw for a file of this architecture. */
    function blockKind(architecture) {
        return /^sdxl/.test(architecture ?? "") ? "sdxl" : "sd1";
    }

    /** What a row's text says: { preset, numbers, rules }. Numbers are null where the text has no number for each block drawn. */
    function readBlocks(text, known, kind) {
        const [first, ...rules] = text.split(";").map((part) => part.trim());
        const rest = rules.filter(Boolean);
        if (first.includes(":")) return { preset: "ALL", numbers: presetNumbers("ALL", known, kind), rules: [first, ...rest] };
        if (!first.includes(",")) {
            const name = (first || "ALL").toUpperCase();
            return { preset: presetOf(name, known, kind) ? name : "", numbers: presetNumbers(name, known, kind), rules: rest };
        }
        const numbers = first.split(",").map((part) => (part.trim() ? Number(part) : NaN));
        const drawn = numbers.length === known.layouts[kind].length && numbers.every(Number.isFinite);
        return { preset: "", numbers: drawn ? numbers : null, rules: rest };
    }

    /** A preset that this kind of model can use. */
    function presetOf(name, known, kind) {
        return known.presets.find((preset) => preset.name === name && (!preset.own || preset.fits.includes(kind)));
    }

    function presetNumbers(name, known, kind) {
        return presetOf(name, known, kind)?.[kind] ?? null;
    }

    /** The row's text for these numbers: a preset's name where they are its own, nothing where they are all 1. */
    function writeBlocks({ numbers, rules }, known, kind) {
        const same = (preset) => Boolean(preset[kind]?.every((number, index) => number === numbers[index]));
        const first = known.presets.find(same)?.name ?? numbers.map((number) => LoraStack.writeNumber(LoraStack.round(number))).join(",");
        if (rules.length) return [first, ...rules].join(";");
        return first === "ALL" ? "" : first;
    }

    Object.assign(LoraStack, { blockKind, readBlocks, writeBlocks });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
