// What the buttons of the panel do to a stack: model in, new model out. No page needed.
//
// A model is a stack whose rows carry an id that lives as long as the row does on this page, so that an open
// row stays open and a focused slider stays focused while others come and go.
(function (LoraStack) {
    "use strict";

    let lastId = 0; // only ever counts up; ids are never compared between pages

    function newId() {
        lastId += 1;
        return lastId;
    }

    /** The model of a stack; rows that were in `before` keep their ids. */
    function makeModel(stack, before = null) {
        const free = before ? [...before.rows] : [];
        const rows = stack.entries.map((entry) => {
            const name = JSON.stringify(LoraStack.fieldOf(entry, "network"));
            const index = free.findIndex((row) => JSON.stringify(LoraStack.fieldOf(row.entry, "network")) === name);
            return { id: index < 0 ? newId() : free.splice(index, 1)[0].id, entry };
        });
        return { version: stack.version, extra: stack.extra, rows };
    }

    function stackOf(model) {
        return { version: model.version, extra: model.extra, entries: model.rows.map((row) => row.entry) };
    }

    /** The model with other rows; rows that speak of another by its place go on speaking of the same. */
    function withRows(model, rows) {
        return { ...model, rows: LoraStack.renumbered(model.rows, rows) };
    }

    function addRow(model, entry) {
        return withRows(model, [...model.rows, { id: newId(), entry }]);
    }

    function removeRow(model, id) {
        return withRows(model, model.rows.filter((row) => row.id !== id));
    }

    function clearRows(model) {
        return withRows(model, []);
    }

    /** Put a copy of a row below it. */
    function duplicateRow(model, id) {
        return withRows(model, model.rows.flatMap((row) => (row.id === id ? [row, { id: newId(), entry: { ...row.entry } }] : [row])));
    }

    /** Move a row so that it stands at `index` afterwards; beyond the ends is the end. */
    function moveRow(model, id, index) {
        const moved = model.rows.find((row) => row.id === id);
        const rest = model.rows.filter((row) => row.id !== id);
        const place = Math.max(0, Math.min(index, rest.length));
        return moved ? withRows(model, [...rest.slice(0, place), moved, ...rest.slice(place)]) : model;
    }

    /** Set fields of a row, `{ weight: 1.1, region: "inpaint" }`. */
    function setFields(model, id, fields) {
        const changed = (entry) => Object.entries(fields).reduce((row, [name, value]) => LoraStack.withField(row, name, value), entry);
        return { ...model, rows: model.rows.map((row) => (row.id === id ? { id, entry: changed(row.entry) } : row)) };
    }

    /** Name the pictures of masks of the stack, `{ name: hash }`. */
    function setMasks(model, hashes) {
        return { ...model, extra: { ...model.extra, masks: { ...LoraStack.masksOf(model), ...hashes } } };
    }

    /** Put the rows of another stack below, and its masks; one whose name has another picture here gets a name of its own. */
    function appendStack(model, stack) {
        const masks = { ...LoraStack.masksOf(model) };
        const names = new Map();
        for (const [name, picture] of Object.entries(LoraStack.masksOf(stack))) {
            const own = !Object.hasOwn(masks, name) || masks[name] === picture ? name : freeName(name, { ...masks, ...LoraStack.masksOf(stack) });
            masks[own] = picture;
            names.set(name, own);
        }
        const extra = Object.keys(masks).length ? { ...model.extra, masks } : model.extra;
        return withRows({ ...model, extra }, [...model.rows, ...stack.entries.map((entry) => ({ id: newId(), entry: moved(entry, model.rows.length, names) }))]);
    }

    /** `mask 1` becomes `mask 2`, `left` becomes `left 2`, or as much as is free. */
    function freeName(name, taken) {
        const [, base, digits = "1"] = /^(.*?)\s*(\d{1,6})?$/s.exec(name);
        let number = Number(digits) + 1;
        while (Object.hasOwn(taken, `${base} ${number}`)) number += 1;
        return `${base} ${number}`;
    }

    /** A row whose `not:<row>` counted from the first row of its own stack, and whose mask may have another name now. */
    function moved(entry, by, names) {
        if (!LoraStack.isEntry(entry)) return entry;
        const region = LoraStack.readRegion(String(LoraStack.fieldOf(entry, "region") ?? ""));
        if (region.kind === "not") return LoraStack.withField(entry, "region", `not:${region.row + by}`);
        const name = region.kind === "mask" ? names.get(region.name) ?? region.name : region.name;
        return name === region.name ? entry : LoraStack.withField(entry, "region", `mask:${name}`);
    }

    function isOn(row) {
        return LoraStack.fieldOf(row.entry, "on") !== false;
    }

    /** Whether of several rows this one alone is on. */
    function isSolo(model, id) {
        return model.rows.length > 1 && model.rows.every((row) => isOn(row) === (row.id === id));
    }

    /** Switch all rows off but one; a second time, bring back those in `before` (ids that were on), or all. */
    function soloRow(model, id, before = null) {
        const wanted = isSolo(model, id) ? (row) => !before || before.has(row.id) : (row) => row.id === id;
        const rows = model.rows.map((row) => (LoraStack.isEntry(row.entry) && isOn(row) !== wanted(row) ? { id: row.id, entry: LoraStack.withField(row.entry, "on", wanted(row)) } : row));
        return { ...model, rows };
    }

    /** The row that a file picked in the list becomes: its own weight, or the usual one of its kind. */
    function makeEntry(file, roles) {
        const role = LoraStack.findRole(roles, file.role);
        const weight = LoraStack.isWeight(file.preferred_weight) ? file.preferred_weight : role ? role.default : LoraStack.FIELDS.weight;
        const entry = { network: file.label, hash: file.hash, weight, role: role ? role.name : "" };
        return Object.entries(entry).reduce((row, [name, value]) => LoraStack.withField(row, name, value), {});
    }

    /** What the server made of rows: of `asked`, what stands in `now` unchanged and has a tag, as { id, tag }. */
    function givenTags(asked, answers, now) {
        return asked
            .map(({ id, entry }, index) => ({ id, entry, tag: answers[index]?.tag }))
            .filter(({ id, entry, tag }) => tag && now.some((row) => row.id === id && row.entry === entry))
            .map(({ id, tag }) => ({ id, tag }));
    }

    Object.assign(LoraStack, {
        givenTags, makeModel, stackOf, addRow, removeRow, clearRows, duplicateRow, moveRow, setFields, setMasks, freeName, appendStack, isSolo, soloRow, makeEntry,
    });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
