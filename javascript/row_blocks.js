// In which blocks of the UNet a row acts: presets by name, one small slider a block, and the text of both.
(function (LoraStack) {
    "use strict";

    const OWN = "own"; // the entry of the list for numbers that no preset has

    class BlockField {
        #panel;
        #row;
        #kind = "";
        #bars = [];

        constructor(panel, row) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            this.select = make("select", { class: "ls-select", onchange: () => this.#choose() });
            this.problems = make("p", { class: "ls-small", hidden: true });
            this.chart = make("div", { class: "ls-blocks", role: "group" });
            this.field = make("input", {
                type: "text", class: "ls-text", autocomplete: "off", spellcheck: "false", placeholder: text("blocks.placeholder"),
                onchange: () => this.#write(this.field.value.trim()),
                onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
            });
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("blocks.caption")),
                make("div", { class: "ls-blocks-line" }, this.select, this.field), this.problems, this.chart);
        }

        update({ entry, file }) {
            const { text, setLabel } = LoraStack;
            const known = this.#panel.blocks;
            this.root.hidden = known === null;
            if (known === null) return;
            const kind = LoraStack.blockKind(file?.architecture);
            if (kind !== this.#kind) this.#build(known, kind);
            const name = this.#row.name;
            for (const [part, key] of [[this.select, "blocks.choose"], [this.field, "blocks.text"], [this.chart, "blocks.chart"]]) setLabel(part, text(key, { name }));
            this.read = LoraStack.readBlocks(String(LoraStack.fieldOf(entry, "blocks")), known, kind);
            this.select.value = this.read.preset && this.read.rules.length === 0 ? this.read.preset : OWN;
            if (document.activeElement !== this.field) this.field.value = String(LoraStack.fieldOf(entry, "blocks"));
            this.chart.hidden = this.read.numbers === null;
            for (const [index, bar] of this.#bars.entries()) bar.show(this.read.numbers?.[index] ?? 0);
        }

        #build(known, kind) {
            const { make, text } = LoraStack;
            this.#kind = kind;
            const option = (preset) => make("option", { value: preset.name }, `${preset.name} – ${LoraStack.textOr(`preset.${preset.name.toLowerCase()}`, preset.doc)}`);
            const own = (preset) => make("option", { value: preset.name, disabled: preset.problem !== "", title: preset.problem }, [preset.name, preset.problem].filter(Boolean).join(" – "));
            const yours = known.presets.filter((preset) => preset.own && (preset.problem || preset.fits.includes(kind)));
            const groups = yours.length ? [make("optgroup", { label: text("blocks.yours") }, ...yours.map(own))] : [];
            this.select.replaceChildren(...known.presets.filter((preset) => !preset.own).map(option), ...groups, make("option", { value: OWN }, text("blocks.own")));
            LoraStack.setText(this.problems, (known.problems ?? []).join(" "));
            this.problems.hidden = !known.problems?.length;
            this.#bars = known.layouts[kind].map((block, index) => new Bar(block, (value) => this.#set(index, value)));
            this.chart.replaceChildren(...this.#bars.map((bar) => bar.root));
        }

        #choose() {
            if (this.select.value === OWN) {
                this.field.focus();
                return;
            }
            this.#write(this.select.value === "ALL" ? "" : this.select.value);
        }

        #set(index, value) {
            const numbers = this.read.numbers.map((number, place) => (place === index ? value : number));
            this.#write(LoraStack.writeBlocks({ numbers, rules: this.read.rules }, this.#panel.blocks, this.#kind));
        }

        #write(text) {
            this.#panel.set(this.#row.id, "blocks", text);
        }
    }

    /** One block's column. The slider goes from 0 to 1; numbers beyond are typed and shown as full or empty. */
    class Bar {
        constructor(block, onChange) {
            const { make } = LoraStack;
            const group = block.startsWith("IN") ? "in" : block.startsWith("OUT") ? "out" : block === "BASE" ? "base" : "middle";
            this.block = block;
            this.range = make("input", {
                type: "range", class: "ls-bar-range", min: 0, max: 1, step: 0.05, "aria-label": LoraStack.text(`blocks.${group}`, { block }),
                oninput: () => onChange(this.range.valueAsNumber),
            });
            this.fill = make("span", { class: "ls-bar-fill" });
            const label = group === "base" ? LoraStack.text("blocks.base_short") : group === "middle" ? LoraStack.text("blocks.middle_short") : String(Number(block.replace(/\D+/, "")));
            this.root = make("label", { class: `ls-bar ls-bar-${group}`, title: block }, make("span", { class: "ls-bar-track" }, this.fill, this.range), make("span", { class: "ls-bar-name" }, label));
        }

        show(number) {
            this.range.value = number;
            this.range.setAttribute("aria-valuetext", `${this.block} ${LoraStack.showWeight(number)}`);
            this.root.title = `${this.block} ${LoraStack.showWeight(number)}`;
            this.fill.style.height = `${Math.max(0, Math.min(1, number)) * 100}%`;
        }
    }

    LoraStack.BlockField = BlockField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
