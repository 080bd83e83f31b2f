// The plot of a row's strength over the steps, with the points of its curve to drag, add and remove.
(function (LoraStack) {
    "use strict";

    const SVG = "http://www.w3.org/2000/svg";
    const HEIGHT = 100; // of the drawing, in its own units
    const STEP = 0.05; // of a factor, by one press of a key

    class CurveEditor {
        #onChange;
        #points = LoraStack.FLAT;
        #late = false; // a curve that came in a tag: it stays of its kind when its points are moved
        #steps = 1;
        #range = { low: 0, high: 1 };
        #held = false; // a point is being dragged: the scale stays, or the point would run from the pointer
        #handles = [];
        #shown = null; // what `update` was given last

        /** `onChange(text)` for every new curve. */
        constructor(onChange) {
            const { make, text } = LoraStack;
            this.#onChange = onChange;
            this.line = document.createElementNS(SVG, "polyline");
            this.zero = document.createElementNS(SVG, "line");
            this.plot = document.createElementNS(SVG, "svg");
            this.plot.setAttribute("preserveAspectRatio", "none");
            this.plot.setAttribute("role", "img");
            this.plot.append(this.zero, this.line);
            this.high = make("span", {});
            this.low = make("span", {});
            const scale = make("span", { class: "ls-small ls-curve-scale", "aria-hidden": "true" }, this.high, this.low);
            this.dots = make("div", { class: "ls-dots" });
            this.root = make("div", { class: "ls-plot", ondblclick: (event) => this.#add(event) }, this.plot, scale, this.dots);
            this.help = make("p", { class: "ls-small" }, text("schedule.help"));
        }

        /** Show the curve of `fields` (schedule, start, stop) over that many steps. */
        update(shown) {
            const { text } = LoraStack;
            const { fields, steps, name } = shown;
            const noise = LoraStack.endsByNoise(fields);
            const factors = LoraStack.curve({ ...fields, ...noise }, steps);
            const points = LoraStack.readPoints(fields.schedule);
            this.#shown = shown;
            this.#steps = steps;
            LoraStack.setText(this.help, text(noise ? "schedule.noise" : "schedule.help"));
            this.root.classList.toggle("ls-plot-none", factors === null);
            this.plot.setAttribute("aria-label", text(factors === null ? "schedule.no_plot" : "schedule.plot", { name }));
            this.dots.hidden = points === null;
            // A flat curve has no text, but its points are kept while somebody moves them.
            this.#late = LoraStack.isLate(fields.schedule);
            const others = points !== null && fields.schedule !== LoraStack.writePoints(this.#points, this.#late);
            if (others) this.#points = points.length ? points : LoraStack.FLAT;
            const heights = [...(factors ?? []), ...this.#points.map(([, factor]) => factor)];
            if (!this.#held) this.#range = { low: Math.min(0, ...heights), high: Math.max(1, ...heights) };
            LoraStack.setText(this.high, `×${LoraStack.round(this.#range.high)}`);
            LoraStack.setText(this.low, `×${LoraStack.round(this.#range.low)}`);
            if (factors !== null) this.#drawLine(factors);
            if (points !== null) this.#drawDots();
        }

        #drawLine(factors) {
            const y = (factor) => HEIGHT * (1 - this.#heightOf(factor));
            const corners = factors.flatMap((factor, step) => [[step, y(factor)], [step + 1, y(factor)]]);
            this.plot.setAttribute("viewBox", `0 0 ${factors.length} ${HEIGHT}`);
            this.line.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
            for (const [side, place] of Object.entries({ x1: 0, x2: factors.length, y1: y(0), y2: y(0) })) this.zero.setAttribute(side, place);
        }

        #heightOf(factor) {
            const { low, high } = this.#range;
            return (factor - low) / (high - low);
        }

        get #byStep() {
            return LoraStack.countsSteps(this.#points);
        }

        #drawDots() {
            const { make, text } = LoraStack;
            while (this.#handles.length > this.#points.length) this.#handles.pop().remove();
            while (this.#handles.length < this.#points.length) {
                const index = this.#handles.length;
                const dot = make("span", {
                    class: "ls-dot", role: "slider", tabindex: "0", "aria-orientation": "vertical",
                    onpointerdown: (event) => this.#drag(event, index), onkeydown: (event) => this.#key(event, index),
                    ondblclick: (event) => this.#remove(event, index),
                });
                this.#handles.push(dot);
                this.dots.append(dot);
            }
            this.#points.forEach(([place, factor], index) => {
                const dot = this.#handles[index];
                const part = LoraStack.plotPlace(place, this.#byStep, this.#steps);
                Object.assign(dot.style, { left: `${Math.max(0, Math.min(1, part)) * 100}%`, bottom: `${this.#heightOf(factor) * 100}%` });
                dot.setAttribute("aria-label", text("schedule.point", { number: index + 1, name: this.#shown.name }));
                dot.setAttribute("aria-valuemin", this.#range.low);
                dot.setAttribute("aria-valuemax", this.#range.high);
                dot.setAttribute("aria-valuenow", LoraStack.round(factor));
                const where = this.#byStep ? text("schedule.at_step", { step: place }) : text("schedule.at_part", { part: Math.round(place * 100) });
                dot.setAttribute("aria-valuetext", `×${LoraStack.round(factor)} ${where}`);
                dot.title = `×${LoraStack.round(factor)} ${where}`;
            });
        }

        /** Place and factor of a pointer, to whole hundredths. */
        #pointAt(event) {
            const frame = this.dots.getBoundingClientRect();
            const part = Math.max(0, Math.min(1, (frame.bottom - event.clientY) / frame.height));
            const { low, high } = this.#range;
            return [LoraStack.placeAt((event.clientX - frame.left) / frame.width, this.#byStep, this.#steps), Math.round((low + part * (high - low)) * 100) / 100];
        }

        #write(points) {
            this.#points = points;
            this.#onChange(LoraStack.writePoints(points, this.#late));
            this.#drawDots();
        }

        #drag(press, index) {
            if (press.button !== 0) return;
            press.preventDefault();
            press.stopPropagation();
            const dot = this.#handles[index];
            dot.focus();
            dot.setPointerCapture(press.pointerId);
            this.#held = true;
            const stop = new AbortController();
            dot.addEventListener("pointermove", (event) => this.#write(LoraStack.movePoint(this.#points, index, this.#pointAt(event))), { signal: stop.signal });
            for (const type of ["pointerup", "pointercancel"]) {
                dot.addEventListener(type, () => {
                    stop.abort();
                    this.#held = false;
                    this.update(this.#shown);
                }, { signal: stop.signal });
            }
        }

        #add(event) {
            const { points, index } = LoraStack.addPoint(this.#points, this.#pointAt(event));
            this.#write(points);
            this.#handles[index].focus();
        }

        #remove(event, index) {
            event.stopPropagation();
            const rest = LoraStack.removePoint(this.#points, index);
            if (rest !== this.#points) this.#write(rest);
        }

        /** Arrows move a point, Insert adds one after it, Delete removes it. */
        #key(event, index) {
            const [place, factor] = this.#points[index];
            const across = this.#byStep ? 1 : 0.01;
            const moves = { ArrowUp: [place, factor + STEP], ArrowDown: [place, factor - STEP], ArrowLeft: [place - across, factor], ArrowRight: [place + across, factor] };
            if (moves[event.key]) {
                const [least, most] = this.#byStep ? [1, this.#steps] : [0, 1];
                const [to, height] = moves[event.key];
                this.#write(LoraStack.movePoint(this.#points, index, [Math.max(least, Math.min(most, LoraStack.round(to))), LoraStack.round(height)]));
            } else if (event.key === "Delete" || event.key === "Backspace") {
                this.#remove(event, index);
                this.#handles[Math.min(index, this.#points.length - 1)].focus();
            } else if (event.key === "Insert" || event.key === "+") {
                const [next] = this.#points[index + 1] ?? this.#points[index - 1] ?? [0]; // one point alone stands at the end
                const between = this.#byStep ? Math.round((place + next) / 2) : LoraStack.round((place + next) / 2);
                const added = LoraStack.addPoint(this.#points, [between, factor]);
                this.#write(added.points);
                this.#handles[added.index].focus();
            } else {
                return;
            }
            event.preventDefault();
            event.stopPropagation();
        }
    }

    LoraStack.CurveEditor = CurveEditor;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
