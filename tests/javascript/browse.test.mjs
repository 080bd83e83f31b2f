// Looking through ten thousand files: the query, what is drawn, where keys lead, which pages are fetched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const { EMPTY_QUERY, layOut, inSight, placeOf, scrollTo, gridKey, queryPairs, toggleFilter } = LoraStack;

test("a query asks for what is set and nothing else", () => {
    assert.deepEqual(queryPairs(EMPTY_QUERY), []);
    let query = { ...EMPTY_QUERY, q: "  a&b ü ", folder: "styles/日本", root: 0, sort: "used" };
    query = toggleFilter(toggleFilter(toggleFilter(query, "architecture", "sd1"), "architecture", "sdxl"), "fits");
    assert.deepEqual(queryPairs(query), [["q", "a&b ü"], ["folder", "styles/日本"], ["root", "0"], ["sort", "used"], ["architecture", "sdxl"], ["fits", "1"]]);
    assert.deepEqual(queryPairs(toggleFilter(query, "architecture", "sdxl")).filter(([name]) => name === "architecture"), []);
});

test("filters are named one by one and taken out one by one", () => {
    let query = toggleFilter(toggleFilter({ ...EMPTY_QUERY, q: "x", sort: "used", folder: "f" }, "favourite"), "tag", "hat");
    const filters = LoraStack.setFilters(query);
    assert.deepEqual(filters, [{ name: "favourite", value: null }, { name: "folder", value: "f" }, { name: "tag", value: "hat" }]);
    assert.deepEqual(LoraStack.withoutFilters(query), { ...EMPTY_QUERY, q: "x", sort: "used" });
    for (const filter of filters) query = LoraStack.withoutFilter(query, filter);
    assert.deepEqual(query, { ...EMPTY_QUERY, q: "x", sort: "used" });
});

const SCREENS = [[300, 500], [900, 700], [1800, 1000], [3800, 2100], [7600, 4300]];
for (const mode of ["cards", "list"]) {
    for (const [width, height] of SCREENS) {
        test(`${mode} on ${width} × ${height}: at most 200 drawn, and all in sight are`, () => {
            const layout = layOut({ mode, width, height, count: 10_000 });
            for (const top of [0, 1, layout.row, 12345, layout.total - height, layout.total + 500]) {
                const { first, last } = inSight(layout, top, height);
                assert.ok(last - first <= LoraStack.MOST_CARDS, `${last - first} drawn`);
                assert.ok(first >= 0 && last <= 10_000 && first <= last);
                if (top > layout.total - height) continue;
                assert.ok(placeOf(layout, first).y <= top, "the first is above the upper edge");
                const below = last < 10_000 ? placeOf(layout, last).y : Infinity;
                assert.ok(below >= top + height, "the first that is not drawn is below the lower edge");
            }
        });
    }
}

test("cards fill the width", () => {
    for (const [width, height] of SCREENS) {
        const layout = layOut({ mode: "cards", width, height, count: 10 });
        const last = placeOf(layout, layout.columns - 1);
        assert.ok(Math.abs(last.x + layout.cell - width) < 0.01);
    }
});

test("nothing found is nothing drawn", () => {
    const layout = layOut({ mode: "cards", width: 900, height: 500, count: 0 });
    assert.deepEqual([layout.total, inSight(layout, 0, 500)], [0, { first: 0, last: 0 }]);
});

test("scrolling to a file moves no more than needed", () => {
    const layout = layOut({ mode: "list", width: 600, height: 520, count: 100 });
    assert.equal(scrollTo(layout, 3, 0, 520), 0);
    assert.equal(scrollTo(layout, 10, 0, 520), 52);
    assert.equal(scrollTo(layout, 2, 300, 520), 104);
});

// Ten files in columns of four: rows 0-3, 4-7, 8-9.
const GRID = { count: 10, columns: 4, page: 2 };
const KEYS = [
    ["ArrowRight", 3, 4], ["ArrowRight", 9, 9], ["ArrowLeft", 4, 3], ["ArrowLeft", 0, 0], ["ArrowDown", 1, 5], ["ArrowDown", 6, 9], ["ArrowDown", 8, 8],
    ["ArrowUp", 5, 1], ["ArrowUp", 2, 2], ["PageDown", 0, 8], ["PageDown", 3, 9], ["PageUp", 9, 1], ["PageUp", 5, 1], ["Home", 7, 0], ["End", 2, 9],
    ["ArrowDown", -1, 0], ["End", -1, 9], ["a", 3, null], ["Enter", 3, null],
];
for (const [key, from, to] of KEYS) {
    test(`${key} from ${from} leads to ${to}`, () => assert.equal(gridKey(key, from, GRID), to));
}

