// What a row holds besides its line: own weights per part, kind and advice, trigger words, hash, moving.
(function (LoraStack) {
    "use strict";

    /** A weight of one part that is the row's own weight until it is switched on. */
    class PartWeight {
        #panel;
        #row;
        #part;

        constructor(panel, row, part) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            this.#part = part;
            this.own = make("input", { type: "checkbox", role: "switch", class: "ls-switch", onchange: () => this.#toggle() });
            this.field = new LoraStack.WeightField({
                onChange: (value) => panel.set(row.id, part, value),
                onProblem: (problem) => row.say(problem),
            });
            const label = make("label", { class: "ls-part-label", title: text(`more.${part}_help`) }, this.own, make("span", {}, text(`more.${part}`)));
            this.root = make("div", { class: "ls-part" }, label, this.field.root);
        }

        update(entry) {
            const stored = LoraStack.fieldOf(entry, this.#part);
            const own = stored !== null;
            const row = LoraStack.fieldOf(entry, "weight");
            const value = LoraStack.isWeight(stored) ? stored : LoraStack.isWeight(row) ? row : LoraStack.FIELDS.weight;
            const name = LoraStack.text(`more.${this.#part}_name`, { name: this.#row.name });
            this.own.checked = own;
            this.field.update({ name, value, start: value, disabled: !own });
            this.root.classList.toggle("ls-off", !own);
        }

        #toggle() {
            const weight = LoraStack.fieldOf(this.#row.entry, "weight");
            const value = LoraStack.isWeight(weight) ? weight : LoraStack.FIELDS.weight;
            this.#panel.set(this.#row.id, this.#part, this.own.checked ? value : null);
        }
    }

    class RowMore {
        #panel;
        #row;

        constructor(panel, row) {
            const { make, text, icon } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            const block = (key, ...children) => make("div", { class: "ls-block" }, make("span", { class: "ls-caption" }, text(key)), ...children);
            this.parts = ["te", "unet"].map((part) => new PartWeight(panel, row, part));
            this.schedule = new LoraStack.ScheduleField(panel, row);
            this.blocks = new LoraStack.BlockField(panel, row);
            this.role = make("select", { class: "ls-select", onchange: () => panel.set(row.id, "role", this.role.value) });
            this.advice = make("p", { class: "ls-advice" });
            this.words = make("div", { class: "ls-chips" });
            this.facts = make("p", { class: "ls-small" });
            this.kept = make("div", { class: "ls-chips" });
            this.keptBlock = block("more.kept", this.kept);
            const action = (name, key, onclick) => make("button", { type: "button", class: "ls-button", onclick }, icon(name), text(key));
            this.root = make("div", { class: "ls-more" },
                make("label", { class: "ls-block" }, make("span", { class: "ls-caption" }, text("more.role")), this.role, this.advice),
                block("more.words", this.words),
                this.keptBlock,
                make("div", { class: "ls-block ls-parts" }, ...this.parts.map((part) => part.root)),
                this.schedule.root,
                this.blocks.root,
                make("div", { class: "ls-block ls-foot" },
                    this.facts,
                    make("span", { class: "ls-foot-actions" },
                        action("up", "row.up", () => panel.move(row.id, row.index - 1)),
                        action("down", "row.down", () => panel.move(row.id, row.index + 1)),
                        action("duplicate", "row.copy", () => panel.duplicate(row.id)))));
        }

        update({ entry, file }) {
            this.#drawRole(entry);
            this.#drawWords(file);
            this.#drawKept(entry);
            for (const part of this.parts) part.update(entry);
            this.schedule.update(entry);
            this.blocks.update({ entry, file });
            this.#drawFacts(entry, file);
        }

        #drawRole(entry) {
            const { make, text } = LoraStack;
            const chosen = String(LoraStack.fieldOf(entry, "role"));
            const { roles } = this.#panel;
            const names = ["", ...roles.map((role) => role.name)];
            if (!names.includes(chosen)) names.push(chosen);
            if (this.role.options.length !== names.length) {
                const label = (name) => LoraStack.findRole(roles, name)?.label ?? (name || text("more.no_role"));
                this.role.replaceChildren(...names.map((name) => make("option", { value: name }, label(name))));
            }
            this.role.value = chosen;
            LoraStack.setText(this.advice, LoraStack.findRole(roles, chosen)?.hint ?? "");
        }

        #drawWords(file) {
            const { make, text } = LoraStack;
            const prompt = this.#panel.prompt;
            const words = file?.trigger_words ?? [];
            const chips = words.map((word) => {
                const used = prompt !== null && LoraStack.hasWord(prompt.value, word);
                return make("button", { type: "button", class: "ls-chip", "aria-pressed": String(used), title: text("more.words_help"), onclick: () => this.#toggleWord(word) }, word);
            });
            if (chips.length === 0) chips.push(make("span", { class: "ls-small" }, text("more.no_words")));
            this.words.replaceChildren(...chips);
        }

        #toggleWord(word) {
            const prompt = this.#panel.prompt;
            if (prompt === null) return;
            const change = LoraStack.hasWord(prompt.value, word) ? LoraStack.removeWord : LoraStack.addWord;
            prompt.value = change(prompt.value, word);
            LoraStack.announce(prompt);
            const chips = [...this.words.querySelectorAll("button")];
            const index = chips.findIndex((chip) => chip.textContent === word);
            chips[index]?.setAttribute("aria-pressed", String(LoraStack.hasWord(prompt.value, word)));
        }

        /** Fields without a control of their own: shown, and to be taken out where they are in the way. */
        #drawKept(entry) {
            const { make, text, icon } = LoraStack;
            const chips = LoraStack.otherFields(entry).map((field) => {
                const value = entry[field];
                const label = `${field}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
                return make("button", { type: "button", class: "ls-chip", title: text("more.kept_help", { field }), onclick: () => this.#panel.set(this.#row.id, field, undefined) }, label, icon("remove"));
            });
            this.kept.replaceChildren(...chips);
            this.keptBlock.hidden = chips.length === 0;
        }

        #drawFacts(entry, file) {
            const { text } = LoraStack;
            const hash = String(LoraStack.fieldOf(entry, "hash") || file?.hash || "");
            const lines = [
                `${text("more.file")}: ${file?.label ?? LoraStack.fieldOf(entry, "network")}`,
                hash ? `${text("more.hash")}: ${hash}` : "",
            ];
            LoraStack.setText(this.facts, lines.filter(Boolean).join(" · "));
        }
    }

    LoraStack.RowMore = RowMore;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
