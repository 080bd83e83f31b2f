// How far the files of a stack pull the model the same way, every two of them, as a matrix.
(function (LoraStack) {
    "use strict";

    const TABS = Object.freeze(["txt2img", "img2img"]);
    const MUCH = 0.3; // beyond that two files are worth a word
    const LITTLE = 0.1;

    /** "same", "against", "little", "aside" or "unknown": what a cosine means for two files in one stack. */
    function interferenceKind(cosine) {
        if (!Number.isFinite(cosine)) return "unknown";
        if (cosine >= MUCH) return "same";
        if (cosine <= -MUCH) return "against";
        return Math.abs(cosine) >= LITTLE ? "little" : "aside";
    }

    class InterferencePage {
        #library;
        #asked = 0;

        /** `library` has `api` and `back()`. */
        constructor(library) {
            const { make, text, iconButton } = LoraStack;
            this.#library = library;
            this.tab = make("select", { class: "ls-select ls-word-target", "aria-label": text("mix.tab"), onchange: () => this.open() }, ...TABS.map((tab) => make("option", { value: tab }, tab)));
            this.body = make("div", { class: "ls-mix" });
            this.root = make("div", { class: "ls-page", tabindex: "-1", hidden: true, onkeydown: (event) => this.#key(event) },
                make("div", { class: "ls-page-head" }, iconButton("back", text("page.back"), () => library.back()), make("h2", { class: "ls-page-name", tabindex: "-1" }, text("mix.title")), make("label", { class: "ls-word-choice ls-small" }, make("span", {}, text("mix.tab")), this.tab)),
                make("div", { class: "ls-page-body ls-page-single" }, make("div", {}, make("p", { class: "ls-small" }, text("mix.note")), this.body)));
        }

        async open() {
            const { make, text } = LoraStack;
            const asked = (this.#asked += 1);
            const say = (words, attributes = {}) => this.body.replaceChildren(make("p", { class: "ls-browser-note", role: "status", ...attributes }, words));
            const stack = LoraStack.panelOf(this.tab.value)?.text ?? "";
            say(text("mix.measuring"));
            try {
                const told = await this.#library.api.post("interference", { stack });
                if (asked !== this.#asked) return;
                if (told.rows.length < 2) say(text("mix.too_few", { tab: this.tab.value }));
                else this.#draw(told);
            } catch (error) {
                if (asked === this.#asked) say(text("page.failed", { reason: error.message }), { class: "ls-problem", role: "alert" });
            }
        }

        #draw({ rows, matrix, left_out: leftOut = [] }) {
            const { make, text } = LoraStack;
            const name = (row) => LoraStack.splitLabel(String(rows[row])).name;
            const cell = (value, row, column) => {
                if (row === column) return make("td", { class: "ls-mix-self" }, "");
                const kind = interferenceKind(value);
                const shown = make("td", { class: `ls-mix-${kind}`, title: text(`mix.${kind}`, { first: name(row), second: name(column) }) }, kind === "unknown" ? "?" : value.toFixed(2));
                shown.style.setProperty("--ls-strength", Math.min(1, Math.abs(value ?? 0)));
                return shown;
            };
            const lines = matrix.map((line, row) => make("tr", {}, make("th", { scope: "row" }, `${row + 1}. ${rows[row]}`), ...line.map((value, column) => cell(value, row, column))));
            const words = matrix.flatMap((line, row) => line.slice(row + 1).map((value, index) => ({ value, row, column: row + 1 + index })))
                .filter(({ value }) => ["same", "against"].includes(interferenceKind(value)))
                .map(({ value, row, column }) => make("li", {}, text(`mix.${interferenceKind(value)}`, { first: name(row), second: name(column) })));
            const left = leftOut.map((count, row) => (count ? make("li", {}, text("mix.left_out", { name: name(row), count })) : null)).filter(Boolean);
            this.body.replaceChildren(
                make("div", { class: "ls-mix-scroll", tabindex: "0", role: "group", "aria-label": text("mix.title") }, make("table", { class: "ls-table ls-mix-table" },
                    make("thead", {}, make("tr", {}, make("td", {}), ...rows.map((label, row) => make("th", { scope: "col", title: String(label) }, `${row + 1}`)))), make("tbody", {}, ...lines))),
                make("ul", { class: "ls-mix-words" }, ...(words.length ? words : [make("li", {}, text("mix.calm"))]), ...left));
        }

        #key(event) {
            event.stopPropagation();
            if (event.key === "Escape") this.#library.back();
        }
    }

    Object.assign(LoraStack, { interferenceKind, InterferencePage });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
