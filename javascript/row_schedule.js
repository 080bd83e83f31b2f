// When a row acts while the picture is made: a ready-made choice, begin, end, a curve, and a plot of it all.
(function (LoraStack) {
    "use strict";

    const OWN = "own";

    class ScheduleField {
        #panel;
        #row;

        constructor(panel, row) {
            const { make, text } = LoraStack;
            this.#panel = panel;
            this.#row = row;
            const options = [...LoraStack.SCHEDULES.map((known) => known.name), OWN];
            this.select = make("select", { class: "ls-select", onchange: () => this.#choose() }, ...options.map((name) => make("option", { value: name }, text(`schedule.${name}`))));
            this.fields = Object.fromEntries(["start", "stop", "schedule"].map((field) => [field, make("input", {
                type: "text", class: "ls-text", autocomplete: "off", spellcheck: "false", placeholder: text(`schedule.${field}_example`),
                onchange: () => panel.set(row.id, field, this.fields[field].value.trim()),
                onkeydown: (event) => event.stopPropagation(), // Enter and Escape mean something to the host
            })]));
            this.curve = new LoraStack.CurveEditor((curve) => panel.set(row.id, "schedule", curve));
            const labelled = (field) => make("label", { class: "ls-field" }, make("span", { class: "ls-small" }, text(`schedule.${field}`)), this.fields[field]);
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("schedule.caption")),
                make("div", { class: "ls-schedule" }, this.select, labelled("start"), labelled("stop"), labelled("schedule"), this.curve.root, this.curve.help));
        }

        update(entry) {
            const { text, setLabel, fieldOf } = LoraStack;
            const read = Object.fromEntries(Object.keys(this.fields).map((field) => [field, String(fieldOf(entry, field))]));
            setLabel(this.select, text("schedule.choose", { name: this.#row.name }));
            this.select.value = LoraStack.scheduleName(read);
            for (const [field, input] of Object.entries(this.fields)) {
                if (document.activeElement !== input) input.value = read[field];
                input.setAttribute("aria-label", text(`schedule.${field}_of`, { name: this.#row.name }));
            }
            this.curve.update({ fields: read, steps: this.#steps(), name: this.#row.name });
        }

        /** How many steps the next picture takes, as the host's own field says. */
        #steps() {
            const field = LoraStack.app().querySelector(`#${CSS.escape(this.#panel.tab)}_steps input[type=number]`);
            return Math.max(2, Math.min(150, Number(field?.value) || 20));
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
