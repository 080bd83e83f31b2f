// One row of the stack: everything an artist needs every minute, in one line.
(function (LoraStack) {
    "use strict";

    /** The last part of a label and the folders before it. */
    function splitLabel(label) {
        const cut = label.lastIndexOf("/") + 1;
        return { folder: label.slice(0, cut), name: label.slice(cut) };
    }

    /** A picture of a file: its preview, or a tile with its first letter in a colour of its own. */
    function makeTile(api, file, label) {
        const { name } = splitLabel(label);
        const letter = [...name.trim()][0] ?? "?";
        const hue = [...label].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);
        const tile = LoraStack.make("span", { class: "ls-tile", style: `--ls-hue: ${hue}`, "aria-hidden": "true" }, letter.toUpperCase());
        if (!file?.preview) return tile;
        const image = LoraStack.make("img", { alt: "", loading: "lazy", decoding: "async", onerror: () => image.remove() });
        image.src = api.address("preview", { label: file.label, v: file.mtime });
        tile.append(image);
        return tile;
    }

    /** How people write a family that the server calls `locon`. */
    function familyName(family) {
        const key = `family.${family}`;
        const name = LoraStack.text(key);
        return name === key ? family : name;
    }

    /** What a file is, in a few small words: `LoRA rank 8`, `SD 1.x`. */
    function makeBadges(file) {
        const families = String(file.family ?? "").split("+").filter(Boolean).map(familyName);
        const kind = [families.join(" + "), file.rank ? LoraStack.text("row.rank", { rank: file.rank }) : ""];
        return [kind.filter(Boolean).join(" "), file.architecture_label].filter(Boolean).map((text) => LoraStack.make("span", { class: "ls-badge" }, text));
    }

    class Row {
        #panel;
        #name = "";
        #state = null; // what is drawn
        #tileOf = null;
        #more = null;

        constructor(panel, id) {
            const { make, iconButton } = LoraStack;
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
                onProblem: (text) => this.say(text),
            });
            this.moreButton = iconButton("more", "", () => this.toggleMore(), { "aria-expanded": "false" });
            this.duplicateButton = iconButton("duplicate", "", () => panel.duplicate(id), { class: "ls-button ls-icon-button ls-wide-only" });
            this.removeButton = iconButton("remove", "", () => panel.remove(id));
            this.problem = make("p", { class: "ls-problem", hidden: true });
            this.typed = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.hint = make("p", { class: "ls-hint", hidden: true });
            this.root = make("li", { class: "ls-row", "data-id": id },
                make("div", { class: "ls-line" },
                    this.handle, this.on, this.tile,
                    make("span", { class: "ls-name", onclick: () => this.toggleMore() }, this.title, this.facts),
                    this.weight.root,
                    make("span", { class: "ls-actions" }, this.moreButton, this.duplicateButton, this.removeButton)),
                this.hint, this.typed, this.problem);
        }

        /** Draw the row as it is now. `file` is what the library knows, `problem` what the server objects to. */
        update(state) {
            const drawn = this.#state;
            if (drawn && Object.keys(state).every((name) => state[name] === drawn[name])) return;
            this.#state = state;
            const { entry, index, file, problem } = state;
            const { text, setText, setLabel, fieldOf } = LoraStack;
            const label = String(fieldOf(entry, "network"));
            const usable = LoraStack.isEntry(entry);
            const on = fieldOf(entry, "on") !== false;
            this.entry = entry;
            this.index = index;
            this.#name = splitLabel(label).name || text("row.unnamed");
            this.root.setAttribute("aria-label", text("row.label", { row: index + 1, name: this.#name }));
            this.root.classList.toggle("ls-off", !on);
            this.on.checked = on;
            this.on.disabled = !usable;
            for (const [part, key] of [[this.handle, "row.move"], [this.on, "row.on"], [this.moreButton, "row.more"], [this.duplicateButton, "row.duplicate"], [this.removeButton, "row.remove"]]) {
                setLabel(part, text(key, { name: this.#name }));
            }
            this.#drawName(label, file);
            this.#drawWeight(entry, usable, file);
            const bad = this.#ownProblem(entry, usable) || problem;
            setText(this.problem, bad);
            this.problem.hidden = !bad;
            this.root.classList.toggle("ls-bad", Boolean(bad));
            this.#more?.update({ entry, file });
        }

        get name() {
            return this.#name;
        }

        /** Tell what is wrong with what was typed into this row, or nothing any more. */
        say(text) {
            LoraStack.setText(this.typed, text);
            this.typed.hidden = !text;
        }

        toggleMore() {
            if (this.#more) {
                this.#more.root.remove();
                this.#more = null;
            } else {
                this.#more = new LoraStack.RowMore(this.#panel, this);
                this.#more.update({ entry: this.entry, file: this.#panel.fileOf(this.entry) });
                this.root.append(this.#more.root);
            }
            this.root.classList.toggle("ls-open", this.#more !== null);
            this.moreButton.setAttribute("aria-expanded", String(this.#more !== null));
        }

        #drawName(label, file) {
            const { make, text } = LoraStack;
            const key = JSON.stringify([label, file?.preview]);
            if (key !== this.#tileOf) {
                this.#tileOf = key;
                const tile = makeTile(this.#panel.api, file, label);
                this.tile.replaceWith(tile);
                this.tile = tile;
                const { folder, name } = splitLabel(label);
                this.title.replaceChildren(make("span", { class: "ls-folder" }, folder), name || text("row.unnamed"));
                this.title.title = label;
            }
            const facts = [];
            const words = file?.trigger_words?.length ?? 0;
            for (const part of ["te", "unet"]) {
                const own = LoraStack.fieldOf(this.entry, part);
                if (LoraStack.isWeight(own)) facts.push(make("span", { class: "ls-note" }, text(`row.${part}`, { weight: LoraStack.showWeight(own) })));
            }
            if (["schedule", "start", "stop"].some((field) => LoraStack.fieldOf(this.entry, field))) facts.push(make("span", { class: "ls-note" }, text("row.timed")));
            if (LoraStack.fieldOf(this.entry, "blocks")) facts.push(make("span", { class: "ls-note" }, text("row.blocks")));
            if (file) facts.push(...makeBadges(file));
            if (words) facts.push(make("span", { class: "ls-note" }, words === 1 ? text("row.word") : text("row.words", { count: words })));
            this.facts.replaceChildren(...facts);
        }

        #drawWeight(entry, usable, file) {
            const role = LoraStack.findRole(this.#panel.roles, LoraStack.fieldOf(entry, "role"));
            const start = LoraStack.isWeight(file?.preferred_weight) ? file.preferred_weight : role?.default ?? LoraStack.FIELDS.weight;
            const stored = LoraStack.fieldOf(entry, "weight");
            const value = LoraStack.isWeight(stored) ? stored : start;
            this.weight.update({ name: this.#name, value, role, start, disabled: !usable });
            const verdict = LoraStack.judge(role, value);
            this.root.dataset.verdict = verdict;
            LoraStack.setText(this.hint, role ? role.hint : "");
            this.hint.hidden = verdict !== "above" && !(verdict === "below" && role.low >= 1);
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

    Object.assign(LoraStack, { Row, splitLabel, makeTile, makeBadges });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
