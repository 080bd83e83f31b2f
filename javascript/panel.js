// The panel of one tab: it draws the rows of the stack, passes on what a person does to them, and says what happened.
(function (LoraStack) {
    "use strict";

    const LOADING_MS = [500, 8000, 30000]; // a checkpoint that was just chosen may need as long

    class Panel {
        #field; // StackField: what holds the truth
        #enabled;
        #kept;
        #words = new Set(); // trigger words that the panel put into the prompt
        #promptBox = null;
        #promptSeen = null;
        #rows = new Map(); // id → Row
        #order = []; // Rows as they stand
        #soloed = null; // ids of the rows that were on before one was asked for alone
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
            this.#field = new LoraStack.StackField(text, () => this.prompt);
            this.#enabled = enabled;
            this.#kept = new LoraStack.Kept(tab);
            mount.closest(".prose")?.classList.remove("prose"); // gradio's styles for articles
            this.#build(mount);
            this.#restore();
            this.refresh();
            this.#start();
        }

        #build(mount) {
            const { make, text } = LoraStack;
            this.picker = new LoraStack.Picker(this);
            this.tools = new LoraStack.Tools(this);
            this.presets = new LoraStack.Presets(this);
            this.report = new LoraStack.Report(this.api, this.tab);
            this.list = make("ol", { class: "ls-rows", "aria-label": text("rows.label") });
            this.empty = make("p", { class: "ls-empty" }, text("rows.empty"));
            this.legend = make("p", { class: "ls-small ls-legend", hidden: true }, make("span", { class: "ls-swatch", "aria-hidden": "true" }), text("rows.legend"));
            mount.classList.add("lora-stack", `lora-stack-${this.tab}`);
            mount.lang = LoraStack.language();
            mount.replaceChildren(
                make("div", { class: "ls-head" }, this.picker.root, this.tools.root),
                this.presets.root, this.tools.paste, this.tools.broken, this.tools.off, this.list, this.empty,
                make("div", { class: "ls-under" }, this.tools.status, this.legend), this.report.root);
            new LoraStack.FocusKeeper(mount);
            LoraStack.listenForKeys(this, mount);
            LoraStack.listenForDrops(this, mount);
            LoraStack.guardSliders(mount);
            this.prompt?.addEventListener("input", () => this.#drawWords());
            // The host's size and steps: by typing, and by what its buttons did before the pointer came back.
            const fields = ["width", "height", "steps"].map((name) => `#${CSS.escape(this.tab)}_${name}`).join();
            LoraStack.app().addEventListener("input", (event) => event.target.closest(fields) && setTimeout(() => this.#lookAround()));
            mount.addEventListener("pointerenter", () => this.#lookAround());
        }

        /** Bring back what the browser tab kept, where the page came up empty. */
        #restore() {
            const { text, enabled, words } = this.#kept.load();
            if (!text || this.text !== "") return;
            this.#words = new Set(Array.isArray(words) ? words : []);
            this.write(text);
            if (enabled) this.enable();
        }

        async #start() {
            try {
                [this.roles, this.blocks] = await Promise.all([this.api.getSoon("advice"), this.api.getSoon("blocks")]);
                await this.tell();
            } catch (error) {
                this.offline(error);
            }
            this.#draw();
            this.#ask(); // nobody may have answered before
        }

        get rows() {
            return this.#order;
        }

        get text() {
            return this.#field.text;
        }

        /** Names of the stack's masks, and for each the digits of its picture. */
        get masks() {
            return this.#field.model ? LoraStack.masksOf(this.#field.model) : {};
        }

        /** The prompt's text box of this tab, or null where the host has none. */
        get prompt() {
            // Every row asks, and to look it up in a page that is being changed takes longer than to draw the row.
            if (!this.#promptBox?.isConnected) this.#promptBox = LoraStack.app().querySelector(`#${CSS.escape(this.tab)}_prompt textarea`);
            return this.#promptBox;
        }

        fileOf(entry) {
            return this.#checker.fileOf(entry);
        }

        holds(file) {
            return (this.#field.model?.rows ?? []).some((row) => LoraStack.fieldOf(row.entry, "network") === file.label);
        }

        /** Look at the text box and the switch again, if somebody else changed them: a paste, a preset, another script. */
        refresh() {
            if (this.#field.read()) {
                this.tools.showBroken(this.#field.problem);
                this.#changed();
            } else {
                this.tools.showOff(this.#order.length > 0 && !this.isOn);
                this.#keep();
            }
            this.#drawWords(); // the host may have put another prompt there
            this.#lookAround();
        }

        #lookAround() {
            for (const row of this.#order) row.lookAround();
        }

        /** A picture was finished or failed: show the new report, if there is one; the checkpoint is loaded by now. */
        async tell() {
            const report = await this.report.refresh();
            if (report === null) return;
            this.report.show(report);
            this.askAgain();
        }

        /** Another checkpoint was chosen: ask anew which files fit, now and when it will have been loaded. */
        checkpointChanged() {
            for (const wait of LOADING_MS) setTimeout(() => this.askAgain(), wait);
        }

        /** Put a file into a row of its own below the others; return whether that was possible. */
        add(file) {
            const entry = LoraStack.makeEntry(file, this.roles);
            this.#checker.remember(entry, file);
            if (!this.edit((model) => LoraStack.addRow(model, entry))) return false;
            if (this.#order.length === 1) this.enable();
            this.tools.say(LoraStack.text("say.added", { name: file.label }));
            return true;
        }

        set(id, field, value) {
            this.setFields(id, { [field]: value });
        }

        /** Change several fields of a row at once. */
        setFields(id, fields) {
            this.edit((model) => LoraStack.setFields(model, id, fields), { key: `${id} ${Object.keys(fields)}` });
        }

        /** Name the pictures of masks, `{ name: hash }`; the rows that they are for say so themselves. */
        setMasks(hashes) {
            this.edit((model) => LoraStack.setMasks(model, hashes));
        }

        duplicate(id) {
            this.edit((model) => LoraStack.duplicateRow(model, id));
        }

        move(id, index) {
            this.edit((model) => LoraStack.moveRow(model, id, index), { key: `${id} place` });
            const row = this.#rows.get(id);
            this.tools.say(LoraStack.text("say.moved", { name: row.name, row: row.index + 1, count: this.#order.length }));
        }

        /** Use this row alone, or all that were used before. */
        solo(id) {
            const { model } = this.#field;
            const back = LoraStack.isSolo(model, id);
            const before = this.#soloed;
            this.#soloed = back ? null : new Set(model.rows.filter((row) => LoraStack.fieldOf(row.entry, "on") !== false).map((row) => row.id));
            this.edit((now) => LoraStack.soloRow(now, id, before));
            this.tools.say(LoraStack.text(back ? "say.solo_off" : "say.solo_on", { name: this.#rows.get(id).name }), true);
        }

        isSolo(id) {
            return this.#field.model !== null && LoraStack.isSolo(this.#field.model, id);
        }

        /** Remove a row, and from the prompt the trigger words that came in with it. */
        remove(id) {
            const row = this.#rows.get(id);
            const { index, name } = row;
            const prompt = this.#withoutWordsOf(row);
            this.edit((model) => LoraStack.removeRow(model, id), { prompt });
            const next = this.#order[Math.min(index, this.#order.length - 1)];
            (next?.removeButton ?? this.picker.input).focus();
            this.tools.say(LoraStack.text(prompt === null ? "say.removed" : "say.removed_words", { name }), true);
        }

        #withoutWordsOf(row) {
            const others = new Set(this.#order.filter((other) => other !== row).flatMap((other) => this.fileOf(other.entry)?.trigger_words ?? []));
            const words = (this.fileOf(row.entry)?.trigger_words ?? []).filter((word) => this.#words.has(word) && !others.has(word));
            const before = this.prompt?.value ?? "";
            const after = words.reduce(LoraStack.removeWord, before);
            return after === before ? null : after;
        }

        clear() {
            const count = this.#order.length;
            if (count === 0) return;
            this.edit(LoraStack.clearRows);
            this.picker.input.focus();
            this.tools.say(LoraStack.text("say.cleared", { count }), true);
        }

        /** Put a trigger word into the prompt, or take it out. */
        toggleWord(word) {
            const { prompt } = this;
            if (prompt === null) return;
            const used = LoraStack.hasWord(prompt.value, word);
            prompt.value = (used ? LoraStack.removeWord : LoraStack.addWord)(prompt.value, word);
            if (used) this.#words.delete(word);
            else this.#words.add(word);
            LoraStack.announce(prompt);
            this.#keep();
        }

        undo() {
            if (this.#field.undo()) this.#changed();
        }

        redo() {
            if (this.#field.redo()) this.#changed();
        }

        get canUndo() {
            return this.#field.canUndo;
        }

        get canRedo() {
            return this.#field.canRedo;
        }

        /** Put a whole stack text into the box, as a paste from outside would. */
        write(text) {
            if (this.#field.put(text)) this.#changed();
        }

        /** Change the stack by a function from model to model, and the prompt with it; see StackField. Returns whether there is one. */
        edit(change, options) {
            if (this.#field.model === null) {
                this.tools.say(LoraStack.text("say.unreadable"));
                return false;
            }
            if (this.#field.edit(change, options)) this.#changed();
            return true;
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
                this.offline(error);
            }
        }

        offline(error) {
            this.tools.say(LoraStack.text("say.offline", { reason: error.message }));
        }

        #changed() {
            this.tools.outdate();
            this.tools.showBroken(this.#field.problem);
            this.#draw();
            this.report.age();
            this.#keep();
            this.#ask();
        }

        #keep() {
            this.#kept.save({ text: this.text, enabled: this.isOn, words: [...this.#words] });
        }

        #ask() {
            this.#checker.askSoon(() => this.#state());
        }

        /** Ask about the rows though they are as they were: what they are about is not. */
        askAgain() {
            // Nobody answers now: every later edit asks again, and generating tells by itself.
            if (this.#order.length) this.#checker.ask(this.#state(), true).catch(() => undefined);
        }

        #state() {
            return { model: this.#field.model, text: this.text };
        }

        #answered(problem) {
            if (this.#field.model !== null) this.tools.showBroken(problem);
            this.#draw();
        }

        #drawWords() {
            const prompt = this.prompt?.value ?? "";
            if (prompt === this.#promptSeen) return;
            this.#promptSeen = prompt;
            for (const row of this.#order) row.drawWords();
        }

        #draw() {
            const { model } = this.#field;
            const rows = model?.rows ?? [];
            const alive = new Set(rows.map((row) => row.id));
            const focused = document.activeElement;
            for (const [id, row] of this.#rows) {
                if (!alive.has(id)) {
                    row.root.remove();
                    this.#rows.delete(id);
                }
            }
            this.#order = rows.map(({ id, entry }, index) => {
                const row = this.#rows.get(id) ?? new LoraStack.Row(this, id);
                this.#rows.set(id, row);
                row.place(entry, index);
                if (this.list.children[index] !== row.root) this.list.insertBefore(row.root, this.list.children[index] ?? null);
                return row;
            });
            if (focused !== document.activeElement && this.list.contains(focused)) focused.focus({ preventScroll: true }); // its row was moved
            for (const row of this.#order) {
                const told = this.#checker.answerOf(row);
                row.update({ entry: row.entry, index: row.index, file: this.fileOf(row.entry), ...told, roles: this.roles, solo: this.isSolo(row.id), around: row.isOpen ? model : null });
            }
            this.empty.hidden = rows.length > 0 || model === null;
            this.legend.hidden = !rows.some((row) => LoraStack.findRole(this.roles, LoraStack.fieldOf(row.entry, "role")));
            this.tools.update(rows.length);
            this.tools.showOff(rows.length > 0 && !this.isOn);
        }
    }

    LoraStack.Panel = Panel;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
