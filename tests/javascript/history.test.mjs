// Undo and redo, the keys for them, and what differs between two stacks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

function playing() {
    const clock = { now: 0 };
    const page = { value: 0, history: new LoraStack.History(() => clock.now), clock };
    page.edit = (value, key) => {
        page.history.record(page.value, key);
        page.value = value;
    };
    for (const step of ["undo", "redo"]) {
        page[step] = () => {
            const state = page.history[step](() => page.value);
            if (state !== null) page.value = state;
            return state;
        };
    }
    return page;
}

test("there and back again, and nothing at the ends", () => {
    const page = playing();
    assert.equal(page.undo(), null);
    for (const value of [1, 2, 3]) page.edit(value);
    assert.deepEqual([page.undo(), page.undo()], [2, 1]);
    assert.deepEqual([page.history.canUndo, page.history.canRedo], [true, true]);
    assert.deepEqual([page.redo(), page.redo(), page.redo()], [2, 3, null]);
    assert.deepEqual([page.undo(), page.undo(), page.undo(), page.undo()], [2, 1, 0, null]);
});

test("an edit after an undo forgets what was undone", () => {
    const page = playing();
    for (const value of [1, 2]) page.edit(value);
    page.undo();
    page.edit(9);
    assert.equal(page.redo(), null);
    assert.deepEqual([page.undo(), page.undo()], [1, 0]);
});

test("a slider's way is one step, another slider or a pause begins another", () => {
    const page = playing();
    for (const value of [1, 2, 3]) page.edit(value, "row 1 weight");
    page.edit(4, "row 2 weight");
    page.clock.now = 5000;
    page.edit(5, "row 2 weight");
    assert.deepEqual([page.undo(), page.undo(), page.undo(), page.undo()], [4, 3, 0, null]);
});

test("only so many steps are kept", () => {
    const page = playing();
    for (let value = 1; value <= 1000; value += 1) page.edit(value);
    let steps = 0;
    while (page.undo() !== null) steps += 1;
    assert.ok(steps >= 100 && steps <= 500, String(steps));
});

test("keys of undo and redo", () => {
    const press = (key, held) => LoraStack.undoKey({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
    assert.deepEqual([press("z", { ctrlKey: true }), press("Z", { ctrlKey: true, shiftKey: true }), press("z", { metaKey: true }), press("y", { ctrlKey: true })], ["undo", "redo", "undo", "redo"]);
    assert.deepEqual([press("z", {}), press("z", { ctrlKey: true, altKey: true }), press("x", { ctrlKey: true })], ["", "", ""]);
});

function diff(from, to) {
    return LoraStack.diffStacks(LoraStack.readStack(JSON.stringify(from)), LoraStack.readStack(JSON.stringify(to)));
}

test("rows that come, go and change", () => {
    const steps = diff([{ network: "a", weight: 0.5, hash: "1" }, { network: "b" }], [{ network: "c" }, { network: "a", weight: 0.8, on: false }]);
    assert.deepEqual(steps, [
        { kind: "added", name: "c", fields: [] },
        { kind: "changed", name: "a", fields: [{ field: "weight", from: 0.5, to: 0.8 }, { field: "on", from: true, to: false }] },
        { kind: "removed", name: "b", fields: [] },
    ]);
    assert.deepEqual(diff([{ network: "a" }], [{ network: "a", weight: 1, hash: "2" }]), [], "a default is no difference");
    assert.deepEqual(diff([{ network: "a" }, { network: "a" }], [{ network: "a" }]).map(({ kind }) => kind), ["removed"]);
});

test("two stacks with the same rows and other pictures as masks are not the same", () => {
    const stack = (masks) => ({ version: 1, entries: [], extra: { masks } });
    assert.deepEqual(LoraStack.otherMasks(stack({ left: "1", right: "2" }), stack({ left: "1", right: "3", hat: "4" })), ["right", "hat"]);
    assert.deepEqual(LoraStack.otherMasks(stack({ left: "1" }), { version: 1, entries: [], extra: {} }), []);
});
