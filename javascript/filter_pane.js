// The filters beside the files: folders, what they are made for, family, kind, tags; each with how many there are.
(function (LoraStack) {
    "use strict";

    // filter → the list in the server's facets
    const GROUPS = Object.freeze({ architecture: "architectures", family: "families", role: "roles", tag: "tags" });
    const FEW = 12; // choices drawn before “show all”

    class FilterPane {
        #owner;
        #all = new Set(); // groups of which every choice is drawn
        #facets = null;

        /** `owner` has `query` and takes a new one by `ask(query)`. */
        constructor(owner) {
            const { make, text } = LoraStack;
            this.#owner = owner;
            this.tree = new LoraStack.FolderTree((place) => owner.ask({ ...owner.query, ...place }));
            this.groups = Object.fromEntries(Object.keys(GROUPS).map((name) => [name, make("fieldset", { class: "ls-filter", hidden: true })]));
            this.root = make("section", { class: "ls-pane", "aria-label": text("filter.label") },
                make("div", { class: "ls-filter" }, make("p", { class: "ls-filter-title", "aria-hidden": "true" }, text("filter.folders")), this.tree.root),
                ...Object.values(this.groups));
        }

        update(facets) {
            this.#facets = facets;
            this.draw();
        }

        /** Draw for the query as it is now; without facets only the top folder is known. */
        draw() {
            const { query } = this.#owner;
            this.tree.update(this.#facets ?? {}, query);
            for (const [name, list] of Object.entries(GROUPS)) this.#drawGroup(name, this.#facets?.[list] ?? [], query[name]);
        }

        #drawGroup(name, choices, chosen) {
            const { make, text } = LoraStack;
            const group = this.groups[name];
            const focused = group.contains(document.activeElement) ? document.activeElement.dataset.value : undefined;
            const known = choices.filter((choice) => choice.name !== "" && (choice.count > 0 || chosen.includes(choice.name)));
            for (const value of chosen) if (!known.some((choice) => choice.name === value)) known.unshift({ name: value, count: 0 });
            const shown = this.#all.has(name) ? known : known.filter((choice, place) => place < FEW || chosen.includes(choice.name));
            group.hidden = known.length === 0;
            const rows = shown.map((choice) => {
                const box = make("input", { type: "checkbox", class: "ls-check", "data-value": choice.name, onchange: () => this.#owner.ask(LoraStack.toggleFilter(this.#owner.query, name, choice.name)) });
                box.checked = chosen.includes(choice.name);
                return make("label", { class: "ls-choice" }, box, make("span", { class: "ls-choice-name" }, LoraStack.filterName(name, choice.name, choice.label)), make("span", { class: "ls-count" }, String(choice.count)));
            });
            const more = known.length > shown.length ? make("button", { type: "button", class: "ls-link ls-small", onclick: () => this.#showAll(name) }, text("filter.more", { count: known.length - shown.length })) : null;
            group.replaceChildren(...[make("legend", { class: "ls-filter-title" }, text(`filter.${name}`)), ...rows, more].filter(Boolean));
            if (focused !== undefined) [...group.querySelectorAll("input")].find((box) => box.dataset.value === focused)?.focus();
        }

        #showAll(name) {
            this.#all.add(name);
            this.draw();
            this.groups[name].querySelectorAll("input")[FEW]?.focus();
        }
    }

    /** How a value of a filter is called, on its check box and on its chip. */
    LoraStack.filterName = function (name, value, label = "") {
        if (name === "family") return LoraStack.familyText({ family: value }) || value;
        if (name === "role") return LoraStack.textOr(`role.${value}`, label || value);
        return label || value;
    };

    LoraStack.FilterPane = FilterPane;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
