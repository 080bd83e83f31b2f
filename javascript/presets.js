// Named stacks that are kept on the server: save, use, compare, rename, share, delete.
(function (LoraStack) {
    "use strict";

    class Presets {
        #panel;
        #presets = [];
        #items = new Map(); // name → the button that uses the preset

        constructor(panel) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.name = make("input", {
                type: "text", class: "ls-search", autocomplete: "off", maxlength: 120, placeholder: text("presets.name"), "aria-label": text("presets.name"),
                oninput: () => this.#typed(), onkeydown: (event) => this.#key(event),
            });
            this.saveButton = make("button", { type: "button", class: "ls-button ls-primary", onclick: () => this.#save() }, text("presets.save"));
            this.problem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.unreadable = make("p", { class: "ls-small", hidden: true });
            this.list = make("ul", { class: "ls-presets", "aria-label": text("presets.list") });
            this.empty = make("p", { class: "ls-small" }, text("presets.none"));
            this.root = make("section", { class: "ls-drawer", hidden: true, "aria-label": text("tool.presets"), onkeydown: (event) => this.#escape(event) },
                make("div", { class: "ls-save" }, this.name, this.saveButton), this.problem, this.unreadable, this.list, this.empty);
        }

        toggle() {
            this.root.hidden = !this.root.hidden;
            this.#panel.tools.presetsButton.setAttribute("aria-expanded", String(!this.root.hidden));
            if (this.root.hidden) {
                this.#panel.tools.presetsButton.focus();
                return;
            }
            this.#tell("");
            this.name.focus();
            this.#do(() => this.#load());
        }

        async #load() {
            const { presets, problems = [] } = await this.#panel.api.get("presets");
            this.#presets = presets;
            LoraStack.setText(this.unreadable, problems.map((problem) => LoraStack.told(problem)).join(" "));
            this.unreadable.hidden = problems.length === 0;
            this.#draw();
        }

        /** Run what asks the server, and say why where it does not work. */
        async #do(action) {
            try {
                await action();
                this.#tell("");
            } catch (error) {
                this.#tell(error.message);
            }
        }

        #tell(problem) {
            LoraStack.setText(this.problem, problem);
            this.problem.hidden = !problem;
        }

        #known(name) {
            return this.#presets.find((preset) => preset.name === name);
        }

        #typed() {
            LoraStack.setText(this.saveButton, LoraStack.text(this.#known(this.name.value.trim()) ? "presets.replace" : "presets.save"));
        }

        #key(event) {
            event.stopPropagation(); // Enter means something to the host
            if (event.key === "Enter" && !event.isComposing) this.#save();
            if (event.key === "Escape") this.toggle();
        }

        #escape(event) {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            this.toggle();
        }

        #save() {
            const name = this.name.value.trim();
            this.#do(async () => {
                const before = await this.#put(name, this.#panel.text);
                this.name.value = "";
                this.#typed();
                this.#say("say.preset_saved", name, before ? () => this.#do(() => this.#put(name, before)) : null);
            });
        }

        /** Returns the stack that stood under that name, which another browser tab may have saved. */
        async #put(name, stack) {
            const { replaced } = await this.#panel.api.post("presets", { name, stack });
            await this.#load();
            return replaced;
        }

        #say(key, name, undo = null) {
            this.#panel.tools.say(LoraStack.text(key, { name }), undo);
        }

        #draw() {
            this.#items.clear();
            this.list.replaceChildren(...this.#presets.map((preset) => this.#item(preset)));
            this.empty.hidden = this.#presets.length > 0 || !this.unreadable.hidden;
            this.#typed();
        }

        #item(preset) {
            const { make, text, iconButton } = LoraStack;
            const { name } = preset;
            const stack = readable(preset.stack);
            const rows = stack ? stack.entries.map((entry) => LoraStack.splitLabel(String(LoraStack.fieldOf(entry, "network"))).name).join(", ") : text("presets.broken");
            const details = make("div", { class: "ls-diff", hidden: true });
            const button = (icon, key, onclick) => iconButton(icon, text(`presets.${key}`, { name }), onclick);
            const use = make("button", { type: "button", class: "ls-preset-name", title: text("presets.use", { name }), "aria-label": text("presets.use", { name }), onclick: () => this.#use(preset) }, make("span", { class: "ls-title" }, make("span", {}, name)), make("span", { class: "ls-facts" }, rows));
            this.#items.set(name, use);
            return make("li", { class: "ls-preset" },
                make("div", { class: "ls-preset-line" }, use,
                    make("span", { class: "ls-actions" },
                        button("plus", "append", () => this.#use(preset, true)), button("compare", "compare", () => this.#compare(preset, details)),
                        button("edit", "rename", () => this.#rename(preset, details)), button("share", "share", () => this.#share(preset)), button("remove", "delete", () => this.#delete(preset)))),
                details);
        }

        #use({ name, stack: text }, append = false) {
            this.#do(async () => {
                const stack = LoraStack.readStack(text);
                if (!append) this.#panel.write(LoraStack.writeStack(stack));
                else if (!this.#panel.edit((model) => LoraStack.appendStack(model, stack))) return;
                if (stack.entries.length) this.#panel.enable();
                this.#say(append ? "say.preset_added" : "say.preset_used", name, true);
            });
        }

        /** Show what using the preset would change. */
        #compare(preset, place) {
            const { make, text } = LoraStack;
            if (!place.hidden) {
                place.hidden = true;
                return;
            }
            const [now, then] = [readable(this.#panel.text), readable(preset.stack)];
            const steps = now && then ? LoraStack.diffStacks(now, then) : [];
            const lines = steps.map(({ kind, name, fields }) => make("p", { class: `ls-diff-${kind}` }, text(`presets.${kind}`, { name }), ...fields.map(({ field, from, to }) => make("span", { class: "ls-note" }, `${field} ${String(from) || "–"} → ${String(to) || "–"}`))));
            const masks = now && then ? LoraStack.otherMasks(now, then) : [];
            if (masks.length) lines.push(make("p", {}, text("presets.masks", { names: masks.join(", ") })));
            place.replaceChildren(...(lines.length ? lines : [make("p", {}, text("presets.same"))]));
            place.hidden = false;
        }

        #rename(preset, place) {
            const { make, text } = LoraStack;
            const opener = document.activeElement;
            const field = make("input", { type: "text", class: "ls-search", maxlength: 120, "aria-label": text("presets.new_name", { name: preset.name }) });
            field.value = preset.name;
            const rename = () => this.#do(async () => {
                const to = field.value.trim();
                await this.#panel.api.post("presets/rename", { name: preset.name, to });
                await this.#load();
                this.#items.get(to)?.focus();
            });
            field.addEventListener("keydown", (event) => {
                event.stopPropagation();
                if (event.key === "Enter" && !event.isComposing) rename();
                if (event.key !== "Escape") return;
                place.hidden = true;
                opener?.focus();
            });
            place.replaceChildren(make("div", { class: "ls-save" }, field, make("button", { type: "button", class: "ls-button", onclick: rename }, text("presets.rename_now"))));
            place.hidden = false;
            field.select();
        }

        /** The preset as a file, with the pictures of its masks, to be dropped on somebody else's panel. */
        #share({ name, stack }) {
            this.#do(async () => {
                const text = await LoraStack.packedStack(this.#panel.api, stack);
                const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
                LoraStack.make("a", { href: address, download: `${name.replace(/[\\/:*?"<>|]/g, "_")}.json` }).click();
                setTimeout(() => URL.revokeObjectURL(address), 1000);
            });
        }

        #delete({ name, stack }) {
            this.#do(async () => {
                await this.#panel.api.post("presets/delete", { name });
                await this.#load();
                this.name.focus();
                this.#say("say.preset_deleted", name, () => this.#do(() => this.#put(name, stack)));
            });
        }
    }

    function readable(text) {
        try {
            return LoraStack.readStack(text);
        } catch {
            return null; // the list says that it cannot be read; using it says why
        }
    }

    LoraStack.Presets = Presets;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
