// The panel as a whole, without a browser: what it says is what happened.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { FakeElement, load } from "./page.mjs";

const SCRIPTS = readdirSync(new URL("../../javascript/", import.meta.url)).filter((name) => name.endsWith(".js") && !name.startsWith("strings"));
Object.assign(globalThis, { ResizeObserver: class { observe() {} }, MutationObserver: class { observe() {} }, CSS: { escape: (text) => text }, requestAnimationFrame: () => 1 });
const LoraStack = load(...SCRIPTS);

/** A panel with an empty stack; `answers` are the server's by route, `asked` what it was asked. */
function panel(text = "") {
    const [box, enabled, mount] = [new FakeElement("textarea"), new FakeElement("input"), new FakeElement("div")];
    const asked = [];
    const answers = { presets: { presets: [], problems: [] }, advice: [], blocks: { layouts: { sd1: [], sdxl: [] }, presets: [] } };
    globalThis.fetch = async (address, { method = "GET", body = "" } = {}) => {
        const name = address.replace("./lora-stack/", "").split("?")[0];
        asked.push([method, name, body]);
        return { ok: true, json: async () => answers[`${method} ${name}`] ?? answers[name] ?? { rows: [] } };
    };
    mount.dataset = { tab: "txt2img", routes: "lora-stack" };
    box.value = text;
    const made = new LoraStack.Panel(mount, { text: box, enabled });
    return { panel: made, box, asked, answers, said: () => made.tools.status.textContent };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a row that is added is said to be added, and the panel switched on", () => {
    const { panel: made, box, said } = panel();
    made.add({ label: "styles/neon", hash: "" });
    assert.equal(box.value, '{"version":1,"entries":[{"network":"styles/neon"}]}');
    assert.match(said(), /Added/);
    assert.equal(made.isOn, true);
});

test("while the stack cannot be read nothing is said to be added", async () => {
    const { panel: made, box, said } = panel("{broken");
    const broken = box.value;
    made.add({ label: "styles/neon", hash: "" });
    assert.match(said(), /Nothing was changed/);
    const stack = LoraStack.readStack('[{"network":"a"}]');
    await made.tools.take(Promise.resolve(stack), true);
    assert.match(said(), /Nothing was changed/);
    assert.deepEqual([box.value, made.isOn], [broken, false]);
    await made.tools.take(Promise.resolve(stack));
    assert.match(said(), /1 rows? pasted/);
});

test("Undo beside what was said undoes that, or is not there any more", async () => {
    const { panel: made, box } = panel('[{"network":"a","weight":0.5},{"network":"b"}]');
    const undo = () => made.tools.status.querySelector("button");
    const [first, second] = made.rows;
    made.remove(second.id);
    assert.match(undo().textContent, /Undo/);
    made.set(first.id, "weight", 0.7);
    assert.equal(undo(), null, "it would undo the weight");
    made.remove(first.id);
    await undo().happen("click");
    assert.deepEqual(JSON.parse(box.value).entries, [{ network: "a", weight: 0.7 }]);
});

test("a preset of another browser tab that was replaced can be brought back", async () => {
    const { panel: made, asked, answers, said } = panel('[{"network":"a"}]');
    made.presets.toggle();
    await settled();
    answers["POST presets"] = { name: "one", replaced: '{"version":1,"entries":[]}' };
    made.presets.name.value = "one";
    await made.presets.saveButton.happen("click");
    await settled();
    assert.match(said(), /one/);
    await made.tools.status.querySelector("button").happen("click");
    await settled();
    const kept = asked.filter(([method, name]) => method === "POST" && name === "presets").map(([, , body]) => JSON.parse(body).stack);
    assert.deepEqual(kept.at(-1), '{"version":1,"entries":[]}');
});

test("a preset that cannot be read is told of", async () => {
    const { panel: made, answers } = panel();
    answers.presets = { presets: [], problems: ["The preset file /x/two-girls.json cannot be read (Expecting value). Mend it, or move it away."] };
    made.presets.toggle();
    await settled();
    assert.equal(made.presets.unreadable.hidden, false);
    assert.match(made.presets.unreadable.textContent, /two-girls\.json/);
    assert.equal(made.presets.empty.hidden, true, "to say that there are none would frighten");
});

