// What the user says of a file: title, kind, trigger words, weight, rating, notes, tags. The file itself is not written.
(function (LoraStack) {
    "use strict";

    const WORDS = Object.freeze(["trigger_words", "tags"]); // lists, written with commas

    class EditForm {
        #page;
        #file = null;
        #rating = 0;
        #drafts = new Map(); // file's id → what was typed and not saved

        /** `page` has `api`, `roles`, `say(text)`, `saved(item)`. */
        constructor(page) {
            const { make, text } = LoraStack;
            this.#page = page;
            const field = (name, tag = "input", attributes = {}) => make(tag, { class: tag === "input" ? "ls-text ls-plain" : "ls-paste-text", "aria-label": text(`edit.${name}`), autocomplete: "off", onkeydown: (event) => event.stopPropagation(), ...attributes });
            this.fields = {
                title: field("title"), trigger_words: field("trigger_words", "textarea", { rows: 2 }), negative: field("negative"),
                weight: field("weight", "input", { inputmode: "decimal" }), tags: field("tags"), notes: field("notes", "textarea", { rows: 4 }),
            };
            this.role = make("select", { class: "ls-select", "aria-label": text("edit.role") });
            this.stars = new LoraStack.Stars((rating) => this.#rate(rating));
            this.sidecar = make("input", { type: "checkbox", class: "ls-check" });
            this.problem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            const labelled = (name, control) => make("label", { class: "ls-edit-field" }, make("span", { class: "ls-caption" }, text(`edit.${name}`)), control);
            this.root = make("form", { class: "ls-edit", onsubmit: (event) => this.#save(event) },
                labelled("title", this.fields.title), labelled("role", this.role), labelled("weight", this.fields.weight),
                make("div", { class: "ls-edit-field" }, make("span", { class: "ls-caption" }, text("rating.label")), this.stars.root),
                labelled("trigger_words", this.fields.trigger_words), labelled("negative", this.fields.negative), labelled("tags", this.fields.tags), labelled("notes", this.fields.notes),
                make("div", { class: "ls-edit-foot" },
                    make("label", { class: "ls-choice" }, this.sidecar, make("span", {}, text("edit.sidecar"))),
                    make("button", { type: "submit", class: "ls-button ls-solid" }, text("edit.save"))), this.problem);
        }

        /** What was typed and not saved yet stays: when the same file is shown again, and when one comes back to it. */
        show(file) {
            const { make, text, fileId } = LoraStack;
            const stays = this.#isOf(file);
            if (this.#file) this.#drafts.set(fileId(this.#file), this.#typed());
            const typed = this.#drafts.get(fileId(file)) ?? {};
            this.#file = file;
            const roles = this.#page.roles;
            this.role.replaceChildren(make("option", { value: "" }, text("more.no_role")), ...roles.map((role) => make("option", { value: role.name }, LoraStack.roleText({ role: role.name }, roles))));
            this.role.value = typed.role ?? file.role ?? "";
            for (const [name, field] of Object.entries(this.fields)) field.value = typed[name] ?? this.#shown(name);
            this.#rate(typed.rating ?? file.rating ?? 0);
            this.sidecar.checked = stays && this.sidecar.checked;
            this.sidecar.disabled = file.writable === false;
            if (!stays) this.problem.hidden = true;
        }

        #isOf(file) {
            return this.#file !== null && LoraStack.fileId(this.#file) === LoraStack.fileId(file);
        }

        /** What differs from what the file says, as it stands in the fields. */
        #typed() {
            const fields = Object.entries(this.fields).filter(([name, field]) => field.value.trim() !== this.#shown(name).trim());
            const typed = Object.fromEntries(fields.map(([name, field]) => [name, field.value]));
            if (this.role.value !== (this.#file.role ?? "")) typed.role = this.role.value;
            if (this.#rating !== (this.#file.rating ?? 0)) typed.rating = this.#rating;
            return typed;
        }

        /** A field's text as it stands in the file's facts. */
        #shown(name) {
            const value = this.#file[name === "weight" ? "preferred_weight" : name];
            if (WORDS.includes(name)) return (this.#file.user?.[name] ?? value ?? []).join(", ");
            return value === null || value === undefined ? "" : String(value);
        }

        #rate(rating) {
            this.#rating = rating;
            this.stars.show(rating);
        }

        /** Only what was changed is sent; a field that was emptied gives the file's own value back. */
        #changes() {
            const changes = {};
            for (const [name, value] of Object.entries(this.#typed())) {
                const words = typeof value === "string" ? value.trim() : value;
                if (words === "") changes[name] = null;
                else if (WORDS.includes(name)) changes[name] = words.split(",").map((word) => word.trim()).filter(Boolean);
                else changes[name] = name === "weight" ? this.#weight(words) : words;
            }
            return changes;
        }

        #weight(typed) {
            const { value, problem } = LoraStack.readWeight(typed);
            if (problem) throw new RangeError(LoraStack.text("edit.no_number", { text: typed }));
            return value;
        }

        async #save(event) {
            event.preventDefault();
            const { text, setText, fileId } = LoraStack;
            const [file, sidecar, sent] = [this.#file, this.sidecar.checked, this.#typed()];
            try {
                const changes = this.#changes();
                const item = await this.#page.api.patch("network", { id: fileId(file), ...changes, ...(sidecar ? { sidecar: true } : {}) });
                this.#page.say(text(sidecar ? "edit.saved_sidecar" : "edit.saved"));
                this.#drafts.delete(fileId(file));
                if (this.#isOf(file)) {
                    this.problem.hidden = true;
                    this.sidecar.checked = false;
                    const since = Object.entries(this.#typed()).filter(([name, value]) => value !== sent[name]);
                    this.#drafts.set(fileId(file), Object.fromEntries(since));
                    this.#file = null; // what else stands in the fields is saved
                }
                this.#page.saved(item);
            } catch (error) {
                const told = text("browse.change_failed", { reason: error.message });
                if (!this.#isOf(file)) return void this.#page.say(told);
                setText(this.problem, told);
                this.problem.hidden = false;
            }
        }
    }

    LoraStack.EditForm = EditForm;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
