import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const ROLES = [{ name: "style", default: 0.45, low: 0.4, high: 0.5 }];

function model(...names) {
    return LoraStack.makeModel(LoraStack.readStack(JSON.stringify(names.map((network) => ({ network })))));
}

function names(value) {
    return value.rows.map((row) => row.entry.network).join("");
}

test("rows get ids of their own", () => {
    const ids = model("a", "a", "b").rows.map((row) => row.id);
    assert.equal(new Set(ids).size, 3);
});

test("add, remove, clear", () => {
    const start = model("a", "b");
    assert.equal(names(LoraStack.addRow(start, { network: "c" })), "abc");
    assert.equal(names(LoraStack.removeRow(start, start.rows[0].id)), "b");
    assert.equal(names(LoraStack.clearRows(start)), "");
    assert.equal(names(start), "ab", "the model itself never changes");
});

test("rows that changed while the server wrote their tags stay, and no other goes in their place", () => {
    const start = model("a", "b", "c");
    const [a, b, c] = start.rows;
    const answers = [{ tag: "<lora:a:1>" }, { tag: "<lora:b:1>" }, { tag: "" }];
    const given = (now) => LoraStack.givenTags(start.rows, answers, now.rows);
    assert.deepEqual(given(start), [{ id: a.id, tag: "<lora:a:1>" }, { id: b.id, tag: "<lora:b:1>" }]);
    assert.deepEqual(given(LoraStack.removeRow(start, a.id)), [{ id: b.id, tag: "<lora:b:1>" }], "not c, which moved up");
    assert.deepEqual(given(LoraStack.setFields(start, b.id, { weight: 0.5 })), [{ id: a.id, tag: "<lora:a:1>" }]);
    assert.deepEqual(given(LoraStack.moveRow(start, c.id, 0)).map(({ id }) => id), [a.id, b.id]);
});

test("a duplicate stands below its row and is independent", () => {
    const start = model("a", "b");
    const copied = LoraStack.duplicateRow(start, start.rows[0].id);
    assert.equal(names(copied), "aab");
    const changed = LoraStack.setFields(copied, copied.rows[1].id, { weight: 0.5 });
    assert.deepEqual(changed.rows.map((row) => LoraStack.fieldOf(row.entry, "weight")), [1, 0.5, 1]);
});

test("move to every place, beyond the ends too", () => {
    const start = model("a", "b", "c");
    const places = { a: ["abc", "bac", "bca", "bca"], c: ["cab", "acb", "abc", "abc"] };
    for (const [name, wanted] of Object.entries(places)) {
        const { id } = start.rows.find((row) => row.entry.network === name);
        assert.deepEqual([0, 1, 2, 9].map((place) => names(LoraStack.moveRow(start, id, place))), wanted);
    }
    assert.equal(names(LoraStack.moveRow(start, start.rows[2].id, -5)), "cab");
    assert.equal(LoraStack.moveRow(start, 123456789, 0), start);
});

test("a default is not kept in the row", () => {
    const start = model("a");
    const { id } = start.rows[0];
    const off = LoraStack.setFields(start, id, { on: false });
    assert.deepEqual(off.rows[0].entry, { network: "a", on: false });
    assert.deepEqual(LoraStack.setFields(off, id, { on: true }).rows[0].entry, { network: "a" });
});

test("rows that stay keep their ids when the text changes from outside", () => {
    const before = model("a", "b", "a");
    const after = LoraStack.makeModel(LoraStack.readStack('[{"network":"b","weight":0.5},{"network":"x"},{"network":"a"}]'), before);
    assert.equal(after.rows[0].id, before.rows[1].id);
    assert.equal(after.rows[2].id, before.rows[0].id);
    assert.ok(!before.rows.some((row) => row.id === after.rows[1].id));
});

test("a picked file starts at its own weight, else at the usual one of its kind, else at 1", () => {
    const file = { label: "s/a", hash: "0123456789ab", role: "style", preferred_weight: null };
    assert.deepEqual(LoraStack.makeEntry(file, ROLES), { network: "s/a", hash: "0123456789ab", weight: 0.45, role: "style" });
    assert.equal(LoraStack.makeEntry({ ...file, preferred_weight: 0.9 }, ROLES).weight, 0.9);
    assert.deepEqual(LoraStack.makeEntry({ label: "a", hash: "", role: "", preferred_weight: null }, ROLES), { network: "a" });
    assert.deepEqual(LoraStack.makeEntry({ label: "a", hash: "", role: "unheard of", preferred_weight: 1e9 }, ROLES), { network: "a" });
});