test("a picture of three colours for one row leaves the three masks of another row alone", async () => {
    Object.assign(globalThis.URL, { createObjectURL: () => "blob:x", revokeObjectURL() {} });
    LoraStack.holdsThree = () => true;
    const { panel: made, box, answers } = panel('{"version":1,"entries":[{"network":"a","region":"mask:red"},{"network":"b","region":"mask:mine"}],"masks":{"red":"aaaa","green":"bbbb"}}');
    const field = new LoraStack.RegionField(made, made.rows[1]);
    answers["POST masks"] = { hash: "ffff", share: 0.3 };
    field.painter.file.files = [{ name: "three.png" }];
    await field.painter.file.happen("change");
    const { entries, masks } = JSON.parse(box.value);
    assert.deepEqual(entries.map(({ region }) => region), ["mask:red", "mask:red 2"]);
    assert.deepEqual(masks, { red: "aaaa", green: "ffff", "red 2": "ffff", blue: "ffff" });
    made.undo();
    assert.equal(JSON.parse(box.value).entries[1].region, "mask:mine", "one step takes all of it back");
});

test("a row that is to act in a painted mask gets one of its own, or one that lies idle", async () => {
    const chosen = async (text) => {
        const { panel: made, box } = panel(text);
        const field = new LoraStack.RegionField(made, made.rows[1]);
        field.select.value = "mask";
        await field.select.happen("change");
        return JSON.parse(box.value).entries[1].region;
    };
    const first = (region) => `{"version":1,"entries":[{"network":"a","region":"${region}"},{"network":"b"}],"masks":{"red":"aaaa","green":"bbbb","mask 1":"cccc"}}`;
    assert.equal(await chosen(first("mask:red")), "mask:green");
    assert.equal(await chosen('[{"network":"a","region":"mask:mask 1"},{"network":"b"}]'), "mask:mask 2", "the first is chosen, though not painted yet");
    assert.equal(await chosen('{"version":1,"entries":[{"network":"a","region":"mask:mask 1"},{"network":"b"}],"masks":{"mask 1":"aaaa"}}'), "mask:mask 2");
});

test("of a long stack nothing is drawn anew for a row that moves but the places", async (t) => {
    const prompt = new FakeElement("textarea");
    let lookedUp = 0;
    const { querySelector } = document;
    document.querySelector = (selector) => (selector.endsWith("_prompt textarea") ? (lookedUp += 1) && prompt : null);
    t.after(() => { document.querySelector = querySelector; });
    const { panel: made } = panel(JSON.stringify({ version: 1, entries: Array.from({ length: 50 }, (_, at) => ({ network: `n${at}` })) }));
    await settled();
    assert.equal(lookedUp, 1);
    let drawn = 0;
    for (const row of made.rows) row.facts.replaceChildren = () => { drawn += 1; };
    made.move(made.rows[49].id, 0);
    assert.equal(drawn, 0);
    assert.deepEqual(made.rows.slice(0, 3).map((row) => row.root.getAttribute("aria-label")), [1, 2, 3].map((row) => LoraStack.text("row.label", { row, name: ["n49", "n0", "n1"][row - 1] })));
});

test("what the Library could not add stays marked, and the tab opens where it is said why", () => {
    const { panel: made, box } = panel("{broken");
    const broken = box.value;
    const [told, { panelOf, showTab, focusSoon }] = [[], LoraStack];
    Object.assign(LoraStack, { panelOf: () => made, showTab: (tab) => told.push(tab), focusSoon: () => told.push("row") });
    const library = { say: (words) => told.push(words), browser: { clearMarks: () => told.push("cleared") } };
    const send = () => LoraStack.LibraryTab.prototype.send.call(library, [{ label: "styles/neon", hash: "" }], "img2img");
    send();
    assert.deepEqual([told, box.value], [["img2img"], broken]);
    made.edit = () => true;
    Object.defineProperty(made, "rows", { value: [{ moreButton: {} }] });
    send();
    assert.deepEqual(told, ["img2img", "img2img", "cleared", "row"]);
    Object.assign(LoraStack, { panelOf, showTab, focusSoon });
});
