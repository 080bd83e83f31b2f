// What style.css keeps to: nothing that no script writes, nothing twice, and nothing of the host's own page.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const STYLE = readFileSync(new URL("style.css", ROOT), "utf8").replace(/\/\*[\s\S]*?\*\//g, " ");
const SOURCES = [...folder("javascript/", ".js"), ...folder("lib_lora/ui/", ".py")].join("\n");

function folder(path, end) {
    return readdirSync(new URL(path, ROOT)).filter((name) => name.endsWith(end)).map((name) => readFileSync(new URL(path + name, ROOT), "utf8"));
}

/** Every rule as { selectors, under }: `under` are the conditions around it. */
function rules() {
    const found = [];
    const open = [];
    let start = 0;
    for (const { 0: sign, index } of STYLE.matchAll(/[{};]/g)) {
        const head = STYLE.slice(start, index).trim().replace(/\s+/g, " ");
        start = index + 1;
        if (sign === "}") open.pop();
        if (sign !== "{") continue;
        if (!head.startsWith("@")) found.push({ selectors: head, under: open.join(" ") });
        open.push(head);
    }
    return found;
}

test("every class is one that a script or a page writes", () => {
    const made = [...SOURCES.matchAll(/(ls-[\w-]*-)\$\{/g)].map(([, begin]) => begin); // `ls-icon-${name}`
    const written = new Set(SOURCES.match(/\bls-[\w-]*\w/g));
    const unknown = new Set(STYLE.match(/\.ls-[\w-]+/g).map((name) => name.slice(1)).filter((name) => !written.has(name) && !made.some((begin) => name.startsWith(begin))));
    assert.deepEqual([...unknown], []);
});

test("no rule is written twice under the same condition", () => {
    const seen = new Set();
    const twice = rules().map(({ selectors, under }) => `${under} ${selectors}`).filter((rule) => seen.has(rule) || !seen.add(rule));
    assert.deepEqual(twice, []);
});

test("no rule reaches beyond what is ours", () => {
    const ours = /\.lora-stack|\.ls-/;
    const others = rules().filter(({ selectors }) => selectors.split(/,(?![^(]*\))/).some((part) => !ours.test(part)));
    assert.deepEqual(others.map(({ selectors }) => selectors), []);
});
