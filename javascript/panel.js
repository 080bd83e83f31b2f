// The panel of one tab. The hidden text box holds the truth; this draws it, edits it and writes it back.
(function (LoraStack) {
    "use strict";

    class Panel {
        #text;
        #enabled;
        #written = null; // the text as last read or written here
        #model = null; // null while the text cannot be read
        #rows = new Map(); // id → Row
        #order = []; // Rows as they stand
        #checker;

        /** The fields that the place left by ui/panel.py names in its data attributes, or null while they are not drawn. */
        static findFields(mount) {
            const text = LoraStack.app().querySelector(`#${CSS.escape(mount.dataset.text)} textarea`);
            const enabled = LoraStack.app().querySelector(`#${CSS.escape(mount.dataset.enabled)} input[type=checkbox]`);
            return text && enabled ? { text, enabled } : null;
        }

        constructor(mount, { text, enabled }) {
            const { tab, routes } = mount.dataset;
            this.tab = tab;
            this.api = new LoraStack.Api(routes);
            this.roles = [];
            this.blocks = null; // what the server knows of block weights
            this.#checker = new LoraStack.Checker(this.api, (problem) => this.#answered(problem));
            this.#text = text;
            this.#enabled = enabled;
            mount.closest(".prose")?.classList.remove("prose"); // gradio's styles for articles
            this.#build(mount);
            this.refresh();
            this.#start();
        }

        #build(mount) {
            const { make, text } = LoraStack;
            this.picker = new LoraStack.Picker(this);
            this.tools = new LoraStack.Tools(this);
            this.report = new LoraStack.Report(this.api, this.tab);
            this.list = make("ol", { class: "ls-rows", "aria-label": text("rows.label") });
            this.empty = make("p", { class: "ls-empty" }, text("rows.empty"));
            this.legend = make("p", { class: "ls-small ls-legend", hidden: true }, make("span", { class: "ls-swatch", "aria-hidden": "true" }), text("rows.legend"));
            mount.classList.add("lora-stack", `lora-stack-${this.tab}`);
            mount.lang = LoraStack.language();
            mount.replaceChildren(
                make("div", { class: "ls-head" }, this.picker.root, this.tools.root),
                this.tools.paste, this.tools.broken, this.tools.off, this.list, this.empty,
                make("div", { class: "ls-under" }, this.tools.status, this.legend), this.report.root);
        }

        async #start() {
            try {
                [this.roles, this.blocks] = await Promise.all([this.api.getSoon("advice"), this.api.getSoon("blocks")]);
                await this.report.refresh();
            } catch (error) {
                this.#offline(error);
            }
            this.#draw();
            this.#checker.askSoon(() => this.#state()); // nobody may have answered before
        }

        get rows() {
            return this.#order;
        }

        get text() {
            return this.#text.value;
        }

        /** The prompt's text box of this tab, or null where the host has none. */
        get prompt() {
            return LoraStack.app().querySelector(`#${CSS.escape(this.tab)}_prompt textarea`);
        }

        fileOf(entry) {
            return this.#checker.fileOf(entry);
        }

        holds(file) {
            return (this.#model?.rows ?? []).some((row) => LoraStack.fieldOf(row.entry, "network") === file.label);
        }

        /** Read the text box again if somebody else changed it: a paste, a preset, another script. */
        refresh() {
            this.tools.showOff(this.#order.length > 0 && !this.isOn);
            if (this.#text.value === this.#written) return;
            const outside = this.#written !== null;
            this.#written = this.#text.value;
            try {
                this.#model = LoraStack.makeModel(LoraStack.readStack(this.#written), this.#model);
                this.tools.showBroken("");
            } catch (error) {
                if (!(error instanceof LoraStack.StackTextError)) throw error;
                this.#model = null;
                this.tools.showBroken(error.message);
            }
            this.#draw();
            if (outside) this.report.age();
            this.#checker.askSoon(() => this.#state());
        }

        /** A picture was finished or failed: show the new report, if there is one. */
        async tell() {
            const report = await this.report.refresh();
            if (report !== null) this.report.show(report);
        }

        add(file) {
            const entry = LoraStack.makeEntry(file, this.roles);
            this.#checker.remember(entry, file);
            this.#edit((model) => LoraStack.addRow(model, entry));
            if (this.#model.rows.length === 1) this.enable();
            this.tools.say(LoraStack.text("say.added", { name: file.label }));
        }

        set(id, field, value) {
            this.#edit((model) => LoraStack.setField(model, id, field, value));
        }

        duplicate(id) {
            this.#edit((model) => LoraStack.duplicateRow(model, id));
        }

        move(id, index) {
            this.#edit((model) => LoraStack.moveRow(model, id, index));
            const row = this.#rows.get(id);
            this.tools.say(LoraStack.text("say.moved", { name: row.name, row: row.index + 1, count: this.#order.length }));
        }

        remove(id) {
            const row = this.#rows.get(id);
            const before = this.text;
            const { index } = row;
            this.#edit((model) => LoraStack.removeRow(model, id));
            const next = this.#order[Math.min(index, this.#order.length - 1)];
            (next?.removeButton ?? this.picker.input).focus();
            this.tools.say(LoraStack.text("say.removed", { name: row.name }), () => this.write(before));
        }

        clear() {
            const before = this.text;
            const count = this.#order.length;
            if (count === 0) return;
            this.#edit(LoraStack.clearRows);
            this.tools.say(LoraStack.text("say.cleared", { count }), () => this.write(before));
        }

        /** Put a whole stack text into the box, as a paste from outside would. */
        write(text) {
            this.#text.value = text;
            LoraStack.announce(this.#text);
            this.refresh();
        }

        get isOn() {
            return this.#enabled.checked;
        }

        /** Switch the panel on, through the host's own check box. */
        enable() {
            if (this.isOn) return;
            this.#enabled.checked = true;
            LoraStack.announce(this.#enabled);
            this.tools.showOff(false);
        }

        /** Let the server look for new files, then ask about the rows again. */
        async reload() {
            try {
                const { total } = await this.api.post("refresh");
                this.tools.say(LoraStack.text("say.refreshed", { count: total }));
                if (this.picker.isOpen) await this.picker.load();
                await this.#checker.ask(this.#state(), true);
            } catch (error) {
                this.#offline(error);
            }
        }

        #edit(change) {
            if (this.#model === null) return;
            this.#model = change(this.#model);
            this.#written = LoraStack.writeStack(LoraStack.stackOf(this.#model));
            this.#text.value = this.#written;
            LoraStack.announce(this.#text);
            this.#draw();
            this.report.age();
            this.#checker.askSoon(() => this.#state());
        }

        #state() {
            return { model: this.#model, text: this.#written };
        }

        #answered(problem) {
            if (this.#model !== null) this.tools.showBroken(problem);
            this.#draw();
        }

        #offline(error) {
            this.tools.say(LoraStack.text("say.offline", { reason: error.message }));
        }

        #draw() {
            const rows = this.#model?.rows ?? [];
            const alive = new Set(rows.map((row) => row.id));
            for (const [id, row] of this.#rows) {
                if (!alive.has(id)) {
                    row.root.remove();
                    this.#rows.delete(id);
                }
            }
            this.#order = rows.map(({ id, entry }, index) => {
                const row = this.#rows.get(id) ?? new LoraStack.Row(this, id);
                this.#rows.set(id, row);
                if (this.list.children[index] !== row.root) this.list.insertBefore(row.root, this.list.children[index] ?? null);
                row.update({ entry, index, file: this.fileOf(entry), problem: this.#checker.problemOf({ id, entry }), roles: this.roles });
                return row;
            });
            this.empty.hidden = rows.length > 0 || this.#model === null;
            this.legend.hidden = !rows.some((row) => LoraStack.findRole(this.roles, LoraStack.fieldOf(row.entry, "role")));
            this.tools.update(rows.length);
            this.tools.showOff(rows.length > 0 && !this.isOn);
        }
    }

    LoraStack.Panel = Panel;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
