// The lines under the rows: what the last picture was made with, and what the panel has to say.
(function (LoraStack) {
    "use strict";

    class Report {
        #api;
        #tab;
        #serial = null;
        #asking = Promise.resolve();
        #waits = false;

        constructor(api, tab) {
            const { make, text, icon } = LoraStack;
            this.#api = api;
            this.#tab = tab;
            this.last = null;
            this.line = make("span", { class: "ls-report-line" });
            this.list = make("ul", { class: "ls-report-list" });
            this.details = make("details", { hidden: true }, make("summary", {}, text("report.details")), this.list);
            this.root = make("div", { class: "ls-report", role: "status", "aria-live": "polite", hidden: true },
                icon("done"), icon("warning"), this.line, this.details);
        }

        /** Ask for the newest report; null where it is known already, or of a picture made before this page was opened. */
        async refresh() {
            if (this.#waits) return null; // it will be asked for once more
            this.#waits = true;
            await this.#asking; // which may have been answered before the newest picture was finished
            this.#waits = false;
            this.#asking = this.#ask();
            return this.#asking;
        }

        async #ask() {
            try {
                const report = await this.#api.get("report", { tab: this.#tab });
                const before = this.#serial;
                this.#serial = report.serial ?? 0;
                if (this.#serial === 0 || this.#serial === before) return null;
                return before !== null || report.age * 1000 < performance.now() ? report : null;
            } catch {
                return null; // no answer now: the next change of the page asks again
            }
        }

        show(report) {
            const { make, text } = LoraStack;
            this.last = report;
            const rows = Array.isArray(report.entries) ? report.entries : [];
            LoraStack.setText(this.line, LoraStack.told(report.line));
            this.list.replaceChildren(...rows.map((row) => make("li", { class: isWhole(row) ? "" : "ls-partial" }, describe(row))));
            this.details.hidden = rows.length === 0;
            this.root.hidden = false;
            this.root.title = "";
            this.root.classList.toggle("ls-failed", report.ok === false);
            this.root.classList.remove("ls-stale");
            this.root.setAttribute("aria-label", text(report.ok === false ? "report.failed" : "report.ok"));
        }

        /** The stack has changed since: the report is still true, of the last picture. */
        age() {
            if (this.root.hidden) return;
            this.root.classList.add("ls-stale");
            this.root.title = LoraStack.text("report.stale");
        }
    }

    /** Whether all of a file found its place; rows are those of lib_lora/engine/report.py. */
    function isWhole(row) {
        return row.matched === row.total;
    }

    function describe(row) {
        const { text } = LoraStack;
        const missing = row.unmatched?.length ? text("report.unmatched", { names: row.unmatched.join(", ") }) : "";
        return [`${row.row}. ${row.network}`, text("report.matched", row), missing, ...(row.notes ?? []).map(LoraStack.told)].filter(Boolean).join(" · ");
    }

    Object.assign(LoraStack, { Report });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
