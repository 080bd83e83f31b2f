// The stack text and back: the same canonical JSON as lib_lora/stack/serialization.py. No page needed.
//
// Rows stay the plain objects that the text held. What this version does not know, or cannot use, is never
// touched: it is written back as it came, and the server says what is wrong with it.
(function (LoraStack) {
    "use strict";

    const VERSION = 1;
    // Order and defaults of the field table in lib_lora/stack/entry.py.
    const FIELDS = Object.freeze({
        network: "",
        hash: "",
        weight: 1,
        te: null,
        unet: null,
        on: true,
        role: "",
        schedule: "",
        te_schedule: "",
        start: "",
        stop: "",
        blocks: "",
        region: "",
        feather: 0,
        passes: "",
        side: "",
    });

    /** The text is not a stack; `message` says why, in the user's language. */
    class StackTextError extends Error {}

    /** Read a stack text; empty text is the empty stack. */
    function readStack(text) {
        if (!text.trim()) return { version: VERSION, entries: [], extra: {} };
        let document;
        try {
            document = JSON.parse(text.replace(/^\ufeff/, ""));
        } catch (error) {
            throw new StackTextError(LoraStack.text("text.not_json", { reason: error.message }));
        }
        if (Array.isArray(document)) return { version: VERSION, entries: document, extra: {} };
        if (document === null || typeof document !== "object") {
            throw new StackTextError(LoraStack.text("text.not_object"));
        }
        const { version = VERSION, entries, ...extra } = document;
        if (version !== VERSION) {
            const shown = JSON.stringify(version);
            throw new StackTextError(LoraStack.text("text.version", { version: shown, known: VERSION }));
        }
        if (!Array.isArray(entries)) throw new StackTextError(LoraStack.text("text.no_entries"));
        return { version, entries, extra };
    }

    /** Write a stack as Python's `encode` does: one line, fields in the table's order, defaults left out. */
    function writeStack({ version, entries, extra }) {
        const { masks, ...rest } = extra;
        const named = masks === null || (isEntry(masks) && Object.keys(masks).length === 0) ? undefined : masks;
        const pairs = [["version", version], ["entries", new Raw(`[${entries.map(writeEntry).join(",")}]`)], ["masks", named], ...Object.entries(rest)];
        return write(pairs.filter(([, value]) => value !== undefined));
    }

    /** The masks of a stack or model: names, and for each the digits of a picture. */
    function masksOf({ extra }) {
        return isEntry(extra.masks) ? extra.masks : {};
    }

    /** A field of a row, or its default. */
    function fieldOf(entry, name) {
        return isEntry(entry) && Object.hasOwn(entry, name) ? entry[name] : FIELDS[name];
    }

    /** A row with one field changed; a default, or undefined, takes it out. */
    function withField(entry, name, value) {
        const kept = Object.entries(entry).filter(([key]) => key !== name);
        return Object.fromEntries(value === FIELDS[name] || value === undefined ? kept : [...kept, [name, value]]);
    }

    function isEntry(value) {
        return value !== null && typeof value === "object" && !Array.isArray(value);
    }

    /** Fields of a row that are set and have no control in the panel: they are kept and named. */
    function otherFields(entry) {
        const shown = ["network", "hash", "weight", "te", "unet", "on", "role", "schedule", "te_schedule", "start", "stop", "blocks", "region", "feather", "passes", "side"];
        return Object.keys(entry).filter((name) => !shown.includes(name) && entry[name] !== FIELDS[name]);
    }

    /** Text that is already JSON. */
    class Raw {
        constructor(text) {
            this.text = text;
        }
    }

    function writeEntry(entry) {
        if (!isEntry(entry)) return writeValue(entry);
        const known = Object.keys(FIELDS)
            .filter((name) => name === "network" || fieldOf(entry, name) !== FIELDS[name])
            .map((name) => [name, canonical(fieldOf(entry, name))]);
        return write([...known, ...Object.entries(entry).filter(([name]) => !Object.hasOwn(FIELDS, name))]);
    }

    function canonical(value) {
        return LoraStack.isWeight(value) ? LoraStack.round(value) : value;
    }

    function write(pairs) {
        return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${writeValue(value)}`).join(",")}}`;
    }

    function writeValue(value) {
        if (value instanceof Raw) return value.text;
        if (typeof value === "number") return LoraStack.writeNumber(value);
        if (Array.isArray(value)) return `[${value.map(writeValue).join(",")}]`;
        return isEntry(value) ? write(Object.entries(value)) : JSON.stringify(value);
    }

    Object.assign(LoraStack, { FIELDS, StackTextError, readStack, writeStack, fieldOf, withField, isEntry, otherFields, masksOf });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
