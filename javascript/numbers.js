// Weights as people type them and as the stack text holds them. No page needed.
(function (LoraStack) {
    "use strict";

    const LIMIT = 100; // the same as WEIGHT_LIMIT in lib_lora/stack/entry.py
    const DECIMALS = 6; // the same as DECIMALS there
    const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i;

    /** Whether a value from the stack text is a weight the server accepts. */
    function isWeight(value) {
        return typeof value === "number" && Math.abs(value) <= LIMIT;
    }

    /**
     * Read a typed weight: `0.8`, `.8`, `0,8`, `-1`, `1e-2`.
     * @returns {{value: number} | {problem: "not_number" | "too_big"}}
     */
    function readWeight(typed) {
        const text = typed.trim().replace("\u2212", "-");
        if (!NUMBER.test(text)) return { problem: /^[+-]?inf(inity)?$/i.test(text) ? "too_big" : "not_number" };
        const value = Number(text.replace(",", "."));
        return isWeight(value) ? { value: round(value) } : { problem: "too_big" };
    }

    /** Without the noise of binary fractions: 0.30000000000000004 is 0.3, -0 is 0. */
    function round(value) {
        return Number(value.toFixed(DECIMALS)) + 0;
    }

    /** A weight for reading: always two decimals, more where they matter. */
    function showWeight(value) {
        const exact = String(round(value));
        return /\.\d{2,}$/.test(exact) || exact.includes("e") ? exact : value.toFixed(2);
    }

    /** A number of the stack text, spelt as Python spells it: small ones are 1e-05 there and 0.00001 here. */
    function writeNumber(value) {
        if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be written into a stack`);
        const size = Math.abs(value);
        if (size === 0 || size >= 1e-4) return JSON.stringify(value);
        return value.toExponential().replace(/e-(\d)$/, "e-0$1");
    }

    Object.assign(LoraStack, { WEIGHT_LIMIT: LIMIT, isWeight, readWeight, round, showWeight, writeNumber });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
