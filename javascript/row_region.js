// Where in the picture a row acts: everywhere, in the inpaint mask, a rectangle, a painted mask, or not where another row does.
(function (LoraStack) {
    "use strict";

    const KINDS = ["", "inpaint", "box", "mask", "not"];
    const OTHER = "other"; // a text that cannot be read here: kept, and the server says what is wrong

    class RegionField {
        #panel;
        #row;
        #region = { kind: "" };

        constructor(panel, row) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            const hue = LoraStack.rowHue(row);
            this.select = make("select", { class: "ls-select", onchange: () => this.#choose(this.select.value) },
                ...KINDS.map((kind) => make("option", { value: kind }, text(`region.kind_${kind || "all"}`))),
                make("option", { value: OTHER, hidden: true }, text("region.kind_other")));
            this.field = make("input", {
                type: "text", class: "ls-text", autocomplete: "off", spellcheck: "false", placeholder: "box:0,0,0.5,1",
                onchange: () => panel.set(row.id, "region", this.field.value.trim()),
                onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
            });
            this.target = make("select", { class: "ls-select", onchange: () => panel.set(row.id, "region", `not:${this.target.value}`) });
            this.masks = make("select", { class: "ls-select", onchange: () => this.#chooseMask() });
            this.feather = make("input", { type: "range", class: "ls-plain-range", min: 0, max: 100 * LoraStack.FEATHER_LIMIT, step: 1, oninput: () => panel.set(row.id, "feather", this.feather.valueAsNumber / 100) });
            this.featherShown = make("output", {});
            this.featherLine = make("label", { class: "ls-brush", title: text("region.feather_help") }, make("span", {}, text("region.feather")), this.feather, this.featherShown);
            this.side = make("select", { class: "ls-select", onchange: () => panel.set(row.id, "side", this.side.value) },
                ...["", "positive", "negative"].map((side) => make("option", { value: side }, text(`region.side_${side || "both"}`))));
            this.boxes = new LoraStack.BoxEditor(panel.tab, hue, (box) => panel.set(row.id, "region", LoraStack.writeRegion({ kind: "box", box })));
            this.painter = new LoraStack.MaskPainter(panel, hue, { 
                onChange: (hash, mask) => panel.setMasks({ [mask]: hash }),
                onColours: (hashes) => this.#useColours(hashes),
                onProblem: (problem) => row.say(problem),
            });
            this.note = make("p", { class: "ls-small" });
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("region.caption")),
                make("div", { class: "ls-blocks-line" }, this.select, this.field),
                make("div", { class: "ls-blocks-line ls-region-line" }, this.target, this.masks, this.featherLine, this.side),
                this.note, this.boxes.root, this.painter.root);
        }

        update(entry) {
            const { text, setLabel, fieldOf, setText } = LoraStack;
            const { name } = this.#row;
            const stored = String(fieldOf(entry, "region"));
            const region = LoraStack.readRegion(stored);
            const { kind } = region;
            this.#region = region;
            for (const [part, key] of [[this.select, "region.choose"], [this.field, "region.text"], [this.target, "region.target"], [this.masks, "region.masks"], [this.side, "region.side"]]) setLabel(part, text(key, { name }));
            this.select.value = kind;
            if (document.activeElement !== this.field) this.field.value = stored;
            const feather = Number(fieldOf(entry, "feather")) || 0;
            this.feather.value = feather * 100;
            setText(this.featherShown, `${Math.round(feather * 100)} %`);
            this.featherLine.hidden = kind === "" || kind === "not";
            this.side.value = String(fieldOf(entry, "side"));
            this.#drawTargets(region);
            this.#drawMasks(region);
            this.boxes.root.hidden = kind !== "box";
            this.painter.root.hidden = kind !== "mask";
            if (kind === "box") this.boxes.update({ box: region.box, name, others: this.#otherBoxes() });
            if (kind === "mask") this.#paint();
            setText(this.note, kind === "inpaint" ? text(this.#panel.tab === "img2img" ? "region.inpaint_help" : "region.inpaint_only") : "");
            this.note.hidden = kind !== "inpaint";
        }

        /** Put the host's picture of this moment behind what is drawn. It changes nothing else of the page: that would call it again. */
        lookAround() {
            if (this.#region.kind === "box") this.boxes.stage.refresh();
            if (this.#region.kind === "mask") this.#paint();
        }

        #paint() {
            const mask = this.#region.name;
            this.painter.update({ hash: this.#panel.masks[mask] ?? "", mask, name: this.#row.name });
        }

        #drawTargets(region) {
            const { make, text } = LoraStack;
            this.target.hidden = region.kind !== "not";
            if (this.target.hidden) return;
            const rows = this.#panel.rows.filter((row) => row !== this.#row);
            this.target.replaceChildren(make("option", { value: "0" }, text("region.no_target")), ...rows.map((row) => make("option", { value: row.index + 1 }, text("row.label", { row: row.index + 1, name: row.name }))));
            this.target.value = String(region.row);
        }

        #drawMasks(region) {
            const { make, text } = LoraStack;
            this.masks.hidden = region.kind !== "mask";
            if (this.masks.hidden) return;
            const names = Object.keys(this.#panel.masks);
            if (!names.includes(region.name)) names.push(region.name);
            this.masks.replaceChildren(...names.map((name) => make("option", { value: name }, name)), make("option", { value: "" }, text("region.new_mask")));
            this.masks.value = region.name;
        }

        /** Rectangles of the other rows, so that one can be put beside another. */
        #otherBoxes() {
            const found = [];
            for (const row of this.#panel.rows) {
                const region = row === this.#row ? {} : LoraStack.readRegion(String(LoraStack.fieldOf(row.entry, "region")));
                if (region.kind === "box") found.push({ box: region.box, hue: LoraStack.rowHue(row), name: row.name });
            }
            return found;
        }

        #choose(kind) {
            const first = {
                box: () => LoraStack.writeRegion({ kind, box: LoraStack.FIRST_BOX }),
                mask: () => `mask:${this.#idleMask() ?? this.#freeName()}`,
                not: () => `not:${this.#panel.rows.findIndex((row) => row !== this.#row) + 1}`,
            };
            const region = first[kind]?.() ?? kind;
            // The edge of `not` is that of the row it names, and there is none everywhere.
            this.#panel.setFields(this.#row.id, ["", "not"].includes(kind) ? { region, feather: 0 } : { region });
        }

        #chooseMask() {
            this.#panel.set(this.#row.id, "region", `mask:${this.masks.value || this.#freeName()}`);
        }

        /** A picture of red, green and blue areas has become three masks: this row takes the first, others may have the rest. */
        #useColours(hashes) {
            const { masks } = this.#panel;
            const used = this.#othersMasks(); // their pictures stay theirs
            const named = Object.fromEntries(Object.entries(hashes).map(([name, hash]) => [used.has(name) && masks[name] !== hash ? LoraStack.freeName(name, masks) : name, hash]));
            const region = `mask:${Object.keys(named)[0]}`;
            this.#panel.edit((model) => LoraStack.setFields(LoraStack.setMasks(model, named), this.#row.id, { region }));
            this.#panel.tools.say(LoraStack.text("region.three"));
        }

        /** Names of masks in which other rows act: who paints for this row does not mean those. */
        #othersMasks() {
            const others = this.#panel.rows.filter((row) => row.id !== this.#row.id);
            const regions = others.map((row) => LoraStack.readRegion(String(LoraStack.fieldOf(row.entry, "region"))));
            return new Set(regions.filter(({ kind }) => kind === "mask").map(({ name }) => name));
        }

        /** A mask of the stack in which no row acts, as the green one of a picture of three colours. */
        #idleMask() {
            const used = this.#othersMasks();
            return Object.keys(this.#panel.masks).find((name) => !used.has(name));
        }

        /** A name that no mask has, painted or not. */
        #freeName() {
            const used = this.#othersMasks();
            let number = 1;
            while (Object.hasOwn(this.#panel.masks, `mask ${number}`) || used.has(`mask ${number}`)) number += 1;
            return `mask ${number}`;
        }
    }

    LoraStack.RegionField = RegionField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
