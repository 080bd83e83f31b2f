import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack, read } from "./load.mjs";

const { cases } = JSON.parse(read("../fixtures/stacks.json"));

for (const { name, text, canonical } of cases) {
    test(`canonical text: ${name}`, () => {
        assert.equal(LoraStack.writeStack(LoraStack.readStack(text)), canonical);
        assert.equal(LoraStack.writeStack(LoraStack.readStack(canonical)), canonical);
    });
}

test("the field table is the one of the server", () => {
    const source = read("../../lib_lora/stack/entry.py");
    const declared = [...source.matchAll(/^ {4}(\w+): [\w |]+ = _(text|number|weight|switch)\(/gm)].map((match) => match[1]);
    assert.deepEqual(Object.keys(LoraStack.FIELDS), declared);
    assert.match(source, new RegExp(`^WEIGHT_LIMIT = ${LoraStack.WEIGHT_LIMIT}\\.0\\b`, "m"));
});

const UNREADABLE = {
    "broken JSON": "{",
    "NaN, which JSON does not have": '[{"network":"a","weight":NaN}]',
    "a number": "4",
    "null": "null",
    "a text": '"a"',
    "no entries": '{"version":1}',
    "entries not a list": '{"version":1,"entries":{}}',
    "a later version": '{"version":2,"entries":[]}',
    "a version of text": '{"version":"1","entries":[]}',
};
for (const [name, text] of Object.entries(UNREADABLE)) {
    test(`refused with a reason: ${name}`, () => {
        assert.throws(() => LoraStack.readStack(text), (error) => error instanceof LoraStack.StackTextError && error.message.length > 10);
    });
}

test("rows that cannot be used are written back untouched", () => {
    const text = '{"version":1,"entries":[7,null,[1],{"network":3,"weight":"abc"},{"weight":1e+300}]}';
    const again = LoraStack.writeStack(LoraStack.readStack(text));
    assert.equal(again, '{"version":1,"entries":[7,null,[1],{"network":3,"weight":"abc"},{"network":"","weight":1e+300}]}');
});

test("a field named __proto__ stays a field and changes nothing else", () => {
    const text = '{"version":1,"entries":[{"network":"a","__proto__":{"on":false}}],"__proto__":{"x":1}}';
    const stack = LoraStack.readStack(text);
    assert.equal(LoraStack.fieldOf(stack.entries[0], "on"), true);
    const changed = LoraStack.withField(stack.entries[0], "weight", 0.5);
    const again = LoraStack.writeStack({ ...stack, entries: [changed] });
    assert.equal(again, '{"version":1,"entries":[{"network":"a","weight":0.5,"__proto__":{"on":false}}],"__proto__":{"x":1}}');
});

test("a number that is not finite is never written", () => {
    for (const value of [NaN, Infinity, -Infinity]) {
        assert.throws(() => LoraStack.writeStack({ version: 1, extra: {}, entries: [{ network: "a", weight: value }] }), RangeError);
    }
});

test("fields without a control are named, defaults are not", () => {
    const entry = { network: "a", weight: 2, region: "inpaint", passes: "", dyn: 4 };
    assert.deepEqual(LoraStack.otherFields(entry), ["dyn"]);
});

test("masks stand behind the rows, before what a later version may add, and not at all where there are none", () => {
    const text = '{"version":1,"entries":[],"masks":{"left":"0123456789abcdef"},"zoo":1}';
    const shuffled = '{"zoo":1,"masks":{"left":"0123456789abcdef"},"entries":[]}';
    assert.equal(LoraStack.writeStack(LoraStack.readStack(shuffled)), text);
    for (const none of ["{}", "null"]) {
        assert.equal(LoraStack.writeStack(LoraStack.readStack(`{"entries":[],"masks":${none}}`)), '{"version":1,"entries":[]}');
    }
});