test("an edit of one row among 200 leaves the others the very same objects", () => {
    const many = model(...Array.from({ length: 200 }, (_, index) => `folder/network ${index}`));
    const changed = LoraStack.setFields(many, many.rows[7].id, { weight: 0.5 });
    const same = changed.rows.filter((row, index) => row.entry === many.rows[index].entry);
    assert.equal(same.length, 199);
    assert.equal(LoraStack.readStack(LoraStack.writeStack(LoraStack.stackOf(changed))).entries.length, 200);
});

function stack(rows) {
    return LoraStack.readStack(JSON.stringify(rows));
}

function regions(value) {
    return value.rows.map((row) => LoraStack.fieldOf(row.entry, "region"));
}

test("a row that speaks of another goes on speaking of the same one", () => {
    const start = LoraStack.makeModel(stack([{ network: "a" }, { network: "b", region: "box:0,0,0.5,1" }, { network: "c", region: "not:2" }]));
    const [a, b, c] = start.rows;
    assert.deepEqual(regions(LoraStack.moveRow(start, c.id, 0)), ["not:3", "", "box:0,0,0.5,1"]);
    assert.deepEqual(regions(LoraStack.removeRow(start, a.id)), ["box:0,0,0.5,1", "not:1"]);
    assert.deepEqual(regions(LoraStack.duplicateRow(start, a.id)), ["", "", "box:0,0,0.5,1", "not:3"]);
    assert.deepEqual(regions(LoraStack.removeRow(start, b.id)), ["", "not:0"], "told by the server, never silently everywhere");
});

test("rows of another stack come below, with their masks and with what they say of one another", () => {
    const start = { ...LoraStack.makeModel(stack([{ network: "a" }])), extra: { masks: { left: "1" } } };
    const other = { ...stack([{ network: "b" }, { network: "c", region: "not:1" }]), extra: { masks: { left: "2", right: "3" } } };
    const both = LoraStack.appendStack(start, other);
    assert.deepEqual(regions(both), ["", "", "not:2"]);
    assert.deepEqual(both.extra.masks, { left: "1", "left 2": "2", right: "3" });
    assert.deepEqual(LoraStack.appendStack(model("a"), stack([7])).rows.map((row) => row.entry), [{ network: "a" }, 7]);
});

test("one row alone, and back to those that were on", () => {
    const start = LoraStack.makeModel(stack([{ network: "a" }, { network: "b", on: false }, { network: "c" }]));
    const on = (value) => value.rows.map((row) => LoraStack.fieldOf(row.entry, "on"));
    const [a, b, c] = start.rows;
    const solo = LoraStack.soloRow(start, c.id);
    assert.deepEqual(on(solo), [false, false, true]);
    assert.deepEqual([LoraStack.isSolo(start, c.id), LoraStack.isSolo(solo, c.id), LoraStack.isSolo(solo, a.id)], [false, true, false]);
    assert.deepEqual(on(LoraStack.soloRow(solo, c.id, new Set([a.id, c.id]))), [true, false, true]);
    assert.deepEqual(on(LoraStack.soloRow(solo, c.id)), [true, true, true], "nobody remembers: all");
    assert.deepEqual(on(LoraStack.soloRow(start, b.id)), [false, true, false], "a row that was off comes on");
});

test("a mask's picture is named once for all rows", () => {
    const named = LoraStack.setMasks(LoraStack.setMasks(model("a"), { left: "1" }), { left: "2" });
    assert.equal(LoraStack.writeStack(LoraStack.stackOf(named)), '{"version":1,"entries":[{"network":"a"}],"masks":{"left":"2"}}');
});

test("a stack put below keeps its masks, also where their names have other pictures here", () => {
    const here = LoraStack.makeModel(LoraStack.readStack('{"version":1,"entries":[{"network":"a","region":"mask:mask 1"}],"masks":{"mask 1":"aaaa","left":"cccc"}}'));
    const there = LoraStack.readStack('{"version":1,"entries":[{"network":"b","region":"mask:mask 1"},{"network":"c","region":"mask:left"},{"network":"d","region":"mask:mask 2"},{"network":"e","region":"not:1"},5],"masks":{"mask 1":"bbbb","left":"cccc","mask 2":"dddd"}}');
    const both = LoraStack.stackOf(LoraStack.appendStack(here, there));
    assert.deepEqual(both.extra.masks, { "mask 1": "aaaa", left: "cccc", "mask 3": "bbbb", "mask 2": "dddd" });
    assert.deepEqual(both.entries.map((entry) => entry.region), ["mask:mask 1", "mask:mask 3", "mask:left", "mask:mask 2", "not:2", undefined]);
});
