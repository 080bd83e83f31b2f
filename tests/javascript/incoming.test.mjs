// What people drop and paste: pictures, shared stacks, and files that are neither.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeElement, load } from "./page.mjs";

const LoraStack = load("incoming.js", "drop.js");
const HASH = "0123456789abcdef";

function server() {
    const asked = [];
    const api = {
        post: async (name, value) => {
            asked.push(name);
            return name === "masks" ? { hash: HASH } : { stack: value.text };
        },
        send: async (name) => asked.push(name) && { stack: "[]" },
    };
    return { api, asked };
}

const never = async () => assert.fail("a file of gigabytes would fill the memory");
const dropped = (name, more = {}) => ({ name, type: "", size: 10, text: never, ...more });

test("a model that is dropped is not read, and its place is told", async () => {
    const { api, asked } = server();
    for (const name of ["ghibli.safetensors", "OLD.CKPT", "loras.zip"]) {
        await assert.rejects(LoraStack.readFile(api, dropped(name)), ({ message }) => message.includes(name) && message.includes("folder"));
    }
    for (const [name, type] of [["film.mp4", "video/mp4"], ["huge.png", "image/png"], ["log.txt", "text/plain"]]) {
        await assert.rejects(LoraStack.readFile(api, dropped(name, { type, size: 3_000_000_000 })), /too large/);
    }
    assert.deepEqual(asked, []);
});

test("pictures and texts are read by what they are", async () => {
    const { api, asked } = server();
    await LoraStack.readFile(api, dropped("a.png", { type: "image/png" }));
    await LoraStack.readFile(api, dropped("stack.json", { text: async () => "[]" }));
    assert.deepEqual(asked, ["read-picture", "read"]);
});

test("a file that is dropped beside the panel does not take the page away", async () => {
    const place = new FakeElement("div");
    LoraStack.refuseDrops(place);
    const drop = async (types) => {
        let stays = false;
        await place.happen("drop", { dataTransfer: { types }, preventDefault: () => { stays = true; } });
        return stays;
    };
    assert.equal(await drop(["Files"]), true);
    assert.equal(await drop(["text/plain"]), false, "words may go into a field");
});

test("a shared stack may be longer than a stack may be, for the pictures of its masks", async () => {
    const { api, asked } = server();
    const picture = `data:image/png;base64,${"A".repeat(700_000)}`;
    const stack = await LoraStack.readText(api, JSON.stringify({ version: 1, entries: [{ network: "a" }], masks: { left: picture, right: picture } }));
    assert.deepEqual(stack.extra.masks, { left: HASH, right: HASH });
    assert.deepEqual(asked, ["masks", "masks", "read"]);
    await assert.rejects(LoraStack.readText(api, "x".repeat(1_000_001)), /too long/);
});
