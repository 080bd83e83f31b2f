// In which passes a row acts, with which weights: the text and back. No page needed.
//
// lib_lora/stack/passes.py is what counts: `base,hires:0.5`, `hires:0.5/0.2` for UNet and text encoder, nothing for all.
(function (LoraStack) {
    "use strict";

    const PASSES = Object.freeze(["base", "hires", "refiner", "detailer"]);

    /** { base: { on, weight: text }, … }, or null where the text cannot be read. */
    function readPasses(text) {
        const items = text.replaceAll(";", ",").split(",").map((part) => part.trim()).filter(Boolean);
        const found = Object.fromEntries(PASSES.map((name) => [name, { on: items.length === 0, weight: "" }]));
        for (const item of items) {
            const [name, weight = "", ...more] = item.split(":").map((part) => part.trim());
            const known = found[name.toLowerCase()];
            if (!known || known.on || more.length) return null;
            Object.assign(known, { on: true, weight });
        }
        return found;
    }

    /** The text: nothing where all passes are on with the row's weight, null where none is on, which no text can say. */
    function writePasses(passes) {
        const on = PASSES.filter((name) => passes[name].on);
        if (on.length === 0) return null;
        if (on.length === PASSES.length && on.every((name) => !passes[name].weight)) return "";
        return on.map((name) => (passes[name].weight ? `${name}:${passes[name].weight}` : name)).join(",");
    }

    /** A typed weight of a pass, `0.5` or `0.5/0.2`: { weight: text } or { problem }. */
    function readPassWeight(typed) {
        if (!typed.trim()) return { weight: "" };
        const read = typed.split("/").map((part) => LoraStack.readWeight(part));
        const problem = read.length > 2 ? "not_number" : read.find((part) => part.problem)?.problem;
        return problem ? { problem } : { weight: read.map((part) => String(part.value)).join("/") };
    }

    Object.assign(LoraStack, { PASSES, readPasses, writePasses, readPassWeight });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
