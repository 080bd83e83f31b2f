// A rectangle on the picture: drawn, moved and sized by pointer or keys, and in numbers.
(function (LoraStack) {
    "use strict";

    const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
    const SIDES = ["x", "y", "width", "height"];
    const STEP = 0.01;
    const HALVES = Object.freeze({
        left: { x: 0, y: 0, width: 0.5, height: 1 },
        right: { x: 0.5, y: 0, width: 0.5, height: 1 },
        top: { x: 0, y: 0, width: 1, height: 0.5 },
        bottom: { x: 0, y: 0.5, width: 1, height: 0.5 },
    });

    class BoxEditor {
        #onChange;
        #box = LoraStack.FIRST_BOX;

        /** `onChange(box)` for every new rectangle. */
        constructor(tab, hue, onChange) {
            const { make, text } = LoraStack;
            this.#onChange = onChange;
            this.others = make("div", { class: "ls-other-boxes", "aria-hidden": "true" });
            this.frame = make("div", { class: "ls-box", tabindex: "0", role: "group", onkeydown: (event) => this.#key(event) },
                ...HANDLES.map((name) => make("span", { class: `ls-corner ls-corner-${name}`, "data-handle": name, "aria-hidden": "true" })));
            this.stage = new LoraStack.Stage(tab, hue, this.others, this.frame);
            this.stage.root.addEventListener("pointerdown", (event) => this.#press(event));
            this.fields = SIDES.map((side) => make("input", {
                type: "text", class: "ls-number", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
                onchange: (event) => this.#typed(side, event.target.value),
                onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
            }));
            this.share = make("p", { class: "ls-small" });
            const numbers = this.fields.map((field, index) => make("label", { class: "ls-box-number" }, make("span", {}, text(`region.${SIDES[index]}`)), field, "%"));
            const halves = Object.entries(HALVES).map(([name, box]) => make("button", { type: "button", class: "ls-button", onclick: () => this.#take(box) }, text(`region.${name}`)));
            this.root = make("div", { class: "ls-box-editor" }, this.stage.root,
                make("div", { class: "ls-beside" },
                    make("div", { class: "ls-foot-actions" }, ...halves), make("div", { class: "ls-box-numbers" }, ...numbers),
                    make("p", { class: "ls-small" }, text("region.box_help")), this.share));
        }

        /** Show a rectangle; `others` are those of other rows, `{ box, hue, name }`. */
        update({ box, others, name }) {
            const { make, text } = LoraStack;
            this.#box = box;
            this.stage.refresh();
            place(this.frame, box);
            this.frame.setAttribute("aria-label", text("region.box_of", { name }));
            LoraStack.setText(this.share, text("region.share", { share: Math.round(box.width * box.height * 100) }));
            this.others.replaceChildren(...others.map((other) => {
                const frame = make("span", { class: "ls-other-box", style: `--ls-hue: ${other.hue}` }, make("span", {}, other.name));
                place(frame, other.box);
                return frame;
            }));
            this.fields.forEach((field, index) => {
                if (document.activeElement !== field) field.value = String(Number((box[SIDES[index]] * 100).toFixed(1)));
            });
        }

        #take(box) {
            this.#box = box;
            place(this.frame, box);
            this.#onChange(box);
        }

        #press(event) {
            if (event.button !== 0 || !event.isPrimary) return; // a second finger draws nothing
            event.preventDefault();
            this.frame.focus();
            const from = this.stage.pointAt(event);
            const box = this.#box;
            const handle = event.target.dataset.handle ?? (event.target === this.frame ? "move" : "");
            this.stage.follow(event, (point) => this.#take(handle ? LoraStack.dragBox(box, handle, point.x - from.x, point.y - from.y) : LoraStack.boxBetween(from, point)));
        }

        /** Arrows move the rectangle, with Shift they move its right and lower sides. */
        #key(event) {
            const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
            if (!by) return;
            event.preventDefault();
            event.stopPropagation();
            this.#take(LoraStack.dragBox(this.#box, event.shiftKey ? "se" : "move", ...by));
        }

        /** A number that leaves the picture is brought back to its edge. */
        #typed(side, typed) {
            const number = typed.trim() ? Number(typed.replace("%", "").replace(",", ".")) : NaN;
            const part = Math.max(0, Math.min(100, Number.isNaN(number) ? this.#box[side] * 100 : number)) / 100;
            const { x, y, width, height } = this.#box;
            const moves = { x: ["move", part - x, 0], y: ["move", 0, part - y], width: ["e", part - width, 0], height: ["s", 0, part - height] };
            this.#take(LoraStack.dragBox(this.#box, ...moves[side]));
            this.fields.forEach((field, index) => { field.value = String(Number((this.#box[SIDES[index]] * 100).toFixed(1))); });
        }
    }

    function place(element, box) {
        Object.assign(element.style, { left: `${box.x * 100}%`, top: `${box.y * 100}%`, width: `${box.width * 100}%`, height: `${box.height * 100}%` });
    }

    LoraStack.BoxEditor = BoxEditor;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
