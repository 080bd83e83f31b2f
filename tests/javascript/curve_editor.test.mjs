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

test("a point above 1 stays under the pointer that drags it; the scale follows when it is let go", async () => {
    const texts = [];
    const editor = new LoraStack.CurveEditor((text) => {
        texts.push(text);
        show(text);
    });
    const show = (text) => editor.update({ fields: { schedule: text, start: "", stop: "" }, steps: 10, name: "x" });
    editor.dots.getBoundingClientRect = () => ({ left: 0, bottom: 100, width: 100, height: 100 });
    show("1@0,2@1");
    const dot = editor.dots.children[1];
    await dot.happen("pointerdown", { button: 0, pointerId: 1 });
    for (const clientY of [10, 20, 30]) await dot.happen("pointermove", { clientX: 100, clientY });
    assert.deepEqual(texts, ["1@0,1.8@1", "1@0,1.6@1", "1@0,1.4@1"]);
    assert.equal(editor.high.textContent, "×2");
    await dot.happen("pointerup");
    assert.equal(editor.high.textContent, "×1.4");
});

test("a point is added before one that is alone", async () => {
    assert.deepEqual(await pressed("0.5", 0, "Insert"), ["0.5@0.5,0.5@1"]);
});

test("a window by noise level is said not to be drawn; the curve is", () => {
    const editor = new LoraStack.CurveEditor(() => undefined);
    editor.update({ fields: { schedule: "0@0,1@1", start: "sigma:7", stop: "" }, steps: 2, name: "x" });
    assert.equal(editor.line.getAttribute("points"), "0,100 1,100 1,0 2,0");
    assert.equal(editor.help.textContent, LoraStack.text("schedule.noise"));
});
