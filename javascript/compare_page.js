// Two files beside each other: what is the same, what is not, and the tags of both.
(function (LoraStack) {
    "use strict";

    const TAGS = 24; // drawn of each list

    /** A value as a person writes it. */
    function shown(key, value) {
        if (value === null || value === undefined || value === "" || (key === "rating" && value === 0)) return "–";
        if (key === "size") return LoraStack.sizeText(value);
        if (key === "family") return LoraStack.familyText({ family: value });
        if (key === "preferred_weight") return LoraStack.isWeight(value) ? LoraStack.showWeight(value) : String(value);
        return Array.isArray(value) ? value.join(", ") : String(value);
    }

    /** Both values of a line; sizes that read the same and are not are written to the byte. */
    function shownBoth({ key, a, b }) {
        const texts = [shown(key, a), shown(key, b)];
        if (key !== "size" || a === b || texts[0] !== texts[1]) return texts;
        return [a, b].map((bytes) => `${bytes.toLocaleString(LoraStack.language())} B`);
    }

    class ComparePage {
        #library;
        #asked = 0;

        /** `library` has `api`, `target`, `back()`, `openPage(file)`. */
        constructor(library) {
            const { make, text, iconButton } = LoraStack;
            this.#library = library;
            this.only = make("input", { type: "checkbox", class: "ls-check", onchange: () => this.body.classList.toggle("ls-only-different", this.only.checked) });
            this.body = make("div", { class: "ls-compare" });
            this.root = make("div", { class: "ls-page", tabindex: "-1", hidden: true, onkeydown: (event) => this.#key(event) },
                make("div", { class: "ls-page-head" }, iconButton("back", text("page.back"), () => library.back()), make("h2", { class: "ls-page-name", tabindex: "-1" }, text("cmp.title")), make("label", { class: "ls-choice" }, this.only, make("span", {}, text("cmp.only")))),
                make("div", { class: "ls-page-body ls-page-single" }, this.body));
        }

        async open(first, second) {
            const { make, text } = LoraStack;
            const asked = (this.#asked += 1);
            this.body.replaceChildren(make("p", { class: "ls-browser-note", role: "status" }, text("add.loading")));
            try {
                const told = await this.#library.api.get("compare", { a: LoraStack.fileId(first), b: LoraStack.fileId(second) });
                if (asked === this.#asked) this.#draw(told);
            } catch (error) {
                if (asked === this.#asked) this.body.replaceChildren(make("p", { class: "ls-problem", role: "alert" }, text("page.failed", { reason: error.message })));
            }
        }

        #draw({ a, b, rows = [], tags = {} }) {
            const { make, text } = LoraStack;
            const head = (file) => make("th", { scope: "col" }, LoraStack.makePicture(this.#library.api, file, 384), make("button", { type: "button", class: "ls-link", onclick: () => this.#library.openPage(file) }, String(file.label)));
            const line = (row) => make("tr", { class: row.same ? "ls-same" : "ls-different" }, make("th", { scope: "row" }, LoraStack.told(row.label || row.key)), ...shownBoth(row).map((value) => make("td", {}, value)));
            const chips = (list) => (list ?? []).slice(0, TAGS).map(([tag]) => String(tag));
            const column = (key, list, values = {}) => make("div", {}, make("h3", { class: "ls-section-title" }, text(key, values)), chips(list).length ? LoraStack.wordChips(chips(list), this.#library.target) : make("p", { class: "ls-small" }, "–"));
            this.body.replaceChildren(
                make("table", { class: "ls-table" }, make("thead", {}, make("tr", {}, make("td", {}), head(a), head(b))), make("tbody", {}, ...rows.map(line))),
                make("div", { class: "ls-three" }, column("cmp.only_of", tags.a, { name: LoraStack.splitLabel(String(a.label)).name }), column("cmp.both", tags.both), column("cmp.only_of", tags.b, { name: LoraStack.splitLabel(String(b.label)).name })));
        }

        #key(event) {
            event.stopPropagation();
            if (event.key === "Escape") this.#library.back();
        }
    }

    LoraStack.ComparePage = ComparePage;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
