// What the panel asks the server, and what it makes of the answers. The server is played here.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { LoraStack } from "./load.mjs";

let asked;
let answers;

function answer(value, status = 200) {
    return { ok: status < 400, status, statusText: "told by the test", json: async () => value };
}

beforeEach(() => {
    asked = [];
    answers = [];
    globalThis.fetch = async (address, options) => {
        asked.push({ address, ...options });
        const next = answers.length > 1 ? answers.shift() : answers[0];
        if (next instanceof Error) throw next;
        return next;
    };
});

afterEach(() => mock.timers.reset());

test("addresses are relative, so that a WebUI under a sub-path works", () => {
    const api = new LoraStack.Api("lora-stack");
    assert.equal(api.address("advice"), "./lora-stack/advice");
    assert.equal(api.address("networks", { q: "a&b ü/", offset: 0 }), "./lora-stack/networks?q=a%26b+%C3%BC%2F&offset=0");
});

test("an error of the server is told in its own words", async () => {
    const api = new LoraStack.Api("lora-stack");
    answers = [answer({ detail: "This LoRA has no preview picture." }, 404)];
    await assert.rejects(api.get("preview"), /^Error: This LoRA has no preview picture\.$/);
    answers = [answer({ detail: [{ msg: "too long" }] }, 422)];
    await assert.rejects(api.get("networks"), /422/);
    answers = [{ ok: true, status: 200, statusText: "OK", json: async () => { throw new SyntaxError("a page, no JSON"); } }];
    await assert.rejects(api.get("networks"), /200/);
});

test("what changes something says that it comes from this page", async () => {
    const api = new LoraStack.Api("lora-stack");
    answers = [answer({})];
    await api.post("refresh");
    await api.patch("network", { id: "a", favourite: true });
    await api.delete("hash");
    await api.get("networks");
    assert.deepEqual(asked.map(({ method, body }) => [method, body]), [["POST", undefined], ["PATCH", '{"id":"a","favourite":true}'], ["DELETE", undefined], [undefined, undefined]]);
    assert.deepEqual(asked.map(({ headers }) => headers?.["X-LoRA-Stack"]), ["1", "1", "1", undefined]);
});

test("routes that are added after the page was drawn are waited for", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    answers = [answer({ detail: "Not Found" }, 404), new TypeError("no connection"), answer(["advice"])];
    const soon = new LoraStack.Api("lora-stack").getSoon("advice");
    for (let round = 0; round < 6; round += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        mock.timers.tick(2000);
    }
    assert.deepEqual(await soon, ["advice"]);
    assert.equal(asked.length, 3);
});

function model(text, before = null) {
    return LoraStack.makeModel(LoraStack.readStack(text), before);
}

function state(text) {
    return { model: model(text), text };
}

function checker(told = []) {
    return new LoraStack.Checker(new LoraStack.Api("lora-stack"), (problem) => told.push(problem));
}

test("a row learns what is known of its file and what is wrong with it", async () => {
    const told = [];
    const check = checker(told);
    const now = state('[{"network":"a"},{"network":"b","hash":"12"}]');
    answers = [answer({ problem: "", rows: [{ file: { label: "a" }, problem: "" }, { file: null, problem: "not there" }] })];
    await check.ask(now);
    const [a, b] = now.model.rows;
    assert.deepEqual(JSON.parse(asked[0].body), { stack: now.text });
    assert.deepEqual([check.fileOf(a.entry), check.fileOf(b.entry)], [{ label: "a" }, null]);
    assert.deepEqual([check.answerOf(a).problem, check.answerOf(b).problem], ["", "not there"]);
    assert.deepEqual(told, [""]);
});

test("weights that are good numbers ask nobody, everything else does", async () => {
    const check = checker();
    answers = [answer({ problem: "", rows: [{ file: null, problem: "" }] })];
    const texts = ['[{"network":"a"}]', '[{"network":"a","weight":0.5,"te":0.1}]', '[{"network":"a","weight":"abc"}]', '[{"network":"a","on":false}]'];
    const first = model(texts[0]);
    const counts = [];
    for (const text of texts) {
        await check.ask({ model: model(text, first), text });
        counts.push(asked.length);
    }
    assert.deepEqual(counts, [1, 1, 2, 3]);
    await check.ask({ model: model(texts[3], first), text: texts[3] }, true);
    assert.equal(asked.length, 4, "after a refresh the same question is asked again");
});

test("a problem goes when the row changes, and stays when another row does", async () => {
    const check = checker();
    const now = state('[{"network":"a","region":"inpaint"},{"network":"b"}]');
    answers = [answer({ problem: "", rows: [{ file: null, problem: "region" }, { file: null, problem: "" }] })];
    await check.ask(now);
    const [bad, good] = now.model.rows;
    const moved = LoraStack.moveRow(now.model, good.id, 0);
    assert.equal(check.answerOf(moved.rows[1]).problem, "region");
    assert.equal(check.answerOf(LoraStack.setFields(now.model, bad.id, { weight: 0.3 }).rows[0]).problem, "region");
    assert.equal(check.answerOf(LoraStack.setFields(now.model, bad.id, { region: undefined }).rows[0]).problem, "");
});

test("an answer to an old question is dropped", async () => {
    const check = checker();
    const old = state('[{"network":"a"}]');
    const now = { model: model('[{"network":"c"}]', old.model), text: "" };
    let release;
    answers = [new Promise((resolve) => { release = () => resolve(answer({ problem: "", rows: [{ file: null, problem: "old" }] })); }), answer({ problem: "", rows: [{ file: null, problem: "new" }] })];
    const first = check.ask(old);
    await check.ask(now);
    release();
    await first;
    assert.equal(check.answerOf(old.model.rows[0]).problem, "");
    assert.equal(check.answerOf(now.model.rows[0]).problem, "new");
});

test("when nobody answers, the same question may be asked again", async () => {
    const check = checker();
    answers = [new TypeError("no connection")];
    const now = state('[{"network":"a"}]');
    await assert.rejects(check.ask(now), /no connection/);
    await assert.rejects(check.ask(now), /no connection/);
    assert.equal(asked.length, 2);
});
