// Where a clicked word goes: into the prompt of a tab, or onto the clipboard. One choice for the whole Library.
(function (LoraStack) {
    "use strict";

    const TARGETS = Object.freeze(["txt2img", "img2img", "clipboard"]);

    class WordTarget {
        #say;

        /** `say(text)` tells what became of a word. */
        constructor(say) {
            const { make, text } = LoraStack;
            this.#say = say;
            const names = [text("word.into", { tab: "txt2img" }), text("word.into", { tab: "img2img" }), text("word.copy")];
            this.select = make("select", { class: "ls-select ls-word-target", "aria-label": text("word.label") }, ...TARGETS.map((target, index) => make("option", { value: target }, names[index])));
            this.root = make("label", { class: "ls-small ls-word-choice" }, make("span", {}, text("word.label")), this.select);
        }

        async take(word) {
            const { text } = LoraStack;
            const target = this.select.value;
            if (target === "clipboard") {
                this.#say(text((await LoraStack.copyText(word)) ? "word.copied" : "say.copy_failed", { word }));
                return;
            }
            const prompt = LoraStack.panelOf(target)?.prompt;
            if (!prompt) {
                this.#say(text("word.no_prompt", { tab: target }));
                return;
            }
            prompt.value = LoraStack.addWord(prompt.value, word);
            LoraStack.announce(prompt);
            this.#say(text("word.added", { word, tab: target }));
        }
    }

    LoraStack.WordTarget = WordTarget;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
