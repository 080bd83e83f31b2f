// Writing into the file itself, only when asked to, and giving its metadata to the other files of the same training.
(function (LoraStack) {
    "use strict";

    const KEYS = Object.freeze(["modelspec.title", "modelspec.author", "modelspec.description", "modelspec.trigger_phrase", "modelspec.usage_hint", "modelspec.tags", "modelspec.license", "ss_training_comment"]);
    const LINES = Object.freeze(["modelspec.description", "modelspec.usage_hint", "ss_training_comment"]); // may hold line breaks

    class MetadataForm {
        #page;
        #file = null;
        #shown = {}; // the values as the fields show them: a field may leave out what it cannot hold
        #drafts = new Map(); // file's id → what was typed and not written
        #busy = false;

        /** `page` has `api`, `say(text)`, `reload()`. */
        constructor(page) {
            const { make, text } = LoraStack;
            this.#page = page;
            const shared = { autocomplete: "off", onkeydown: (event) => event.stopPropagation() };
            this.fields = Object.fromEntries(KEYS.map((key) => [key, LINES.includes(key) ? make("textarea", { class: "ls-paste-text", rows: 2, "aria-label": key, ...shared }) : make("input", { class: "ls-text ls-plain", "aria-label": key, ...shared })]));
            this.backup = make("input", { type: "checkbox", class: "ls-check" });
            this.write = make("button", { type: "submit", class: "ls-button" }, LoraStack.icon("edit"), text("meta.write"));
            this.problem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.form = make("form", { class: "ls-edit", onsubmit: (event) => this.#write(event) },
                ...KEYS.map((key) => make("label", { class: "ls-edit-field" }, make("span", { class: "ls-caption" }, key), this.fields[key])),
                make("div", { class: "ls-edit-foot" }, make("label", { class: "ls-choice" }, this.backup, make("span", {}, text("meta.backup"))), this.write));
            this.siblings = make("div", { class: "ls-siblings" });
            this.root = make("details", { class: "ls-fold", ontoggle: () => this.#opened() }, make("summary", {}, text("meta.open")), make("p", { class: "ls-small" }, text("meta.note")), this.form, this.problem, this.siblings);
        }

        /** Shown again, a file has the form as it was left, with what was typed. */
        show(file) {
            const stays = this.#isOf(file);
            if (this.#file) this.#drafts.set(LoraStack.fileId(this.#file), this.#changed());
            const typed = this.#drafts.get(LoraStack.fileId(file)) ?? {};
            this.#file = file;
            if (!stays) {
                this.root.open = false;
                this.problem.hidden = true;
                this.siblings.replaceChildren();
                this.backup.checked = true;
            }
            this.write.disabled = file.writable === false || Boolean(file.problem);
            const { raw = {}, editable = raw } = file;
            for (const [key, field] of Object.entries(this.fields)) {
                field.value = editable[key] ?? raw[key] ?? "";
                this.#shown[key] = field.value;
                field.disabled = Boolean(raw[key]) && editable[key] === undefined; // only a part of it was told
                field.title = field.disabled ? LoraStack.text("meta.too_long") : "";
                if (!field.disabled && Object.hasOwn(typed, key)) field.value = typed[key];
            }
        }

        #isOf(file) {
            return this.#file !== null && LoraStack.fileId(this.#file) === LoraStack.fileId(file);
        }

        /** What somebody typed, by its key. */
        #changed() {
            const changed = Object.entries(this.fields).filter(([key, field]) => !field.disabled && field.value.trim() !== this.#shown[key].trim());
            return Object.fromEntries(changed.map(([key, field]) => [key, field.value]));
        }

        async #write(event) {
            event.preventDefault();
            const file = this.#file;
            const fields = Object.fromEntries(Object.entries(this.#changed()).map(([key, value]) => [key, value.trim() || null]));
            if (Object.keys(fields).length === 0) {
                this.#page.say(LoraStack.text("meta.nothing"));
                return;
            }
            if (this.#busy) return;
            this.#busy = true; // the button is not disabled, which would drop the focus
            await this.#try(file, async () => {
                const { backup } = await this.#page.api.post("metadata", { id: LoraStack.fileId(file), fields, backup: this.backup.checked });
                this.#page.say(backup ? LoraStack.text("meta.written_backup", { backup }) : LoraStack.text("meta.written"));
                this.#drafts.delete(LoraStack.fileId(file));
                if (!this.#isOf(file)) return; // another file's page by now
                for (const key of Object.keys(fields)) this.#shown[key] = this.fields[key].value; // nothing of it is unsaved any more
                this.#page.reload();
            });
            this.#busy = false;
        }

        async #opened() {
            if (!this.root.open || this.siblings.childElementCount) return;
            const file = this.#file;
            await this.#try(file, async () => {
                const { items } = await this.#page.api.get("siblings", { id: LoraStack.fileId(file) });
                if (this.#isOf(file)) this.#drawSiblings(items);
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
            const file = this.#file;
            await this.#try(file, async () => {
                const { copied, skipped } = await this.#page.api.post("metadata/copy", { from: LoraStack.fileId(file), to, only_same_session: true, only_without: true });
                const left = skipped.map(({ label, why }) => text("meta.left", { label, why: LoraStack.told(why) })).join(" ");
                this.#page.say([text("meta.copied", { count: copied.length }), left].filter(Boolean).join(" "));
            });
            this.#busy = false;
        }

        async #try(file, work) {
            this.problem.hidden = true;
            try {
                await work();
            } catch (error) {
                const told = LoraStack.text("browse.change_failed", { reason: error.message });
                if (!this.#isOf(file)) return void this.#page.say(told);
                LoraStack.setText(this.problem, told);
                this.problem.hidden = false;
            }
        }
    }

    LoraStack.MetadataForm = MetadataForm;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
