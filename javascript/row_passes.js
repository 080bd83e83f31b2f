// In which passes a row acts: a check box for each, and a weight of its own where one is wanted.
(function (LoraStack) {
    "use strict";

    class PassesField {
        #panel;
        #row;
        #parts;
        #passes = null;

        constructor(panel, row) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            this.#parts = LoraStack.PASSES.map((name) => ({
                name,
                on: make("input", { type: "checkbox", class: "ls-check", onchange: (event) => this.#switch(name, event.target) }),
                weight: make("input", {
                    type: "text", class: "ls-number", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
                    onchange: (event) => this.#weigh(name, event.target.value),
                    onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
                }),
            }));
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("passes.caption")),
                make("div", { class: "ls-passes" }, ...this.#parts.map(({ name, on, weight }) => make("span", { class: "ls-pass" },
                    make("label", { class: "ls-part-label", title: text(`passes.${name}_help`) }, on, make("span", {}, text(`passes.${name}`))), weight))));
        }

        update(entry) {
            const { text, fieldOf } = LoraStack;
            const stored = String(fieldOf(entry, "passes"));
            this.#passes = LoraStack.readPasses(stored);
            for (const { name, on, weight } of this.#parts) {
                const pass = this.#passes?.[name] ?? { on: false, weight: "" };
                const label = text(`passes.${name}`);
                on.checked = pass.on;
                weight.disabled = !pass.on;
                weight.placeholder = String(fieldOf(entry, "weight"));
                weight.setAttribute("aria-label", text("passes.weight", { pass: label, name: this.#row.name }));
                weight.title = text("passes.weight_help");
                if (document.activeElement !== weight) weight.value = pass.weight;
            }
        }

        #switch(name, box) {
            const passes = this.#passes ?? LoraStack.readPasses("");
            const changed = LoraStack.writePasses({ ...passes, [name]: { ...passes[name], on: box.checked } });
            if (changed === null) {
                box.checked = true;
                this.#row.say(LoraStack.text("passes.last"));
                return;
            }
            this.#row.say("");
            this.#panel.set(this.#row.id, "passes", changed);
        }

        #weigh(name, typed) {
            const { weight, problem } = LoraStack.readPassWeight(typed);
            const kept = this.#passes[name].weight;
            this.#row.say(problem ? LoraStack.text(`weight.${problem}`, { text: typed.trim(), kept: kept || "–", limit: LoraStack.WEIGHT_LIMIT }) : "");
            if (problem) {
                this.update(this.#row.entry);
                return;
            }
            this.#panel.set(this.#row.id, "passes", LoraStack.writePasses({ ...this.#passes, [name]: { on: true, weight } }));
        }
    }

    LoraStack.PassesField = PassesField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
