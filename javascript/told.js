// The server speaks English, for programs too; here its sentences are said in the reader's language, those that are known.
(function (LoraStack) {
    "use strict";

    const BETWEEN = " · "; // the parts of the line below the rows
    const PREFIX = "told.";
    let patterns = null; // of the English sentences, the longest first

    function patternOf(key, sentence) {
        const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
        // What is filled in holds no end of a sentence, else it would swallow sentences that are not known.
        const source = sentence.split(/\{(\w+)\}/).map((part, index) => (index % 2 ? `(?<${part}>(?:(?!\\. ).)+?)` : literal(part))).join("");
        return { key, length: sentence.length, whole: new RegExp(`^${source}$`, "i"), first: new RegExp(`^${source}(?=\\s|$)`, "i") };
    }

    function known() {
        const { en = {} } = LoraStack.tables ?? {};
        patterns ??= Object.keys(en).filter((key) => key.startsWith(PREFIX)).map((key) => patternOf(key.slice(PREFIX.length), en[key])).sort((a, b) => b.length - a.length);
        return patterns;
    }

    /** One part of a message: as a whole where that is known, else sentence by sentence; what is not known stays English. */
    function part(words) {
        for (const { key, whole } of known()) {
            const found = whole.exec(words);
            if (found) return say(key, found);
        }
        const said = [];
        let rest = words;
        while (rest) {
            const next = rest;
            const match = known().map(({ key, first }) => ({ key, found: first.exec(next) })).find(({ found }) => found);
            const end = match ? match.found[0].length : Math.max(0, rest.search(/[.:] /)) + 1;
            said.push(match ? say(match.key, match.found) : end > 1 ? rest.slice(0, end) : rest);
            rest = match || end > 1 ? rest.slice(end).trimStart() : "";
        }
        return said.join(" ").replace(/([。：]) /g, "$1"); // these signs hold their own space
    }

    function say(key, found) {
        const { field, ...values } = found.groups ?? {};
        if (field !== undefined) values.field = LoraStack.textOr(`field.${field.toLowerCase()}`, field);
        return LoraStack.text(`told.${key}`, values);
    }

    /** What the server said, in the reader's language. */
    LoraStack.told = function (message) {
        const words = String(message ?? "");
        if (words === "" || LoraStack.language() === "en") return words;
        return words.split(BETWEEN).map(part).join(BETWEEN);
    };

    /** Tell in `place` what is wrong with the folders, or nothing. */
    LoraStack.showTrouble = function (place, problems = []) {
        const words = problems.map(LoraStack.told).join(" ");
        place.hidden = words === "";
        if (place.textContent !== words) place.replaceChildren(LoraStack.icon("warning"), LoraStack.make("span", {}, words));
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
