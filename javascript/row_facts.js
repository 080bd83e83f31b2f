// The small words under a row's name: what the file is, whether it fits, where and when it acts, its trigger words.
(function (LoraStack) {
    "use strict";

    const TIMES = ["schedule", "te_schedule", "start", "stop"];

    function note(text, attributes = {}, mark = null) {
        return LoraStack.make("span", { class: "ls-note", ...attributes }, mark && LoraStack.icon(mark), text);
    }

    /** Something by which the row acts otherwise than its one number says: told on half a page too. */
    function aim(key, facts = {}) {
        return note(LoraStack.text(key, facts), { class: "ls-note ls-aim" });
    }

    /** Whether the file fits the loaded checkpoint, before anything is generated; nothing while that is not known. */
    function fitNote(fit) {
        const { text } = LoraStack;
        if (!fit) return null;
        const title = text("fit.counted", fit);
        if (!fit.fits) return note(text("fit.no"), { class: "ls-note ls-misfit", title: LoraStack.told(fit.reason) || title }, "warning");
        if (fit.matched < fit.total) return note(text("fit.partly"), { class: "ls-note ls-partial", title }, "warning");
        return note(text("fit.yes"), { class: "ls-note ls-fits", title }, "done");
    }

    /** How many of a file's trigger words stand in the prompt; while any is missing, a click puts it there. */
    function wordsNote(file, prompt, addWords) {
        const { text } = LoraStack;
        const words = file?.trigger_words ?? [];
        if (words.length === 0) return null;
        const missing = words.filter((word) => !LoraStack.hasWord(prompt, word));
        const used = words.length - missing.length;
        const said = text("row.words", { used, count: words.length });
        const named = `ls-note ls-words${used ? " ls-used" : ""}`;
        if (missing.length === 0) return note(said, { class: named, title: text("row.words_used") });
        const add = (event) => {
            event.stopPropagation(); // the row would unfold
            addWords(missing);
        };
        return LoraStack.make("button", { type: "button", class: named, title: `${used ? "" : `${text("row.words_unused")} `}${text("row.words_add")}`, onclick: add }, said);
    }

    /** All of them for a row; `prompt` is the prompt's text, `addWords(words)` puts trigger words into it. */
    function makeFacts({ entry, file, fit, prompt, addWords }) {
        const { text, fieldOf } = LoraStack;
        const region = LoraStack.readRegion(String(fieldOf(entry, "region") ?? ""));
        const facts = ["te", "unet"].map((part) => {
            const own = fieldOf(entry, part);
            return LoraStack.isWeight(own) ? aim(`row.${part}`, { weight: LoraStack.showWeight(own) }) : null;
        });
        facts.unshift(fitNote(fit), wordsNote(file, prompt, addWords)); // where there is little room only the first are seen
        if (region.kind) facts.push(note(text(`row.in_${region.kind}`, region), { class: "ls-note ls-aim ls-where" }));
        if (TIMES.some((field) => fieldOf(entry, field))) facts.push(aim("row.timed"));
        if (fieldOf(entry, "blocks")) facts.push(aim("row.blocks"));
        if (fieldOf(entry, "passes")) facts.push(aim("row.passes"));
        if (file) facts.push(...LoraStack.makeBadges(file));
        return facts.filter(Boolean);
    }

    LoraStack.makeFacts = makeFacts;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
