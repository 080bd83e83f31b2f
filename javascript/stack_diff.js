// What differs between two stacks, row by row. No page needed.
(function (LoraStack) {
    "use strict";

    function nameOf(entry) {
        return String(LoraStack.fieldOf(entry, "network"));
    }

    /**
     * How to come from the stack `from` to `to`: [{ kind: "added" | "removed" | "changed", name, fields }], rows matched
     * by their network in order; `fields` are [{ field, from, to }] of a changed row.
     */
    function diffStacks(from, to) {
        const left = [...from.entries];
        const steps = [];
        for (const entry of to.entries) {
            const index = left.findIndex((other) => nameOf(other) === nameOf(entry));
            if (index < 0) {
                steps.push({ kind: "added", name: nameOf(entry), fields: [] });
                continue;
            }
            const [before] = left.splice(index, 1);
            const fields = differing(before, entry);
            if (fields.length) steps.push({ kind: "changed", name: nameOf(entry), fields });
        }
        return [...steps, ...left.map((entry) => ({ kind: "removed", name: nameOf(entry), fields: [] }))];
    }

    function differing(before, after) {
        const names = new Set([...Object.keys(LoraStack.FIELDS), ...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
        const value = (entry, name) => JSON.stringify(LoraStack.fieldOf(entry, name) ?? null);
        // The hash comes of itself once the file has been read.
        return [...names].filter((name) => name !== "hash" && value(before, name) !== value(after, name))
            .map((field) => ({ field, from: LoraStack.fieldOf(before, field) ?? "–", to: LoraStack.fieldOf(after, field) ?? "–" }));
    }

    /** Names of the masks of the stack `to` that are other pictures in `from`, or are not there. */
    function otherMasks(from, to) {
        const here = LoraStack.masksOf(from);
        return Object.entries(LoraStack.masksOf(to)).filter(([name, picture]) => here[name] !== picture).map(([name]) => name);
    }

    Object.assign(LoraStack, { diffStacks, otherMasks });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
