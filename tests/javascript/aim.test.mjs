// Where and in which pass a row acts: texts and back, and what a drag makes of a rectangle.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack, read } from "./load.mjs";

const REGIONS = {
    "": { kind: "" },
    "inpaint": { kind: "inpaint" },
    "box:0.5,0,0.5,1": { kind: "box", box: { x: 0.5, y: 0, width: 0.5, height: 1 } },
    "mask:left eye": { kind: "mask", name: "left eye" },
    "not:2": { kind: "not", row: 2 },
};
for (const [text, region] of Object.entries(REGIONS)) {
    test(`region "${text}"`, () => {
        assert.deepEqual(LoraStack.readRegion(text), region);
        assert.equal(LoraStack.writeRegion(region), text);
    });
}

test("a rectangle that ends at the picture's edge does so when it is written, however it is rounded", () => {
    for (let at = 1; at < 320; at += 1) {
        const [start, size] = [at / 320, 1 - at / 320];
        const text = LoraStack.writeRegion({ kind: "box", box: { x: start, y: start, width: size, height: size } });
        const [x, y, width, height] = text.slice(4).split(",").map(Number);
        assert.ok(x + width < 1 + 1e-9 && y + height < 1 + 1e-9, text);
    }
});

test("letters and spaces are forgiven, what cannot be drawn is left to the server", () => {
    assert.deepEqual(LoraStack.readRegion(" Box: 0, 0, .5, 1 "), { kind: "box", box: { x: 0, y: 0, width: 0.5, height: 1 } });
    for (const text of ["box", "box:1,2", "box:0,0,2,1", "box:0,0,0,1", "box:a,0,1,1", "box:0,0,1,1,1", "mask:", "not:", "not:a", "inpaint:1", "somewhere", ":"]) {
        assert.deepEqual(LoraStack.readRegion(text), { kind: "other" }, text);
    }
});

const rounded = (box) => LoraStack.writeRegion({ kind: "box", box });
const BOX = { x: 0.2, y: 0.2, width: 0.4, height: 0.4 };
const DRAGS = [
    ["move", 0.1, 0.1, "box:0.3,0.3,0.4,0.4"],
    ["move", 5, -5, "box:0.6,0,0.4,0.4"],
    ["e", 0.1, 9, "box:0.2,0.2,0.5,0.4"],
    ["se", 9, 9, "box:0.2,0.2,0.8,0.8"],
    ["nw", -9, -9, "box:0,0,0.6,0.6"],
    ["w", 9, 0, "box:0.58,0.2,0.02,0.4"],
    ["n", 0, 9, "box:0.2,0.58,0.4,0.02"],
];
for (const [handle, dx, dy, wanted] of DRAGS) {
    test(`drag ${handle} by ${dx}, ${dy}`, () => assert.equal(rounded(LoraStack.dragBox(BOX, handle, dx, dy)), wanted));
}

test("a rectangle is drawn from any corner and stays in the picture", () => {
    assert.equal(rounded(LoraStack.boxBetween({ x: 0.8, y: 0.1 }, { x: 0.2, y: 0.6 })), "box:0.2,0.1,0.6,0.5");
    assert.equal(rounded(LoraStack.boxBetween({ x: 0.5, y: 0.5 }, { x: 3, y: -3 })), "box:0.5,0,0.5,0.5");
    assert.equal(rounded(LoraStack.boxBetween({ x: 1, y: 1 }, { x: 1, y: 1 })), "box:0.98,0.98,0.02,0.02");
});

const ALL = { base: { on: true, weight: "" }, hires: { on: true, weight: "" }, refiner: { on: true, weight: "" }, detailer: { on: true, weight: "" } };
const off = { on: false, weight: "" };
const PASSES = {
    "": ALL,
    "base": { base: { on: true, weight: "" }, hires: off, refiner: off, detailer: off },
    "base,hires:0.5": { base: { on: true, weight: "" }, hires: { on: true, weight: "0.5" }, refiner: off, detailer: off },
    "base,hires:0.5/0.2,refiner,detailer": { ...ALL, hires: { on: true, weight: "0.5/0.2" } },
};
for (const [text, passes] of Object.entries(PASSES)) {
    test(`passes "${text}"`, () => {
        assert.deepEqual(LoraStack.readPasses(text), passes);
        assert.equal(LoraStack.writePasses(passes), text);
    });
}

test("all passes by name are all passes, none at all cannot be written, a mistake is not read", () => {
    assert.equal(LoraStack.writePasses(LoraStack.readPasses("hires, base; refiner,DETAILER")), "");
    assert.equal(LoraStack.writePasses({ base: off, hires: off, refiner: off, detailer: off }), null);
    for (const text of ["bases", "base,base", "base:1:2"]) assert.equal(LoraStack.readPasses(text), null);
});

test("weights of a pass are typed as one number or two", () => {
    assert.deepEqual(["", "0,5", "0.5/0.2", " 1 / 0 "].map(LoraStack.readPassWeight), [{ weight: "" }, { weight: "0.5" }, { weight: "0.5/0.2" }, { weight: "1/0" }]);
    assert.deepEqual(["a", "1/2/3", "1e9"].map(LoraStack.readPassWeight), [{ problem: "not_number" }, { problem: "not_number" }, { problem: "too_big" }]);
});

test("passes and the softest edge are those of the server", () => {
    const names = [...read("../../lib_lora/stack/passes.py").matchAll(/^BASE, HIRES, REFINER, DETAILER = (.+)$/gm)][0][1];
    assert.equal(names, LoraStack.PASSES.map((name) => `"${name}"`).join(", "));
    assert.match(read("../../lib_lora/stack/region.py"), new RegExp(`^FEATHER_LIMIT = ${LoraStack.FEATHER_LIMIT}$`, "m"));
});

const RED = [255, 0, 0, 255], GREEN = [0, 250, 10, 255], WHITE = [255, 255, 255, 255], BLACK = [0, 0, 0, 255], SKIN = [220, 170, 140, 255];
const picture = (...pixels) => Uint8ClampedArray.from(pixels.flat());

test("plain red, green and blue areas are three masks, black and white or a photograph is one", () => {
    assert.equal(LoraStack.holdsThree(picture(RED, GREEN, BLACK)), true);
    assert.equal(LoraStack.holdsThree(picture(WHITE, BLACK)), false);
    assert.equal(LoraStack.holdsThree(picture(SKIN, RED)), false);
    assert.equal(LoraStack.holdsThree(picture()), false);
});

test("a mask acts as much as it is bright, and not where it is transparent", () => {
    const data = picture(WHITE, BLACK, [128, 128, 128, 255], [255, 255, 255, 0]);
    LoraStack.setDensity(data, LoraStack.brightness);
    assert.deepEqual([3, 7, 11, 15].map((at) => data[at]), [255, 0, 128, 0]);
});
