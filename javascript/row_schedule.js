// When a row acts while the picture is made: a ready-made choice, begin, end, a curve, and a plot of it all.
(function (LoraStack) {
    "use strict";

    const OWN = "own";
    const TEXT = "te_schedule";
    const SAME = "same"; // word of that field: as the UNet's curve and window

    class ScheduleField {
        #panel;
        #row;
        #read = {};

        constructor(panel, row) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            const options = [...LoraStack.SCHEDULES.map((known) => known.name), OWN];
            this.select = make("select", { class: "ls-select", onchange: () => this.#choose() }, ...options.map((name) => make("option", { value: name }, text(`schedule.${name}`))));
            this.texts = make("select", { class: "ls-select", onchange: () => this.#chooseText() }, ...["", SAME, OWN].map((name) => make("option", { value: name }, text(`schedule.text_${name || "constant"}`))));
            this.fields = Object.fromEntries(["start", "stop", "schedule", TEXT].map((field) => [field, make("input", {
                type: "text", class: "ls-text", autocomplete: "off", spellcheck: "false", placeholder: text(`schedule.${field}_example`),
                onchange: () => panel.set(row.id, field, this.fields[field].value.trim()),
                onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
            })]));
            this.curve = new LoraStack.CurveEditor((curve) => panel.set(row.id, "schedule", curve));
            const labelled = (field) => make("label", { class: "ls-field" }, make("span", { class: "ls-small" }, text(`schedule.${field}`)), this.fields[field]);
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("schedule.caption")),
                make("div", { class: "ls-schedule" }, this.select, labelled("start"), labelled("stop"), labelled("schedule"), this.curve.root, this.curve.help,
                    make("label", { class: "ls-field ls-schedule-text" }, make("span", { class: "ls-small" }, text("schedule.text")), this.texts), this.fields[TEXT]));
        }

        update(entry) {
            const { text, setLabel, fieldOf } = LoraStack;
            const read = this.#read = Object.fromEntries(Object.keys(this.fields).map((field) => [field, String(fieldOf(entry, field))]));
            setLabel(this.select, text("schedule.choose", { name: this.#row.name }));
            this.select.value = LoraStack.scheduleName(read);
            for (const [field, input] of Object.entries(this.fields)) {
                if (document.activeElement !== input) input.value = read[field];
                input.setAttribute("aria-label", text(`schedule.${field}_of`, { name: this.#row.name }));
            }
            const words = read[TEXT].trim().toLowerCase();
            const own = words !== "" && words !== SAME;
            if (document.activeElement !== this.fields[TEXT]) this.texts.value = own ? OWN : words;
            this.fields[TEXT].hidden = this.texts.value !== OWN;
            setLabel(this.texts, text("schedule.text_choose", { name: this.#row.name }));
            this.drawCurve();
        }

        /** Draw the curve over as many steps as the host has now. */
        drawCurve() {
            this.curve.update({ fields: this.#read, steps: this.#steps(), name: this.#row.name });
        }

        /** How many steps the next picture takes, as the host's own field says. */
        #steps() {
            const field = LoraStack.app().querySelector(`#${CSS.escape(this.#panel.tab)}_steps input[type=number]`);
            return Math.max(2, Math.min(150, Number(field?.value) || 20));
        }

        /** A curve of its own begins as the UNet's; typing makes it another. */
        #chooseText() {
            if (this.texts.value === OWN) {
                const curve = this.fields.schedule.value.trim() || "1@0,0@1";
                this.#panel.set(this.#row.id, TEXT, curve);
                this.fields[TEXT].hidden = false;
                this.fields[TEXT].value = curve;
                this.fields[TEXT].focus();
            } else {
                this.#panel.set(this.#row.id, TEXT, this.texts.value);
            }
        }

        #choose() {
            const chosen = LoraStack.SCHEDULES.find((known) => known.name === this.select.value);
            if (!chosen) {
                this.fields.schedule.focus();
                return;
            }
            const { schedule, start, stop } = chosen;
            this.#panel.setFields(this.#row.id, { schedule, start, stop });
        }
    }

    LoraStack.ScheduleField = ScheduleField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
