import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const TYPED = { "0.8": 0.8, ".8": 0.8, "0,8": 0.8, " 1 ": 1, "+1": 1, "-0.5": -0.5, "\u22120.5": -0.5, "1.": 1, "1e-2": 0.01, "-0": 0, "100": 100, "0.30000000000000004": 0.3 };
for (const [text, value] of Object.entries(TYPED)) {
    test(`typed weight "${text}"`, () => assert.deepEqual(LoraStack.readWeight(text), { value }));
}

const REFUSED = { "abc": "not_number", "": "not_number", " ": "not_number", "NaN": "not_number", "0x10": "not_number", "1 2": "not_number", "1.2.3": "not_number", ".": "not_number", "--1": "not_number", "1e9": "too_big", "100.5": "too_big", "-101": "too_big", "1e999": "too_big", "Infinity": "too_big", "-inf": "too_big" };
for (const [text, problem] of Object.entries(REFUSED)) {
    test(`refused weight "${text}"`, () => assert.deepEqual(LoraStack.readWeight(text), { problem }));
}

test("weights are shown with two decimals, or more where they matter", () => {
    const shown = [1, 0.8, 0.75, 0.123, -1, 0, 12, 0.00001].map(LoraStack.showWeight);
    assert.deepEqual(shown, ["1.00", "0.80", "0.75", "0.123", "-1.00", "0.00", "12.00", "0.00001"]);
});

const STYLE = { name: "style", low: 0.4, high: 0.5, slider_max: 2 };
test("a weight is judged by its role", () => {
    assert.deepEqual([0.39, 0.4, 0.5, 0.51].map((weight) => LoraStack.judge(STYLE, weight)), ["below", "usual", "usual", "above"]);
    assert.equal(LoraStack.judge(null, 40), "usual");
    assert.equal(LoraStack.findRole([STYLE], "style"), STYLE);
    assert.equal(LoraStack.findRole([STYLE], ""), null);
});

test("places on the slider stay on it", () => {
    assert.deepEqual([-5, -1, 0.5, 2, 9].map((weight) => LoraStack.place(weight, -1, 2)), [0, 0, 0.5, 1, 1]);
    assert.equal(LoraStack.sliderHigh({ slider_max: 1 }), 2);
    assert.equal(LoraStack.sliderHigh({ slider_max: 8 }), 8);
    assert.equal(LoraStack.sliderHigh(null), 2);
});

const WORD = [
    ["", "hat", "hat", ""],
    ["a girl", "hat", "a girl, hat", "a girl"],
    ["a girl, ", "hat", "a girl, hat", "a girl"],
    ["a girl\n", "red hat", "a girl, red hat", "a girl"],
    ["a girl", "saber (fate)", "a girl, saber \\(fate\\)", "a girl"],
    ["", "saber_(fate)", "saber_\\(fate\\)", ""],
    ["a", "saber \\(fate\\)", "a, saber \\(fate\\)", "a"],
    ["a", "saber (fate) (red)", "a, saber \\(fate\\) \\(red\\)", "a"],
    ["a", "(hat:1.2)", "a, (hat:1.2)", "a"],
    ["a", "hat, (red hat)", "a, hat, (red hat)", "a"],
];
for (const [prompt, word, added, removed] of WORD) {
    test(`put "${word}" into "${prompt.trim()}" and take it out`, () => {
        assert.equal(LoraStack.addWord(prompt, word), added);
        assert.equal(LoraStack.addWord(added, word), added, "once is enough");
        assert.equal(LoraStack.removeWord(added, word), removed);
    });
}

const TAKEN_OUT = { "hat, a": "a", "a, hat, b": "a, b", "a, hat": "a", "a, (hat:1.2), b": "a, b", "((hat)), b": "b", "a, (hat, b:1.2)": "a, (b:1.2)", "(a, hat:1.2)": "(a:1.2)", "a, HAT": "a", "a,\nhat, b": "a,\nb", "chatter, that": "chatter, that", "hats": "hats", "a, hat <lora:x:1>": "a <lora:x:1>", "hat <lora:x:1>": "<lora:x:1>", "<lora:x:1> hat, a": "<lora:x:1> a", "<lora:x:1>hat": "<lora:x:1>", "[a|hat|b]": "[a|b]", "[hat|b]": "[b]", "<lora:hat:1>": "<lora:hat:1>" };
for (const [prompt, left] of Object.entries(TAKEN_OUT)) {
    test(`take "hat" out of "${prompt}"`, () => assert.equal(LoraStack.removeWord(prompt, "hat"), left));
}

test("words with signs of regular expressions are only words", () => {
    assert.equal(LoraStack.hasWord("a, x.y (z)", "x.y (z)"), true);
    assert.equal(LoraStack.hasWord("a, xxy", "x.y"), false);
    assert.equal(LoraStack.hasWord("saber \\(fate\\), a", "fate"), false);
    assert.equal(LoraStack.hasWord("saber (fate), a", "saber (fate)"), true, "as it was put in before");
    assert.equal(LoraStack.removeWord("a, (saber \\(fate\\):1.2), b", "saber (fate)"), "a, b");
    assert.equal(LoraStack.addWord("a, hat <lora:x:1>", "hat"), "a, hat <lora:x:1>", "a tag behind it hides no word");
    assert.equal(LoraStack.addWord("a", "  "), "a");
    assert.equal(LoraStack.removeWord("a, b", ""), "a, b");
});

test("texts are filled in, and a forgotten one shows its key", () => {
    assert.equal(LoraStack.text("row.rank", { rank: 8 }), "rank 8");
    assert.equal(LoraStack.text("row.rank"), "rank {rank}");
    assert.equal(LoraStack.text("no.such"), "no.such");
    assert.equal(LoraStack.text("row.label", { row: 1, name: "$& {row}" }), "Row 1: $& {row}");
});

const WANTED = { "zh_CN": "zh", "zh-Hans (Stable)": "zh", "简体中文": "zh", "ja_JP": "ja", "日本語": "ja", "en-GB": "en", "English": "en", "de_DE": "", "": "" };
for (const [name, language] of Object.entries(WANTED)) {
    test(`"${name}" means the language "${language}"`, () => assert.equal(LoraStack.languageOf(name), language));
}

test("a name that the server adds later keeps the server's own words", () => {
    assert.equal(LoraStack.textOr("family.lora", "x"), "LoRA");
    assert.equal(LoraStack.textOr("family.new", "New"), "New");
});
