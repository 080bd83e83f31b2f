// A painted mask is kept as what it is, however fast somebody goes on and however slow the server is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { later, load } from "./page.mjs";

Object.assign(globalThis, { CSS: { escape: (text) => text } });
const LoraStack = load("mask_painter.js", "stage.js");
const settled = () => new Promise((resolve) => setImmediate(resolve));
const finger = (more = {}) => ({ button: 0, isPrimary: true, pointerId: 1, clientX: 5, clientY: 5, ...more });

/** A painter; `sent` are the pictures the server was given with their answers to come, `kept` what the stack was told. */
function painting() {
    const [sent, kept] = [[], []];
    const api = { address: (name) => name, post: (_, { picture }) => sent.push({ picture, ...later() }) && sent.at(-1).promise };
    const painter = new LoraStack.MaskPainter({ tab: "txt2img", api }, 0, { onChange: (hash, mask) => kept.push([mask, hash]), onColours() {}, onProblem: (problem) => assert.equal(problem, "") });
    const { root } = painter.stage;
    const stroke = async () => {
        await root.happen("pointerdown", finger());
        await root.happen("pointerup", finger());
    };
    return { painter, root, sent, kept, stroke };
}

test("who paints one mask and at once goes to another has painted the first", async () => {
    const { painter, sent, kept, stroke } = painting();
    painter.update({ hash: "", mask: "left", name: "x" });
    await stroke();
    painter.update({ hash: "f00", mask: "right", name: "x" });
    await settled();
    assert.deepEqual(sent.map(({ picture }) => picture), ["data:stroke"]);
    sent[0].answer({ hash: "1", share: 0.1 });
    await settled();
    assert.deepEqual(kept, [["left", "1"]]);
    assert.deepEqual(painter.canvas.painted, ["masks/f00"]);
});

test("a stroke is sent when it ends: the next picture may be made at once", async () => {
    const { painter, root, sent } = painting();
    painter.update({ hash: "", mask: "left", name: "x" });
    await root.happen("pointerdown", finger());
    assert.equal(sent.length, 0);
    await root.happen("pointerup", finger());
    assert.equal(sent.length, 1);
});

test("of two strokes whose answers overtake one another the later one stays", async () => {
    const { painter, sent, kept, stroke } = painting();
    painter.update({ hash: "", mask: "left", name: "x" });
    await stroke();
    await stroke();
    sent[1].answer({ hash: "2", share: 0.2 });
    await settled();
    sent[0].answer({ hash: "1", share: 0.1 });
    await settled();
    assert.deepEqual(kept, [["left", "2"]]);
});

test("an answer of the server in the middle of painting takes no stroke away", async () => {
    const { painter, sent, kept, stroke } = painting();
    painter.update({ hash: "old", mask: "left", name: "x" });
    await settled();
    await stroke();
    painter.update({ hash: "older", mask: "left", name: "x" }); // as an undo of something else
    await settled();
    assert.deepEqual(painter.canvas.painted, ["masks/old", "stroke"]);
    assert.equal(sent[0].picture, "data:masks/old stroke");
    sent[0].answer({ hash: "1", share: 0.1 });
    await settled();
    assert.deepEqual(kept, [["left", "1"]]);
});

test("a second finger neither paints nor ends the first one's stroke", async () => {
    const { painter, root } = painting();
    painter.update({ hash: "", mask: "left", name: "x" });
    await root.happen("pointerdown", finger());
    await root.happen("pointerdown", finger({ pointerId: 2, isPrimary: false }));
    await root.happen("pointermove", finger({ pointerId: 2, isPrimary: false }));
    await root.happen("pointerup", finger({ pointerId: 2, isPrimary: false }));
    assert.equal(painter.canvas.painted.length, 1);
    await root.happen("pointermove", finger());
    assert.equal(painter.canvas.painted.length, 2);
});
