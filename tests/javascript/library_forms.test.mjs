// What is typed about a file: only that is written, into that file alone, and it is not lost on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { later, load } from "./page.mjs";

const LoraStack = load("stars.js", "page_edit.js", "page_metadata.js");
const A = { id: "a", label: "a", writable: true, user: {}, trigger_words: ["neon"], notes: "one\ntwo", role: "", rating: 0 };
const B = { ...A, id: "b", label: "b", notes: "" };

function metadataForm() {
    const asked = [];
    const said = [];
    const answers = { "metadata": { backup: "x.backup" }, "siblings": { items: [] }, "metadata/copy": { copied: [], skipped: [] } };
    const ask = async (name, value) => {
        asked.push([name, value]);
        return answers[name];
    };
    const form = new LoraStack.MetadataForm({ api: { post: ask, get: ask }, say: (words) => said.push(words), reload: () => undefined });
    return { form, asked, said, answers, fields: form.fields };
}

const DESCRIPTION = "A light.\nUse it at night.";

test("a text with line breaks, and one of which only a part was told, are not written unless somebody edits them", async () => {
    const { form, asked, fields } = metadataForm();
    const long = "x".repeat(1990);
    form.show({ ...A, raw: { "modelspec.description": DESCRIPTION, "modelspec.author": "Me\nYou", "modelspec.license": long }, editable: { "modelspec.description": DESCRIPTION, "modelspec.author": "Me\nYou" } });
    assert.equal(fields["modelspec.description"].value, DESCRIPTION, "its lines stay lines");
    assert.equal(fields["modelspec.license"].disabled, true);
    fields["modelspec.title"].value = "New";
    await form.form.happen("submit");
    assert.deepEqual(asked, [["metadata", { id: "a", fields: { "modelspec.title": "New" }, backup: true }]]);
});

test("what was typed into a file's metadata waits while another file is looked at", async () => {
    const { form, asked, fields } = metadataForm();
    form.show({ ...A, raw: { "modelspec.title": "Old" } });
    fields["modelspec.title"].value = "Typed";
    form.show({ ...B, raw: { "modelspec.title": "Other" } });
    assert.equal(fields["modelspec.title"].value, "Other");
    form.show({ ...A, raw: { "modelspec.title": "Old" } });
    assert.equal(fields["modelspec.title"].value, "Typed");
    await form.form.happen("submit");
    form.show({ ...B, raw: {} });
    form.show({ ...A, raw: { "modelspec.title": "Typed" } });
    await form.form.happen("submit");
    assert.equal(asked.length, 1, "nothing is written twice");
});

test("files of one training are offered on the page of theirs alone", async () => {
    const { form, answers } = metadataForm();
    const slow = later();
    answers.siblings = slow.promise;
    form.show(A);
    form.root.open = true;
    const opened = form.root.happen("toggle");
    form.show(B);
    slow.answer({ items: [{ id: "a2", label: "a2" }] });
    await opened;
    assert.equal(form.siblings.childElementCount, 0);
});

function editForm() {
    const asked = [];
    const saved = [];
    const answer = { now: Promise.resolve({}) };
    const api = { patch: (name, value) => asked.push(value) && answer.now };
    const form = new LoraStack.EditForm({ api, roles: [], say: () => undefined, saved: (item) => saved.push(item) });
    return { form, asked, saved, answer, fields: form.fields };
}

test("notes wait while another file is looked at, and are sent once", async () => {
    const { form, asked, fields } = editForm();
    form.show(A);
    fields.notes.value = "three";
    form.show(B);
    assert.equal(fields.notes.value, "");
    form.show(A);
    assert.equal(fields.notes.value, "three");
    await form.root.happen("submit");
    form.show({ ...A, notes: "three" });
    form.show(B);
    form.show({ ...A, notes: "three" });
    await form.root.happen("submit");
    assert.deepEqual(asked, [{ id: "a", notes: "three" }, { id: "a" }]);
});

test("what is typed while an answer is waited for stays, and another file's fields are left alone", async () => {
    const { form, asked, fields, answer } = editForm();
    const slow = later();
    answer.now = slow.promise;
    form.show(A);
    fields.title.value = "First";
    const saving = form.root.happen("submit");
    fields.negative.value = "day";
    slow.answer({ id: "a" });
    await saving;
    form.show({ ...A, title: "First" });
    assert.deepEqual([fields.title.value, fields.negative.value], ["First", "day"]);
    const slower = later();
    answer.now = slower.promise;
    const again = form.root.happen("submit");
    form.show(B);
    fields.title.value = "Typed into B";
    slower.answer({ id: "a" });
    await again;
    form.show({ ...B });
    assert.equal(fields.title.value, "Typed into B");
    assert.deepEqual(asked.map(({ id }) => id), ["a", "a"]);
});
