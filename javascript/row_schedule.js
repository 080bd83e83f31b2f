// When a row acts while the picture is made: a ready-made choice, begin, end, a curve, and a plot of it all.
(function (LoraStack) {
    "use strict";

    const OWN = "own";
    const HEIGHT = 36;

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
            this.line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
            this.plot = document.createElementNS("http://www.w3.org/2000/svg", "svg");
            this.plot.classList.add("ls-plot");
            this.plot.setAttribute("preserveAspectRatio", "none");
            this.plot.setAttribute("role", "img");
            this.plot.append(this.line);
            const labelled = (field) => make("label", { class: "ls-field" }, make("span", { class: "ls-small" }, text(`schedule.${field}`)), this.fields[field]);
            this.root = make("div", { class: "ls-block ls-parts" },
                make("span", { class: "ls-caption" }, text("schedule.caption")),
                make("div", { class: "ls-schedule" }, this.select, labelled("start"), labelled("stop"), labelled("schedule"), this.plot));
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
            this.#draw(LoraStack.curve(read));
        }

        /** The curve over the steps, 0 at the bottom; numbers beyond 0 and 1 stretch the picture. */
        #draw(factors) {
            this.plot.classList.toggle("ls-plot-none", factors === null);
            this.plot.setAttribute("aria-label", LoraStack.text(factors === null ? "schedule.no_plot" : "schedule.plot", { name: this.#row.name }));
            if (factors === null) return;
            const high = Math.max(1, ...factors);
            const low = Math.min(0, ...factors);
            const y = (factor) => 2 + (HEIGHT - 4) * (1 - (factor - low) / (high - low));
            const corners = factors.flatMap((factor, step) => [[step, y(factor)], [step + 1, y(factor)]]);
            this.plot.setAttribute("viewBox", `0 0 ${factors.length} ${HEIGHT}`);
            this.line.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
        }

        #choose() {
            const chosen = LoraStack.SCHEDULES.find((known) => known.name === this.select.value);
            if (!chosen) {
                this.fields.schedule.focus();
                return;
            }
            for (const field of Object.keys(this.fields)) this.#panel.set(this.#row.id, field, chosen[field]);
        }
    }

    LoraStack.ScheduleField = ScheduleField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
