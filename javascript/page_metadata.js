// Writing into the file itself, only when asked to, and giving its metadata to the other files of the same training.
(function (LoraStack) {
    "use strict";

    const KEYS = Object.freeze(["modelspec.title", "modelspec.author", "modelspec.description", "modelspec.trigger_phrase", "modelspec.usage_hint", "modelspec.tags", "modelspec.license", "ss_training_comment"]);
    const CUT = 2000; // characters of a value that the server tells at most; a longer one is not edited here

    class MetadataForm {
        #page;
        #file = null;
        #busy = false;

        /** `page` has `api`, `say(text)`, `reload()`. */
        constructor(page) {
            const { make, text } = LoraStack;
            this.#page = page;
            this.fields = Object.fromEntries(KEYS.map((key) => [key, make("input", { class: "ls-text ls-plain", "aria-label": key, autocomplete: "off", onkeydown: (event) => event.stopPropagation() })]));
            this.backup = make("input", { type: "checkbox", class: "ls-check" });
            this.write = make("button", { type: "submit", class: "ls-button" }, LoraStack.icon("edit"), text("meta.write"));
            this.problem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.form = make("form", { class: "ls-edit", onsubmit: (event) => this.#write(event) },
                ...KEYS.map((key) => make("label", { class: "ls-edit-field" }, make("span", { class: "ls-caption" }, key), this.fields[key])),
                make("div", { class: "ls-edit-foot" }, make("label", { class: "ls-choice" }, this.backup, make("span", {}, text("meta.backup"))), this.write));
            this.siblings = make("div", { class: "ls-siblings" });
            this.root = make("details", { class: "ls-fold", ontoggle: () => this.#opened() }, make("summary", {}, text("meta.open")), make("p", { class: "ls-small" }, text("meta.note")), this.form, this.problem, this.siblings);
        }

        /** Shown again, the same file leaves the form as it is, open and with what was typed. */
        show(file) {
            const stays = this.#file !== null && LoraStack.fileId(this.#file) === LoraStack.fileId(file);
            const typed = new Set(stays ? this.#changed() : []);
            this.#file = file;
            if (!stays) {
                this.root.open = false;
                this.problem.hidden = true;
                this.siblings.replaceChildren();
                this.backup.checked = true;
            }
            this.write.disabled = file.writable === false || Boolean(file.problem);
            for (const [key, field] of Object.entries(this.fields)) {
                if (typed.has(key)) continue;
                field.value = this.#stored(key);
                field.disabled = field.value.length >= CUT;
                field.title = field.disabled ? LoraStack.text("meta.too_long") : "";
            }
        }

        #stored(key) {
            return String(this.#file.raw?.[key] ?? "");
        }

        #changed() {
            return KEYS.filter((key) => !this.fields[key].disabled && this.fields[key].value.trim() !== this.#stored(key).trim());
        }

        async #write(event) {
            event.preventDefault();
            const changed = this.#changed();
            if (changed.length === 0) {
                this.#page.say(LoraStack.text("meta.nothing"));
                return;
            }
            const fields = Object.fromEntries(changed.map((key) => [key, this.fields[key].value.trim() || null]));
            if (this.#busy) return;
            this.#busy = true; // the button is not disabled, which would drop the focus
            await this.#try(async () => {
                const { backup } = await this.#page.api.post("metadata", { id: LoraStack.fileId(this.#file), fields, backup: this.backup.checked });
                this.#file = { ...this.#file, raw: { ...this.#file.raw, ...fields } }; // nothing of it is unsaved any more
                this.#page.say(backup ? LoraStack.text("meta.written_backup", { backup }) : LoraStack.text("meta.written"));
                this.#page.reload();
            });
            this.#busy = false;
        }

        async #opened() {
            if (!this.root.open || this.siblings.childElementCount) return;
            await this.#try(async () => {
                const { items } = await this.#page.api.get("siblings", { id: LoraStack.fileId(this.#file) });
                this.#drawSiblings(items);
            });
        }

        #drawSiblings(items) {
            const { make, text } = LoraStack;
            const boxes = items.map((item) => {
                const box = make("input", { type: "checkbox", class: "ls-check", "data-id": LoraStack.fileId(item) });
                box.checked = true;
                return make("label", { class: "ls-choice" }, box, make("span", { class: "ls-choice-name" }, item.label));
            });
            const copy = make("button", { type: "button", class: "ls-button", onclick: () => this.#copy() }, LoraStack.icon("copy"), text("meta.copy"));
            const told = boxes.length ? [make("p", { class: "ls-caption" }, text("meta.siblings")), ...boxes, copy] : [make("p", { class: "ls-small" }, text("meta.no_siblings"))];
            this.siblings.replaceChildren(...told);
        }

        async #copy() {
            const { text } = LoraStack;
            const to = [...this.siblings.querySelectorAll("input:checked")].map((box) => box.dataset.id);
            if (to.length === 0 || this.#busy) return;
            this.#busy = true;
            await this.#try(async () => {
                const { copied, skipped } = await this.#page.api.post("metadata/copy", { from: LoraStack.fileId(this.#file), to, only_same_session: true, only_without: true });
                const left = skipped.map(({ label, why }) => text("meta.left", { label, why: LoraStack.told(why) })).join(" ");
                this.#page.say([text("meta.copied", { count: copied.length }), left].filter(Boolean).join(" "));
            });
            this.#busy = false;
        }

        async #try(work) {
            this.problem.hidden = true;
            try {
                await work();
            } catch (error) {
                LoraStack.setText(this.problem, LoraStack.text("browse.change_failed", { reason: error.message }));
                this.problem.hidden = false;
            }
        }
    }

    LoraStack.MetadataForm = MetadataForm;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
