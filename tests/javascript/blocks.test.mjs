// Block weights: what the small sliders show and what they write.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const ones = (count, from, to) => Array.from({ length: count }, (_, index) => Number(index >= from && index < to));
const KNOWN = {
    layouts: { sd1: ones(17, 0, 17).map(String), sdxl: ones(12, 0, 12).map(String) },
    presets: [
        { name: "ALL", sd1: ones(17, 0, 17), sdxl: ones(12, 0, 12) },
        { name: "OUTS", sd1: ones(17, 12, 17), sdxl: ones(12, 9, 12) },
    ],
};

test("an empty text acts everywhere", () => {
    assert.deepEqual(LoraStack.readBlocks("", KNOWN, "sd1"), { preset: "ALL", numbers: ones(17, 0, 17), rules: [] });
});

test("a preset is found whatever its letters, and has its own numbers for SDXL", () => {
    assert.deepEqual(LoraStack.readBlocks("outs", KNOWN, "sd1").numbers, ones(17, 12, 17));
    assert.deepEqual(LoraStack.readBlocks("OUTS", KNOWN, "sdxl").numbers, ones(12, 9, 12));
    assert.deepEqual(LoraStack.readBlocks("OUTX", KNOWN, "sd1"), { preset: "", numbers: null, rules: [] });
});

test("numbers are drawn when there is one for each block", () => {
    assert.deepEqual(LoraStack.readBlocks("0.5,".repeat(16) + "1", KNOWN, "sd1").numbers, [...Array(16).fill(0.5), 1]);
    for (const text of ["1,2,3", "1,".repeat(16), "a,".repeat(16) + "1"]) assert.equal(LoraStack.readBlocks(text, KNOWN, "sd1").numbers, null, text);
});

test("rules are kept while the numbers change", () => {
    const read = LoraStack.readBlocks("OUTS; IN05:attn:0", KNOWN, "sd1");
    assert.deepEqual(read.rules, ["IN05:attn:0"]);
    const numbers = read.numbers.map((number, index) => (index === 0 ? 0.25 : number));
    assert.equal(LoraStack.writeBlocks({ ...read, numbers }, KNOWN, "sd1"), `0.25,${ones(17, 12, 17).slice(1).join(",")};IN05:attn:0`);
    assert.deepEqual(LoraStack.readBlocks("IN05:attn:0", KNOWN, "sd1").rules, ["IN05:attn:0"]);
});

test("the user's own presets are for the kinds they fit, drawn where they have a number for each block", () => {
    const face = { name: "FACE", own: true, problem: "", fits: ["sd1"], sd1: ones(17, 3, 5), sdxl: null };
    const hands = { name: "HANDS", own: true, problem: "", fits: ["sd1", "sdxl"], sd1: null, sdxl: null };
    const known = { ...KNOWN, presets: [...KNOWN.presets, face, hands] };
    assert.deepEqual(LoraStack.readBlocks("face", known, "sd1"), { preset: "FACE", numbers: ones(17, 3, 5), rules: [] });
    assert.deepEqual(LoraStack.readBlocks("FACE", known, "sdxl"), { preset: "", numbers: null, rules: [] });
    assert.deepEqual(LoraStack.readBlocks("HANDS", known, "sdxl"), { preset: "HANDS", numbers: null, rules: [] });
    assert.equal(LoraStack.writeBlocks({ numbers: ones(17, 3, 5), rules: [] }, known, "sd1"), "FACE");
});

test("numbers of a preset are written as its name, all ones as nothing", () => {
    assert.equal(LoraStack.writeBlocks({ numbers: ones(17, 12, 17), rules: [] }, KNOWN, "sd1"), "OUTS");
    assert.equal(LoraStack.writeBlocks({ numbers: ones(17, 0, 17), rules: [] }, KNOWN, "sd1"), "");
    assert.equal(LoraStack.writeBlocks({ numbers: ones(17, 0, 17), rules: ["M00::0"] }, KNOWN, "sd1"), "ALL;M00::0");
});

test("files of SDXL have the blocks of SDXL", () => {
    assert.deepEqual(["sdxl", "sd1", "sd2", undefined].map(LoraStack.blockKind), ["sdxl", "sd1", "sd1", "sd1"]);
});
