// A curve whose points are moved by keys stays of the kind that it was written as.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./page.mjs";

const LoraStack = load("curve_editor.js");

/** The texts that a curve becomes when a key is pressed at one of its points, again and again. */
async function pressed(schedule, index, key, times = 1) {
    const texts = [];
    const editor = new LoraStack.CurveEditor((text) => {
        texts.push(text);
        show(text);
    });
    const show = (text) => editor.update({ fields: { schedule: text, start: "", stop: "" }, steps: 10, name: "x" });
    show(schedule);
    for (let time = 0; time < times; time += 1) await editor.dots.children[index].happen("keydown", { key });
    return texts;
}

test("parts that begin at the second step, as tags have them", async () => {
    assert.deepEqual(await pressed("late:0@0,1@0.5", 1, "ArrowDown"), ["late:0@0,0.95@0.5"]);
    assert.deepEqual(await pressed("0@0,1@0.5", 1, "ArrowDown"), ["0@0,0.95@0.5"]);
});

test("steps, also where the last one comes to the first", async () => {
    assert.deepEqual(await pressed("0@1,1@3", 1, "ArrowLeft", 3), ["0@1,1@2", "0@1,1@2", "0@1,1@2"]);
    assert.deepEqual(await pressed("0@1,1@1,0.5@3", 2, "Delete"), []);
});
