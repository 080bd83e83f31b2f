// The words of the page in the reader's language. Files named strings… fill `LoraStack.tables`, one table a language.
(function (LoraStack) {
    "use strict";

    const KEPT = "lora-stack-language";
    const NAMES = Object.freeze({ en: "English", zh: "简体中文", ja: "日本語" });
    let chosen = ""; // until somebody chooses, what the browser prefers

    /** What the browser keeps of an earlier choice, or the first of its languages that we have. */
    function preferred() {
        const { localStorage, navigator } = globalThis;
        let kept = null;
        try {
            kept = localStorage?.getItem(KEPT);
        } catch {
            kept = null; // a browser that keeps nothing
        }
        const known = [kept, ...(navigator?.languages ?? [])].map((name) => String(name ?? "").slice(0, 2).toLowerCase());
        return known.find((name) => Object.hasOwn(NAMES, name)) ?? "en";
    }

    /** "en", "zh" or "ja". */
    LoraStack.language = function () {
        chosen ||= preferred();
        return chosen;
    };

    /** Use that language from now on; what is drawn already keeps its words until it is drawn anew. */
    LoraStack.chooseLanguage = function (name) {
        chosen = Object.hasOwn(NAMES, name) ? name : "en";
        try {
            globalThis.localStorage?.setItem(KEPT, chosen);
        } catch {
            // a browser that keeps nothing: chosen for this page only
        }
    };

    /** The text of `key` with {names} filled in; a missing key shows itself, so that it is noticed. */
    LoraStack.text = function (key, values = {}) {
        const { tables = {} } = LoraStack;
        const table = [tables[LoraStack.language()], tables.en].find((known) => known && Object.hasOwn(known, key));
        const template = table ? table[key] : key;
        return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
    };

    LoraStack.LANGUAGES = NAMES;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
