// Trigger words in a prompt: is it there, put it in, take it out. No page needed.
(function (LoraStack) {
    "use strict";

    function escape(text) {
        return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    }

    /** A word as the prompt needs it: the brackets of `saber (fate)` are its own, those of `(hat:1.2)` weigh it. */
    function written(word) {
        return word.trim().replace(/\(([^():\\]*)\)/g, (group, inside, at, text) =>
            /[^\s,][ _]$/.test(text.slice(0, at)) ? `\\(${inside}\\)` : group,
        );
    }

    /** Finds a word with its own brackets with and without the backslashes that keep the WebUI from reading them. */
    function spelt(word) {
        return escape(word.trim().replace(/\\(?=[()[\]])/g, "")).replace(/\\(?=[()[\]])/g, "\\\\?\\");
    }

    /** Finds `word` as a whole between commas, brackets, bars, tags or line ends, also weighted: `(word:1.2)`. */
    function pattern(word) {
        return new RegExp(`(^|[,(\\[\\n>|])([ \\t]*)${spelt(word)}(?=[ \\t]*($|[,)\\]:\\n<|]))`, "i");
    }

    function hasWord(prompt, word) {
        return word.trim() !== "" && pattern(word).test(prompt);
    }

    /** The prompt with `word` at its end, once. */
    function addWord(prompt, word) {
        if (!word.trim() || hasWord(prompt, word)) return prompt;
        const start = prompt.replace(/[\s,]+$/, "");
        return start ? `${start}, ${written(word)}` : written(word);
    }

    /** The prompt without `word`, its own brackets and the comma that came with it. */
    function removeWord(prompt, word) {
        const own = new RegExp(`[(\\[]+[ \\t]*(${spelt(word)})[ \\t]*(:[\\d. ]*)?[)\\]]+`, "i");
        const bare = prompt.replace(own, "$1");
        const found = word.trim() ? pattern(word).exec(bare) : null;
        if (!found) return prompt;
        const before = found[1];
        const tail = bare.slice(found.index + found[0].length).replace(/^[ \t]+/, "");
        const head = bare.slice(0, found.index);
        if (before === "," || before === "|") return tail.startsWith("<") ? `${head} ${tail}` : head + tail;
        const next = tail.replace(/^[,|][ \t]*/, "");
        return before === ">" && next ? `${head}> ${next}` : head + before + next;
    }

    Object.assign(LoraStack, { hasWord, addWord, removeWord });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
