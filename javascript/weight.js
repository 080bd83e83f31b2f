// One weight: a slider with its advice band, and the number beside it that takes any value.
(function (LoraStack) {
    "use strict";

    class WeightField {
        #value = 0;
        #start = 1;
        #name = "";
        #onChange;
        #onProblem;

        /** `onChange(number)` for every new value, `onProblem(text)` when typed text is refused ("" when it is well again). */
        constructor({ onChange, onProblem }) {
            const { make } = LoraStack;
            this.#onChange = onChange;
            this.#onProblem = onProblem;
            this.band = make("span", { class: "ls-band" });
            this.range = make("input", {
                type: "range", class: "ls-range", step: LoraStack.SLIDER.step, min: LoraStack.SLIDER.low,
                oninput: () => this.#take(this.range.valueAsNumber),
                ondblclick: () => this.#take(this.#start),
                onkeydown: (event) => this.#back(event),
            });
            this.number = make("input", {
                type: "text", class: "ls-number", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
                oninput: () => this.#typed(false),
                onchange: () => this.#typed(true),
                onblur: () => this.#show(),
                onkeydown: (event) => this.#key(event),
            });
            const track = make("span", { class: "ls-track" }, this.band, make("span", { class: "ls-zero" }), make("span", { class: "ls-fill" }));
            this.slider = make("div", { class: "ls-slider" }, track, this.range);
            this.root = make("div", { class: "ls-weight" }, this.slider, this.number);
        }

        /** Show a weight; `role` draws the band, `start` is where a double-click goes back to. */
        update({ name, value, role = null, start = 1, disabled = false }) {
            this.#value = value;
            this.#start = start;
            this.#name = name;
            this.range.max = LoraStack.sliderHigh(role);
            this.range.disabled = this.number.disabled = disabled;
            LoraStack.setLabel(this.range, LoraStack.text("weight.label", { name }));
            this.range.title = LoraStack.text("weight.reset", { weight: LoraStack.showWeight(start) });
            LoraStack.setLabel(this.number, LoraStack.text("weight.number", { name }));
            this.#drawBand(role);
            this.#show(document.activeElement === this.number);
        }

        #drawBand(role) {
            const at = (weight) => LoraStack.place(weight, LoraStack.SLIDER.low, Number(this.range.max));
            this.slider.style.setProperty("--ls-zero", at(0));
            this.band.hidden = !role;
            if (!role) return;
            this.slider.style.setProperty("--ls-band-from", at(role.low));
            this.slider.style.setProperty("--ls-band-to", at(role.high));
        }

        /** Draw the value; the number is left alone while somebody types into it. */
        #show(typing = false) {
            const shown = LoraStack.showWeight(this.#value);
            const at = LoraStack.place(this.#value, LoraStack.SLIDER.low, Number(this.range.max));
            this.range.value = this.#value;
            this.range.setAttribute("aria-valuetext", shown);
            const zero = LoraStack.place(0, LoraStack.SLIDER.low, Number(this.range.max));
            this.slider.style.setProperty("--ls-fill-from", Math.min(at, zero));
            this.slider.style.setProperty("--ls-fill-to", Math.max(at, zero));
            this.slider.classList.toggle("ls-beyond", this.#value < LoraStack.SLIDER.low || this.#value > Number(this.range.max));
            if (typing) return;
            this.number.value = shown;
            this.number.removeAttribute("aria-invalid");
        }

        #take(value) {
            this.#value = LoraStack.round(value);
            this.#show();
            this.#onProblem("");
            this.#onChange(this.#value);
        }

        /** Every key that makes a number counts at once; what is no number is told when typing is over. */
        #typed(finished) {
            const { value, problem } = LoraStack.readWeight(this.number.value);
            if (problem === undefined) {
                this.number.removeAttribute("aria-invalid");
                this.#onProblem("");
                if (value !== this.#value) {
                    this.#value = value;
                    this.#onChange(value);
                }
                this.#show(!finished);
                return;
            }
            this.number.setAttribute("aria-invalid", "true");
            if (!finished) return;
            const facts = { text: this.number.value.trim(), kept: LoraStack.showWeight(this.#value), limit: LoraStack.WEIGHT_LIMIT };
            this.#onProblem(LoraStack.text(`weight.${problem}`, facts));
            this.#show();
        }

        /** Delete on the slider is what a double-click is. */
        #back(event) {
            if (event.key !== "Delete" && event.key !== "Backspace") return;
            event.preventDefault();
            this.#take(this.#start);
        }

        /** Arrows step the number as they step the slider; Escape forgets what was typed. */
        #key(event) {
            const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
            if (step) {
                event.preventDefault();
                const next = this.#value + step * LoraStack.SLIDER.step * (event.shiftKey ? 10 : 1);
                if (LoraStack.isWeight(next)) this.#take(next);
            } else if (event.key === "Escape") {
                event.stopPropagation(); // the host would interrupt the picture that is being made
                this.#show();
                this.#onProblem("");
            }
        }
    }

    LoraStack.WeightField = WeightField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
