// The words of the page in the reader's language. Files named strings… fill `LoraStack.tables`, one table a language.
(function (LoraStack) {
    "use strict";

    const KEPT = "lora-stack-language";
    const NAMES = Object.freeze({ en: "English", zh: "简体中文", ja: "日本語" });
    let chosen = ""; // until somebody chooses, what the browser prefers

    /** The language that a name means, as settings, localizations and browsers write it: `日本語`, `zh_CN`, `en-GB`; "" for others. */
    function languageOf(name) {
        const wanted = String(name ?? "");
        const begin = wanted.slice(0, 2).toLowerCase();
        return Object.keys(NAMES).find((known) => known === begin || NAMES[known] === wanted) ?? "";
    }

    /** What the setting says, what the browser keeps of an earlier choice, how the host is localized, what the browser prefers. */
    function preferred() {
        const { localStorage, navigator, document } = globalThis;
        const place = document ? LoraStack.app().querySelector("[data-language]")?.dataset : null;
        let kept = null;
        try {
            kept = localStorage?.getItem(KEPT);
        } catch {
            kept = null; // a browser that keeps nothing
        }
        const wanted = [place?.language, kept, place?.localization, ...(navigator?.languages ?? [])];
        return wanted.map(languageOf).find(Boolean) ?? "en";
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

    /** The same as `text`, or `otherwise` where no table has the key: for names that the server may add to. */
    LoraStack.textOr = function (key, otherwise) {
        const told = LoraStack.text(key);
        return told === key ? otherwise : told;
    };

    Object.assign(LoraStack, { LANGUAGES: NAMES, languageOf });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
