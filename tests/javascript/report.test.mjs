// Which report is news: the first picture's too, however soon after the page was opened it is finished.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./page.mjs";

const LoraStack = load("strings.js", "strings_rows_en.js", "language.js", "dom.js", "report.js");

/** A report line, and a server that answers one question after the other, each when it is told to. */
function line() {
    const waiting = [];
    const api = { get: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })) };
    const report = new LoraStack.Report(api, "txt2img");
    const soon = () => new Promise((resolve) => setTimeout(resolve, 1));
    return {
        report,
        asked: () => waiting.length,
        sent: soon,
        answer: async (told) => {
            await soon();
            const { resolve, reject } = waiting.shift();
            if (told instanceof Error) reject(told);
            else resolve(told);
            await soon();
        },
    };
}

test("a picture made before the page was opened is no news", async () => {
    const { report, answer } = line();
    const first = report.refresh();
    await answer({ serial: 3, age: 3600 });
    assert.equal(await first, null);
    const next = report.refresh();
    await answer({ serial: 4, age: 0 });
    assert.equal((await next).serial, 4);
    const again = report.refresh();
    await answer({ serial: 4, age: 1 });
    assert.equal(await again, null);
});

test("a picture finished before the first answer is news", async () => {
    const { report, answer } = line();
    const first = report.refresh();
    await answer({ serial: 1, age: 0 });
    assert.equal((await first).serial, 1);
});

test("a picture finished while an older answer is on its way is asked for once more", async () => {
    const { report, answer, asked, sent } = line();
    const opened = report.refresh();
    await sent();
    const finished = report.refresh();
    assert.equal(await report.refresh(), null, "one question after the present one is enough");
    await answer({ serial: 0 });
    assert.equal(await opened, null);
    assert.equal(asked(), 1);
    await answer({ serial: 1, age: 0 });
    assert.equal((await finished).serial, 1);
});

test("a server that does not answer is asked again by the next change", async () => {
    const { report, answer } = line();
    const first = report.refresh();
    await answer(new Error("away"));
    assert.equal(await first, null);
    const next = report.refresh();
    await answer({ serial: 2, age: 0 });
    assert.equal((await next).serial, 2);
});

test("a server that was started anew and has no report has no news", async () => {
    const { report, answer } = line();
    const first = report.refresh();
    await answer({ serial: 5, age: 3600 });
    await first;
    const next = report.refresh();
    await answer({ serial: 0 });
    assert.equal(await next, null);
});
