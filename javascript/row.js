// One row of the stack: everything an artist needs every minute, in one line.
(function (LoraStack) {
    "use strict";

    const INPAINT_WEIGHT = 1.1; // of an object in the mask, by the recipe

    class Row {
        #panel;
        #name = "";
        #state = null; // what is drawn
        #tileOf = null;
        #more = null;

        constructor(panel, id) {
            const { make, text, iconButton } = LoraStack;
            this.#panel = panel;
            this.id = id;
            this.handle = iconButton("grip", "", null, {
                class: "ls-handle", onkeydown: (event) => this.#moveByKey(event),
                onpointerdown: (event) => LoraStack.startDrag(panel, this, event),
            });
            this.on = make("input", { type: "checkbox", role: "switch", class: "ls-switch", onchange: () => panel.set(id, "on", this.on.checked) });
            this.tile = make("span", { class: "ls-tile" });
            this.title = make("span", { class: "ls-title" });
            this.facts = make("span", { class: "ls-facts" });
            this.weight = new LoraStack.WeightField({
                onChange: (value) => panel.set(id, "weight", value),
                onProblem: (problem) => this.say(problem),
            });
            this.moreButton = iconButton("more", "", () => this.toggleMore(), { "aria-expanded": "false" });
            this.soloButton = iconButton("solo", "", () => panel.solo(id), { class: "ls-button ls-icon-button ls-wide-only", "aria-pressed": "false" });
            this.duplicateButton = iconButton("duplicate", "", () => panel.duplicate(id), { class: "ls-button ls-icon-button ls-wide-only" });
            this.removeButton = iconButton("remove", "", () => panel.remove(id));
            this.problem = make("p", { class: "ls-problem", hidden: true });
            this.typed = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.hint = make("p", { class: "ls-hint", hidden: true });
            this.recipe = make("p", { class: "ls-recipe", hidden: true }, text("recipe.hint"), " ",
                make("button", { type: "button", class: "ls-link", onclick: () => this.#inpaint() }, text("recipe.use")));
            this.root = make("li", { class: "ls-row", "data-id": id, style: `--ls-hue: ${LoraStack.rowHue(this)}` },
                make("div", { class: "ls-line" },
                    this.handle, this.on, this.tile,
                    make("span", { class: "ls-name", onclick: () => this.toggleMore() }, this.title, this.facts),
                    this.weight.root,
                    make("span", { class: "ls-actions" }, this.soloButton, this.moreButton, this.duplicateButton, this.removeButton)),
                this.hint, this.recipe, this.typed, this.problem);
        }

        /** Take a place in the list; comes before `update`, so that rows can look at one another. */
        place(entry, index) {
            this.entry = entry;
            this.index = index;
            this.#name = LoraStack.splitLabel(String(LoraStack.fieldOf(entry, "network"))).name || LoraStack.text("row.unnamed");
        }

        /** Draw the row as it is now. `file` is what the library knows, `problem` what the server objects to, `fit` how it meets the checkpoint. */
        update(state) {
            const drawn = this.#state;
            const changed = (...names) => !drawn || names.some((name) => state[name] !== drawn[name]);
            if (!changed(...Object.keys(state))) return;
            this.#state = state;
            const { entry, index, file, problem, solo } = state;
            const { text, setText, setLabel, fieldOf } = LoraStack;
            const usable = LoraStack.isEntry(entry);
            const on = fieldOf(entry, "on") !== false;
            this.root.setAttribute("aria-label", text("row.label", { row: index + 1, name: this.#name }));
            this.root.classList.toggle("ls-off", !on);
            this.on.checked = on;
            this.on.disabled = this.soloButton.disabled = !usable;
            this.soloButton.setAttribute("aria-pressed", String(solo));
            if (changed("entry")) {
                for (const [part, key] of [[this.handle, "row.move"], [this.on, "row.on"], [this.soloButton, "row.solo"], [this.moreButton, "row.more"], [this.duplicateButton, "row.duplicate"], [this.removeButton, "row.remove"]]) {
                    setLabel(part, text(key, { name: this.#name }));
                }
            }
            if (changed("entry", "file", "roles")) {
                this.#drawName(file);
                this.#drawWeight(entry, usable, file);
            }
            if (changed("entry", "file", "fit")) this.drawWords();
            const unpainted = Boolean(problem) && Boolean(file) && this.#isUnpainted(entry);
            const bad = this.#ownProblem(entry, usable) || (unpainted ? "" : problem);
            setText(this.problem, bad || (unpainted ? text("region.unpainted") : ""));
            this.problem.classList.toggle("ls-next", unpainted && !bad);
            this.problem.hidden = !bad && !unpainted;
            this.root.classList.toggle("ls-bad", Boolean(bad));
            this.#more?.update({ entry, file, solo });
        }

        get name() {
            return this.#name;
        }

        get isOpen() {
            return this.#more !== null;
        }

        /** Tell what is wrong with what was typed into this row, or nothing any more. */
        say(text) {
            LoraStack.setText(this.typed, text);
            this.typed.hidden = !text;
        }

        toggleMore() {
            if (this.#more) {
                if (this.#more.root.contains(document.activeElement)) this.moreButton.focus();
                this.#more.root.remove();
                this.#more = null;
            } else {
                this.#more = new LoraStack.RowMore(this.#panel, this);
                this.root.append(this.#more.root);
                this.#more.update({ entry: this.entry, file: this.#panel.fileOf(this.entry), solo: this.#panel.isSolo(this.id) });
            }
            this.root.classList.toggle("ls-open", this.isOpen);
            this.moreButton.setAttribute("aria-expanded", String(this.isOpen));
        }

        /** What depends on the prompt: it changes without the row. */
        drawWords() {
            const { entry, file = null, fit = null } = this.#state ?? { entry: this.entry };
            const addWords = (words) => words.forEach((word) => this.#panel.toggleWord(word));
            this.facts.replaceChildren(...LoraStack.makeFacts({ entry, file, fit, prompt: this.#panel.prompt?.value ?? "", addWords }));
            this.#more?.drawWords();
        }

        /** The host's picture, size or steps may be others now. */
        lookAround() {
            this.#more?.lookAround();
        }

        #drawName(file) {
            const { make } = LoraStack;
            const label = String(LoraStack.fieldOf(this.entry, "network"));
            const key = JSON.stringify([label, file?.id, file?.preview, file?.preview_version]);
            if (key === this.#tileOf) return;
            this.#tileOf = key;
            const tile = LoraStack.makeTile(this.#panel.api, file, label);
            this.tile.replaceWith(tile);
            this.tile = tile;
            this.title.replaceChildren(make("span", { class: "ls-folder" }, LoraStack.splitLabel(label).folder), make("span", {}, this.#name));
            this.title.title = label;
        }

        #drawWeight(entry, usable, file) {
            const role = LoraStack.findRole(this.#panel.roles, LoraStack.fieldOf(entry, "role"));
            const start = LoraStack.isWeight(file?.preferred_weight) ? file.preferred_weight : role?.default ?? LoraStack.FIELDS.weight;
            const stored = LoraStack.fieldOf(entry, "weight");
            const value = LoraStack.isWeight(stored) ? stored : start;
            const parted = ["te", "unet"].every((part) => LoraStack.isWeight(LoraStack.fieldOf(entry, part)));
            this.weight.update({ name: this.#name, value, role, start, disabled: !usable || parted });
            const verdict = parted ? "usual" : LoraStack.judge(role, value);
            this.root.dataset.verdict = verdict;
            LoraStack.setText(this.hint, parted ? LoraStack.text("row.parted") : LoraStack.roleHint(role));
            this.root.classList.toggle("ls-parted", parted);
            this.hint.hidden = !parted && verdict !== "above" && !(verdict === "below" && role.low >= 1);
            this.recipe.hidden = this.#panel.tab !== "img2img" || role?.name !== "object" || LoraStack.fieldOf(entry, "region") !== "";
        }

        /** The recipe for one thing: in the inpaint mask, a little stronger than alone. */
        #inpaint() {
            this.#panel.setFields(this.id, { region: "inpaint", weight: INPAINT_WEIGHT });
            this.#panel.tools.say(LoraStack.text("recipe.used"), true);
        }

        /** A mask that was just chosen and not painted yet is no fault but the next thing to do. */
        #isUnpainted(entry) {
            const { kind, name } = LoraStack.readRegion(String(LoraStack.fieldOf(entry, "region")));
            return kind === "mask" && !this.#panel.masks[name];
        }

        #ownProblem(entry, usable) {
            if (!usable) return LoraStack.text("text.entry");
            const stored = LoraStack.fieldOf(entry, "weight");
            return LoraStack.isWeight(stored) ? "" : LoraStack.text("weight.stored_bad", { text: JSON.stringify(stored) });
        }

        #moveByKey(event) {
            const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
            if (!step) return;
            event.preventDefault();
            this.#panel.move(this.id, this.index + step);
            this.handle.focus();
        }
    }

    LoraStack.Row = Row;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