test("in a list left and right belong to the text, and an empty grid leads nowhere", () => {
    assert.equal(gridKey("ArrowRight", 0, { count: 5, columns: 1, page: 3 }), null);
    assert.equal(gridKey("ArrowDown", 0, { count: 5, columns: 1, page: 3 }), 1);
    assert.equal(gridKey("ArrowDown", -1, { count: 0, columns: 4, page: 3 }), null);
});

/** A library of `total` files that answers when told to. */
function server(total) {
    const asked = [];
    const ask = (query, offset, limit, signal) => new Promise((resolve, reject) => {
        const items = () => Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, index) => ({ id: `${query.q}${offset + index}` }));
        asked.push({ query, offset, signal, answer: () => resolve({ total, items: items() }), fail: reject });
    });
    return { asked, ask };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("only what comes into sight is fetched, and once", async () => {
    const { asked, ask } = server(10_000);
    const pages = new LoraStack.FilePages(ask, () => undefined);
    pages.start({ q: "a" });
    asked[0].answer();
    await settle();
    assert.deepEqual([pages.total, pages.at(99).id, pages.at(100)], [10_000, "a99", null]);
    pages.need(0, 60);
    pages.need(5_050, 5_190);
    pages.need(5_050, 5_190);
    assert.deepEqual(asked.map(({ offset }) => offset), [0, 5_000, 5_100]);
    asked[2].answer();
    await settle();
    assert.equal(pages.at(5_199).id, "a5199");
});

test("scrolling past gives up what was asked for there", async () => {
    const { asked, ask } = server(10_000);
    const pages = new LoraStack.FilePages(ask, () => undefined);
    pages.start({ q: "" });
    asked[0].answer();
    await settle();
    pages.need(3_000, 3_050);
    pages.need(9_000, 9_050);
    assert.deepEqual(asked.map(({ signal }) => signal.aborted), [false, true, false]);
});

test("an answer to an earlier query is dropped, and the old files stand until the new ones come", async () => {
    const told = [];
    const { asked, ask } = server(50);
    const pages = new LoraStack.FilePages(ask, (error) => told.push(error));
    pages.start({ q: "a" });
    asked[0].answer();
    await settle();
    pages.start({ q: "b" });
    pages.start({ q: "c" });
    asked[1].answer();
    await settle();
    assert.equal(pages.at(0).id, "a0");
    asked[2].answer();
    await settle();
    assert.equal(pages.at(0).id, "c0");
    assert.deepEqual(told, [null, null]);
});

test("a failure is told, and the place can be asked for again", async () => {
    const told = [];
    const { asked, ask } = server(500);
    const pages = new LoraStack.FilePages(ask, (error) => told.push(error?.message ?? null));
    pages.start({ q: "" });
    asked[0].answer();
    await settle();
    pages.need(200, 210);
    asked[1].fail(new Error("no connection"));
    await settle();
    pages.need(200, 210);
    assert.deepEqual([told, asked.length], [[null, "no connection"], 3]);
});

test("the page holds a bounded number of files and gets let-go ones anew", async () => {
    const { asked, ask } = server(100_000);
    const pages = new LoraStack.FilePages(ask, () => undefined);
    pages.start({ q: "" });
    asked[0].answer();
    await settle();
    for (let first = 0; first < 10_000; first += 100) {
        pages.need(first, first + 1);
        asked.at(-1).answer();
        await settle();
    }
    const held = Array.from({ length: 100 }, (_, number) => pages.at(number * 100)).filter(Boolean);
    assert.equal(held.length, 30);
    assert.equal(pages.at(0), null);
    pages.need(0, 1);
    assert.equal(asked.at(-1).offset, 0);
});

test("a changed file takes the place of the old one", async () => {
    const { asked, ask } = server(3);
    const pages = new LoraStack.FilePages(ask, () => undefined);
    pages.start({ q: "" });
    asked[0].answer();
    await settle();
    pages.replace((file) => file.id === "1", { id: "1", favourite: true });
    assert.equal(pages.at(1).favourite, true);
});
