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

test("a duplicate stands below its row and is independent", () => {
    const start = model("a", "b");
    const copied = LoraStack.duplicateRow(start, start.rows[0].id);
    assert.equal(names(copied), "aab");
    const changed = LoraStack.setField(copied, copied.rows[1].id, "weight", 0.5);
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
    const off = LoraStack.setField(start, id, "on", false);
    assert.deepEqual(off.rows[0].entry, { network: "a", on: false });
    assert.deepEqual(LoraStack.setField(off, id, "on", true).rows[0].entry, { network: "a" });
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
    const changed = LoraStack.setField(many, many.rows[7].id, "weight", 0.5);
    const same = changed.rows.filter((row, index) => row.entry === many.rows[index].entry);
    assert.equal(same.length, 199);
    assert.equal(LoraStack.readStack(LoraStack.writeStack(LoraStack.stackOf(changed))).entries.length, 200);
});
