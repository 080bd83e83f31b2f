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
        #file = null;
        #words = "";

        constructor(panel, row) {
            const { make, text, icon } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            const block = (key, ...children) => make("div", { class: "ls-block" }, make("span", { class: "ls-caption" }, text(key)), ...children);
            this.parts = ["te", "unet"].map((part) => new PartWeight(panel, row, part));
            this.schedule = new LoraStack.ScheduleField(panel, row);
            this.blocks = new LoraStack.BlockField(panel, row);
            this.region = new LoraStack.RegionField(panel, row);
            this.passes = new LoraStack.PassesField(panel, row);
            this.role = make("select", { class: "ls-select", onchange: () => panel.set(row.id, "role", this.role.value) });
            this.advice = make("p", { class: "ls-advice" });
            this.words = make("div", { class: "ls-chips" });
            this.facts = make("p", { class: "ls-small" });
            this.kept = make("div", { class: "ls-chips" });
            this.keptBlock = block("more.kept", this.kept);
            const action = (name, key, onclick) => make("button", { type: "button", class: "ls-button", onclick }, icon(name), text(key));
            this.soloButton = action("solo", "row.alone", () => panel.solo(row.id));
            this.soloButton.classList.add("ls-toggle");
            this.root = make("div", { class: "ls-more" },
                make("label", { class: "ls-block" }, make("span", { class: "ls-caption" }, text("more.role")), this.role, this.advice),
                block("more.words", this.words),
                this.keptBlock,
                make("div", { class: "ls-block ls-parts" }, ...this.parts.map((part) => part.root)),
                this.region.root,
                this.schedule.root,
                this.blocks.root,
                this.passes.root,
                make("div", { class: "ls-block ls-foot" },
                    this.facts,
                    make("span", { class: "ls-foot-actions" },
                        this.soloButton,
                        action("up", "row.up", () => panel.move(row.id, row.index - 1)),
                        action("down", "row.down", () => panel.move(row.id, row.index + 1)),
                        action("duplicate", "row.copy", () => panel.duplicate(row.id)))));
        }

        update({ entry, file, solo }) {
            this.#drawRole(entry);
            this.#file = file;
            this.drawWords();
            this.soloButton.setAttribute("aria-pressed", String(solo));
            this.region.update(entry);
            this.passes.update(entry);
            this.#drawKept(entry);
            for (const part of this.parts) part.update(entry);
            this.schedule.update(entry);
            this.blocks.update({ entry, file });
            this.#drawFacts(entry, file);
        }

        /** Draw anew what lies over the host's picture, size and steps: they change without the row. */
        lookAround() {
            this.region.lookAround();
            this.schedule.drawCurve();
        }

        #drawRole(entry) {
            const { make, text } = LoraStack;
            const chosen = String(LoraStack.fieldOf(entry, "role"));
            const { roles } = this.#panel;
            const names = ["", ...roles.map((role) => role.name)];
            if (!names.includes(chosen)) names.push(chosen);
            if (this.role.options.length !== names.length) {
                const label = (name) => LoraStack.roleLabel(LoraStack.findRole(roles, name)) || name || text("more.no_role");
                this.role.replaceChildren(...names.map((name) => make("option", { value: name }, label(name))));
            }
            this.role.value = chosen;
            LoraStack.setText(this.advice, LoraStack.roleHint(LoraStack.findRole(roles, chosen)));
        }

        /** Chips of the trigger words, those in the prompt marked; made anew only where the words are others. */
        drawWords() {
            const { make, text } = LoraStack;
            const words = this.#file?.trigger_words ?? [];
            if (JSON.stringify(words) !== this.#words) {
                this.#words = JSON.stringify(words);
                const chips = words.map((word) => make("button", { type: "button", class: "ls-chip", title: text("more.words_help"), onclick: () => this.#panel.toggleWord(word) }, word));
                this.words.replaceChildren(...(chips.length ? chips : [make("span", { class: "ls-small" }, text("more.no_words"))]));
            }
            const prompt = this.#panel.prompt?.value ?? "";
            [...this.words.querySelectorAll("button")].forEach((chip, index) => chip.setAttribute("aria-pressed", String(LoraStack.hasWord(prompt, words[index]))));
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
