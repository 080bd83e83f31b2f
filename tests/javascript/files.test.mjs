// What is said of files in words, and the folders they lie in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const { growTree, visibleNodes } = LoraStack;

test("sizes and kinds are written as people read them", () => {
    assert.deepEqual([0, 999, 9_100_000, 144_000_000, 6_500_000_000, NaN].map(LoraStack.sizeText), ["0 B", "999 B", "9.1 MB", "144 MB", "6.5 GB", ""]);
    assert.equal(LoraStack.kindText({ family: "locon+dora", rank: "4–64" }), "LoCon + DoRA rank 4–64");
    assert.equal(LoraStack.kindText({ family: "<b>", rank: "" }), "<b>");
    assert.equal(LoraStack.kindText({}), "");
    assert.equal(LoraStack.dayText(null), "");
    assert.match(LoraStack.dayText(1_700_000_000), /2023/);
});

test("a file is greyed for a reason, the worse one first", () => {
    assert.equal(LoraStack.greyReason({ problem: "broken", fits: false, misfit: "other" }), "broken");
    assert.equal(LoraStack.greyReason({ problem: "", fits: false, misfit: "Made for SDXL." }), "Made for SDXL.");
    assert.match(LoraStack.greyReason({ fits: false, architecture_label: "SDXL" }), /SDXL/);
    for (const fits of [true, null, undefined]) assert.equal(LoraStack.greyReason({ problem: "", fits, misfit: "x" }), "");
});

test("two files of one label are two files", () => {
    assert.notEqual(LoraStack.fileId({ id: "1", label: "a" }), LoraStack.fileId({ id: "2", label: "a" }));
    assert.equal(LoraStack.fileId({ label: "a" }), "a");
});

const names = (nodes) => nodes.map(({ node, depth }) => `${"  ".repeat(depth)}${node.name} ${node.count}`);

test("folders grow into a tree, and what lies between is there too", () => {
    const top = growTree({ total: 9, roots: [{ root: 0, path: "Lora", count: 9 }], folders: [{ path: "a", root: 0, count: 7 }, { path: "b/c/d", root: 0, count: 2 }, { path: "a/x", root: 0, count: 3 }, { path: "", root: 0, count: 9 }] });
    assert.deepEqual(names(visibleNodes(top, new Set())), [" 9", "  a 7", "  b 0"]);
    assert.deepEqual(names(visibleNodes(top, new Set([":b", ":b/c"]))), [" 9", "  a 7", "  b 0", "    c 0", "      d 2"]);
});

test("several root folders stand apart, also where their folders have one name", () => {
    const roots = [{ root: 0, path: "models/Lora", count: 5 }, { root: 1, path: "D:/more", count: 1 }];
    const top = growTree({ total: 6, roots, folders: [{ path: "a", root: 0, count: 4 }, { path: "a", root: 1, count: 1 }] });
    assert.deepEqual(names(visibleNodes(top, new Set(["0:", "1:"]))), [" 6", "  models/Lora 5", "    a 4", "  D:/more 1", "    a 1"]);
    const last = visibleNodes(top, new Set(["1:"])).at(-1).node;
    assert.deepEqual([last.folder, last.root], ["a", 1]);
});

test("no facets are one folder", () => assert.deepEqual(names(visibleNodes(growTree({}), new Set())), [" 0"]));

const block = (name, norm, part = "unet") => ({ name, part, norm });
const DEPTHS = [0, 1, 2, 3];

test("blocks stand as a U: facing ones on one height, the middle below, none on another", () => {
    const blocks = [...DEPTHS.map((depth) => block(`up_blocks_${depth}`, 2 * depth)).reverse(), block("mid_block", 5), ...DEPTHS.map((depth) => block(`down_blocks_${depth}`, depth))];
    const { boxes, width, height } = LoraStack.placeBlocks(blocks);
    const at = (name) => boxes.find((box) => box.block.name === name);
    assert.equal(at("down_blocks_0").y, at("up_blocks_3").y);
    assert.equal(at("down_blocks_3").y, at("up_blocks_0").y);
    assert.ok(at("mid_block").y > at("down_blocks_3").y && at("mid_block").y + at("mid_block").height === height);
    assert.deepEqual([at("up_blocks_3").share, at("down_blocks_3").share, at("down_blocks_0").share], [1, 0.5, 0]);
    assert.deepEqual([at("up_blocks_3").block.label, at("mid_block").block.label], ["up 3", "mid"]);
    for (const [index, one] of boxes.entries()) {
        assert.ok(one.x >= 0 && one.x + one.width <= width && one.y >= 0);
        for (const other of boxes.slice(index + 1)) assert.ok(one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y, `${one.block.name} over ${other.block.name}`);
    }
});

test("unknown strengths, other blocks and text encoders have their place, nothing none", () => {
    const { boxes } = LoraStack.placeBlocks([block("input_blocks_1", null), block("other", 2, "other"), block("te_text_model_encoder_layers_4", 1, "text encoder"), block("te2_text_model_encoder_layers_11", 1, "text encoder"), block("a_name_that_is_longer_than_any_box", 1, "other")]);
    assert.deepEqual(boxes.map(({ side, share, block: { label } }) => [side, share, label]), [["in", null, "input 1"], ["words", 0.5, "text 4"], ["words", 0.5, "text2 11"], ["words", 1, "other"], ["words", 0.5, "a name that is longer than any box"]]);
    assert.deepEqual(LoraStack.placeBlocks([]).boxes, []);
    assert.equal(LoraStack.placeBlocks([]).height, 0);
});

test("what the server tells by itself is heard only while somebody looks", () => {
    const sources = [];
    globalThis.EventSource = class {
        constructor(address) {
            Object.assign(this, { address, listeners: {}, open: true });
            sources.push(this);
        }
        addEventListener(name, listener) { this.listeners[name] = listener; }
        close() { this.open = false; }
    };
    const heard = [];
    const live = new LoraStack.Live(new LoraStack.Api("lora-stack"), { status: (value) => heard.push(value) });
    live.listen(false);
    live.listen(true);
    live.listen(true);
    assert.deepEqual(sources.map(({ address }) => address), ["./lora-stack/events"]);
    sources[0].listeners.status({ data: '{"hash":{"state":"running"}}' });
    sources[0].listeners.status({ data: '{"hash":' });
    live.listen(false);
    assert.deepEqual([heard, sources[0].open], [[{ hash: { state: "running" } }], false]);
    delete globalThis.EventSource;
});

test("a cosine means something in a stack", () => {
    const kinds = [1, 0.3, 0.29, 0.1, 0.05, 0, -0.2, -0.3, -1, null, NaN].map(LoraStack.interferenceKind);
    assert.deepEqual(kinds, ["same", "same", "little", "little", "aside", "aside", "little", "against", "against", "unknown", "unknown"]);
});
