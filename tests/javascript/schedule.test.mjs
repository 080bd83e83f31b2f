// The drawn curve is the one that acts: cases of tests/stack/test_schedule.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const CASES = [
    [{}, [1, 1, 1, 1, 1]],
    [{ schedule: "0@0,1@1" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "1@0,0@0.5" }, [1, 0.5, 0, 0, 0]],
    [{ schedule: "0@1,1@5" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "late:0@0,1@0.5" }, [0, 0, 2 / 3, 1, 1]],
    [{ schedule: "0~0;1~1" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "0.5" }, [0.5, 0.5, 0.5, 0.5, 0.5]],
    [{ start: "0.4" }, [0, 0, 1, 1, 1]],
    [{ stop: "40%" }, [1, 1, 0, 0, 0]],
    [{ start: "2", stop: "3" }, [0, 1, 1, 0, 0]],
    [{ schedule: "0@0,1@1", start: "0.5" }, [0, 0, 0, 0.75, 1]],
    [{ start: "9" }, [0, 0, 0, 0, 0]],
];

for (const [fields, expected] of CASES) {
    test(`curve of ${JSON.stringify(fields)}`, () => assert.deepEqual(LoraStack.curve(fields, 5), expected));
}

test("what cannot be drawn is not drawn", () => {
    for (const fields of [{ schedule: "abc" }, { start: "sigma:7" }, { stop: "150%" }]) assert.equal(LoraStack.curve(fields), null);
});

test("a ready-made schedule is known again", () => {
    for (const known of LoraStack.SCHEDULES) assert.equal(LoraStack.scheduleName(known), known.name);
    assert.equal(LoraStack.scheduleName({ schedule: "0.5" }), "own");
    assert.equal(LoraStack.scheduleName({}), "always");
});

test("points of a curve are read, moved between their neighbours, added and written", () => {
    const points = LoraStack.readPoints("0@0,1@0.5,0.2@1");
    assert.deepEqual(points, [[0, 0], [0.5, 1], [1, 0.2]]);
    assert.equal(LoraStack.writePoints(points), "0@0,1@0.5,0.2@1");
    assert.deepEqual(LoraStack.movePoint(points, 1, [0.7, 0.3])[1], [0.7, 0.3]);
    assert.deepEqual(LoraStack.movePoint(points, 1, [7, 0.3])[1], [1, 0.3]);
    assert.deepEqual(LoraStack.movePoint(points, 2, [0.1, 0.3])[2], [0.5, 0.3]);
    assert.deepEqual(LoraStack.addPoint(points, [0.6, 2]), { points: [[0, 0], [0.5, 1], [0.6, 2], [1, 0.2]], index: 2 });
    assert.equal(LoraStack.addPoint(points, [1, 2]).index, 3);
});

test("a curve over steps stays one, however its points are moved or taken out", () => {
    const points = LoraStack.readPoints("0@1,1@10");
    const moved = LoraStack.movePoint(points, 1, [1, 1]);
    assert.deepEqual([moved, LoraStack.writePoints(moved)], [[[1, 0], [2, 1]], "0@1,1@2"]);
    assert.deepEqual(LoraStack.movePoint([[1, 0], [1, 1], [1.5, 0]], 2, [1, 0])[2], [2, 0]);
    assert.deepEqual(LoraStack.movePoint(points, 0, [1, 1])[0], [1, 1]);
    const steep = LoraStack.readPoints("0@1,1@1,0.5@10");
    assert.equal(LoraStack.removePoint(steep, 2), steep);
    assert.equal(LoraStack.removePoint(steep, 0).length, 2);
    assert.equal(LoraStack.removePoint(points, 0), points);
    assert.equal(LoraStack.removePoint(LoraStack.readPoints("0@0,1@0.5,0@1"), 2).length, 2);
});

test("a curve of a tag stays of its kind when its points are moved", () => {
    const text = "late:0@0,1@0.5";
    assert.equal(LoraStack.writePoints(LoraStack.readPoints(text), LoraStack.isLate(text)), text);
    assert.equal(LoraStack.isLate("0@0,1@0.5"), false);
});

test("a flat curve at 1 needs no text, another flat one does", () => {
    assert.equal(LoraStack.writePoints(LoraStack.FLAT), "");
    assert.equal(LoraStack.writePoints([[0, 0.5], [1, 0.5]]), "0.5@0,0.5@1");
});

test("places are parts of the whole, or steps where they go beyond 1", () => {
    assert.deepEqual([[[0, 1], [1, 1]], [[1, 0], [9, 1]], []].map(LoraStack.countsSteps), [false, true, false]);
    assert.deepEqual([LoraStack.plotPlace(0.25, false, 20), LoraStack.plotPlace(1, true, 21), LoraStack.plotPlace(11, true, 21)], [0.25, 0, 0.5]);
    assert.deepEqual([LoraStack.placeAt(0.333, false, 20), LoraStack.placeAt(-1, false, 20), LoraStack.placeAt(0.5, true, 21), LoraStack.placeAt(9, true, 21)], [0.33, 0, 11, 21]);
});
