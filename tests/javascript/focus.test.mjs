// Where the focus goes when what has it is drawn anew or taken away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const { nextPlace, focusSoon } = LoraStack;
const among = (...likes) => likes.map((like) => ({ like }));

test("to its like, wherever that stands now", () => {
    assert.equal(nextPlace(among("BUTTON up", "BUTTON down", "BUTTON star"), 0, "BUTTON star").like, "BUTTON star");
});

test("else to what has come to its place, or to the last", () => {
    const left = among("BUTTON first", "BUTTON second");
    assert.equal(nextPlace(left, 1, "BUTTON gone").like, "BUTTON second");
    assert.equal(nextPlace(left, 7, "BUTTON gone").like, "BUTTON second");
    assert.equal(nextPlace(left, -1, "H2 gone").like, "BUTTON first");
});

test("nowhere in what holds nothing", () => assert.equal(nextPlace([], 0, "BUTTON gone"), null));

test("an element that the host shows later gets the focus then, and one that it never shows is given up", () => {
    const frames = [];
    globalThis.requestAnimationFrame = (act) => frames.push(act);
    try {
        let shown = 0;
        let focused = 0;
        const element = { getClientRects: () => ({ length: shown }), focus: () => (focused += 1) };
        focusSoon(element);
        frames.shift()();
        assert.equal(focused, 0);
        shown = 1;
        frames.shift()();
        assert.deepEqual([focused, frames.length], [1, 0]);
        shown = 0;
        focusSoon(element, 2);
        while (frames.length) frames.shift()();
        assert.equal(focused, 1);
    } finally {
        delete globalThis.requestAnimationFrame;
    }
});
