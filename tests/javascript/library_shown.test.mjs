// What the Library shows while files change under its hands: calm lists, the file one looks at, the newest picture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./page.mjs";

Object.assign(globalThis, { ResizeObserver: class { observe() {} }, requestAnimationFrame: () => 1 });
const LoraStack = load("browser.js", "browser_bar.js", "filter_pane.js", "file_grid.js", "file_card.js", "file_details.js", "stars.js", "tile.js", "folder_tree.js", "compare_page.js", "page_parts.js");

const file = (number) => ({ id: `${number}`, label: `file ${number}`, notes: "" });
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A browser over 250 files; `asked` are the offsets and `words` the words that were asked for, `edition` what the server's files say. */
function browser() {
    const asked = [];
    const server = { edition: "1", asked, words: [] };
    const get = async (name, pairs) => {
        if (name !== "networks") return {};
        const { offset, q } = Object.fromEntries(pairs);
        if (q) server.words.push(q);
        asked.push(offset);
        return { total: 250, items: Array.from({ length: Math.min(100, 250 - offset) }, (_, at) => ({ ...file(offset + at), notes: server.edition })) };
    };
    const shown = new LoraStack.FileBrowser({ api: { get, address: (name, query) => `${name}?${new URLSearchParams(query)}` }, name: "x", label: "x", roles: () => [], holds: () => false, onUse() {}, onMarks() {}, onStatus() {} });
    return { shown, server };
}

test("a file that changes is shown where it is shown, and the details stay with the file one looks at", async () => {
    const { shown } = browser();
    await shown.ask();
    shown.details.show(shown.fileAt(3));
    shown.replace({ ...file(5), notes: "new" });
    assert.equal(shown.details.file.id, "3");
    assert.equal(shown.fileAt(5).notes, "new");
    shown.replace({ ...file(3), notes: "new" });
    assert.equal(shown.details.file.notes, "new");
    assert.deepEqual([shown.holds("99"), shown.holds("249")], [true, false]);
});

test("a list that is asked for again stands until the new one is there, wherever one has scrolled", async () => {
    const { shown, server } = browser();
    await shown.ask();
    shown.need(120, 140);
    await settled();
    assert.equal(shown.fileAt(130).notes, "1");
    server.edition = "2";
    const again = shown.ask();
    assert.equal(shown.fileAt(130).notes, "1");
    await again;
    assert.equal(shown.fileAt(130).notes, "1", "it has not gone blank");
    shown.need(120, 140);
    await settled();
    assert.equal(shown.fileAt(130).notes, "2");
    shown.need(120, 140);
    await settled();
    assert.deepEqual(server.asked, [0, 100, 0, 100]);
    await shown.ask({ ...shown.query, q: "other" });
    assert.equal(shown.fileAt(130), null, "another question has other files");
});

test("before the first answer it is said that it is looked for, and nothing is counted", async () => {
    const { shown } = browser();
    assert.equal(shown.note.hidden, false);
    assert.equal(shown.note.textContent, LoraStack.text("add.loading"));
    assert.doesNotMatch(shown.pane.tree.root.textContent, /0/);
    await shown.ask();
    assert.equal(shown.note.hidden, true);
    shown.pane.update({ total: 0, folders: [], roots: [] });
    assert.match(shown.pane.tree.root.textContent, /0/);
});

test("the first letter asks at once, a held key now and then; words draw no filter anew", async () => {
    const { shown, server } = browser();
    await shown.ask();
    await new Promise((resolve) => setTimeout(resolve, 80));
    server.words.length = 0;
    let drawn = 0;
    const draw = shown.pane.draw.bind(shown.pane);
    shown.pane.draw = () => ((drawn += 1), draw());
    const type = (words) => {
        shown.bar.input.value = words;
        for (const listener of shown.bar.input.listeners.input) listener();
    };
    for (const words of ["n", "ne", "neo", "neon"]) type(words);
    assert.deepEqual(server.words, ["n"]);
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.deepEqual(server.words, ["n", "neon"]);
    assert.equal(drawn, 0);
    await shown.ask({ ...shown.query, q: "x", favourite: true });
    assert.equal(drawn, 1);
});

test("two sizes that differ are never written the same", () => {
    const page = new LoraStack.ComparePage({ api: { get: async () => ({ a: file(1), b: file(2), rows: [{ key: "size", a: 715_464, b: 715_472, same: false }, { key: "size", a: 700, b: 700, same: true }, { key: "size", a: 5e6, b: 7e6, same: false }] }), address: () => "" }, target: null, back() {}, openPage() {} });
    return page.open(file(1), file(2)).then(() => {
        const cells = page.body.querySelectorAll("td").map((cell) => cell.textContent).slice(1);
        assert.deepEqual(cells, ["715,464 B", "715,472 B", "700 B", "700 B", "5.0 MB", "7.0 MB"]);
    });
});

test("a name that would turn the direction of writing cannot pretend to be another", () => {
    assert.equal(LoraStack.splitLabel("a/cute\u202egnp.live").name, "cute\ufffdgnp.live");
    assert.deepEqual(LoraStack.splitLabel("עברית/שם 1"), { folder: "עברית/", name: "שם 1" });
});

test("a small picture is fetched small, by the file it belongs to, and anew when it is another picture", () => {
    const api = { address: (name, query) => `${name}?${new URLSearchParams(query)}` };
    const source = (known) => LoraStack.makeTile(api, known, known.label).querySelector("img").src;
    const known = { id: "a1", label: "x", preview: true, preview_version: "7", mtime: 5 };
    assert.match(source(known), /id=a1/);
    assert.match(source(known), /size=128/);
    assert.notEqual(source(known), source({ ...known, preview_version: "8" }));
    assert.equal(LoraStack.makeTile(api, null, "folder/🙂 x").textContent, "🙂");
});
