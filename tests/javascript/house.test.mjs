// The rules every script of the panel keeps: one global, no markup from data, every text in the table.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const FOLDER = new URL("../../javascript/", import.meta.url);
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith(".js")).sort();
const SOURCES = Object.fromEntries(NAMES.map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]));

function loaded(names) {
    const page = vm.createContext({});
    for (const name of names) vm.runInContext(SOURCES[name], page, { filename: name });
    return page;
}

test("there is one global, in whatever order the scripts arrive", () => {
    for (const names of [NAMES, [...NAMES].reverse()]) {
        const page = loaded(names);
        assert.deepEqual(Object.keys(page), ["LoraStack"]);
        assert.equal(typeof page.LoraStack.mount, "function");
    }
    assert.deepEqual(Object.keys(loaded(NAMES).LoraStack).sort(), Object.keys(loaded([...NAMES].reverse()).LoraStack).sort());
});

test("the host is told what to call once the page is there", () => {
    const page = vm.createContext({ told: [] });
    vm.runInContext("onUiLoaded = (f) => told.push(['loaded', typeof f]); onAfterUiUpdate = (f) => told.push(['update', typeof f]);", page);
    for (const name of NAMES) vm.runInContext(SOURCES[name], page, { filename: name });
    assert.deepEqual(JSON.parse(JSON.stringify(page.told)), [["loaded", "function"], ["update", "function"]]);
});

for (const name of NAMES) {
    test(`${name} makes no markup from text and looks nothing up by its text`, () => {
        const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|console\./;
        assert.doesNotMatch(SOURCES[name], forbidden);
    });
    test(`${name} can be read by Safari before 16.4, to which a look behind is an error in the whole script`, () => {
        assert.doesNotMatch(SOURCES[name], /\(\?<[=!]/);
    });
    test(`${name} begins with what it is for`, () => assert.match(SOURCES[name], /^\/\/ [A-Z].+/));
}

test("every text that is used is in the table, and every text in the table is used", () => {
    const strings = loaded(NAMES).LoraStack.tables.en;
    const code = Object.entries(SOURCES).filter(([name]) => !name.startsWith("strings")).map(([, source]) => source).join("\n");
    const keys = Object.keys(strings);
    const groups = new Set(keys.map((key) => key.split(".")[0]));
    const literal = [...code.matchAll(/"([a-z]+\.[a-z_]+)"/g)].map((match) => match[1]).filter((key) => groups.has(key.split(".")[0]));
    assert.deepEqual(literal.filter((key) => !keys.includes(key)), [], "used and missing");
    const made = [...code.matchAll(/`([a-z]+\.)\$\{[^}]+\}(\w*)`/g)].map((match) => [match[1], match[2]]);
    const used = (key) => literal.includes(key) || made.some(([start, end]) => key.startsWith(start) && key.endsWith(end));
    assert.deepEqual(keys.filter((key) => !used(key)), [], "in the table and never used");
});

test("every language has every text, no other, and the same places to fill in", () => {
    const { en, ...others } = loaded(NAMES).LoraStack.tables;
    const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.deepEqual(Object.keys(others).sort(), ["ja", "zh"]);
    for (const [language, table] of Object.entries(others)) {
        assert.deepEqual(Object.keys(en).filter((key) => !Object.hasOwn(table, key)), [], `missing in ${language}`);
        assert.deepEqual(Object.keys(table).filter((key) => !Object.hasOwn(en, key)), [], `unknown in ${language}`);
        for (const [key, text] of Object.entries(table)) assert.deepEqual(places(text), places(en[key]), `${language} ${key}`);
    }
});
