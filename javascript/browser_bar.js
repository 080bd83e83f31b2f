// The bar above the files: words to search, the three switches, the order, cards or list; and the chips of what is filtered.
(function (LoraStack) {
    "use strict";

    const PAUSE_MS = 60; // between two questions to the server: a hand types slower and is answered at once, a held key does not ask each time
    const SWITCH_ICONS = Object.freeze({ fits: "done", favourite: "star", recent: "recent" });

    class BrowserBar {
        #owner;
        #timer = 0;
        #askedAt = -PAUSE_MS;

        /** `owner` has `query` and `mode`, and takes `ask(query)`, `chooseMode(mode)`, `togglePane()`, `searchKey(event)`. */
        constructor(owner) {
            const { make, text, icon, iconButton } = LoraStack;
            this.#owner = owner;
            this.input = make("input", {
                type: "search", class: "ls-search", autocomplete: "off", spellcheck: "false", placeholder: text("browse.search"), "aria-label": text("browse.search"),
                oninput: () => this.#typed(), onkeydown: (event) => owner.searchKey(event),
            });
            this.switches = Object.fromEntries(LoraStack.FILTER_SWITCHES.map((name) => [name, make("button", {
                type: "button", class: "ls-button ls-toggle", "aria-pressed": "false", onclick: () => owner.ask(LoraStack.toggleFilter(owner.query, name)),
            }, icon(SWITCH_ICONS[name]), make("span", {}, text(`filter.${name}`)))]));
            this.sort = make("select", { class: "ls-select", "aria-label": text("sort.label"), onchange: () => owner.ask({ ...owner.query, sort: this.sort.value }) },
                ...LoraStack.SORTS.map((name) => make("option", { value: name }, text(`sort.${name || "best"}`))));
            this.modes = Object.fromEntries(["cards", "list"].map((mode) => [mode, iconButton(mode, text(`browse.${mode}`), () => owner.chooseMode(mode), { "aria-pressed": "false" })]));
            this.pane = make("button", { type: "button", class: "ls-button ls-pane-button", "aria-expanded": "false", onclick: () => owner.togglePane() }, icon("filter"), text("filter.button"));
            this.root = make("div", { class: "ls-browser-bar" },
                make("div", { class: "ls-search-box" }, icon("search"), this.input), this.pane,
                make("div", { class: "ls-switches", role: "group", "aria-label": text("filter.quick") }, ...Object.values(this.switches)),
                make("div", { class: "ls-order" }, this.sort, make("span", { class: "ls-modes", role: "group", "aria-label": text("browse.mode") }, ...Object.values(this.modes))));
            this.chips = make("div", { class: "ls-set-filters", role: "group", "aria-label": text("filter.set") });
        }

        /** Whether the field holds words that the server has not been asked for. */
        get isAhead() {
            return this.input.value.trim() !== this.#owner.query.q.trim();
        }

        /** Ask at once for what stands in the field. */
        flush() {
            clearTimeout(this.#timer);
            this.#askedAt = performance.now();
            if (this.isAhead) this.#owner.ask({ ...this.#owner.query, q: this.input.value });
        }

        update(facets) {
            const { query, mode } = this.#owner;
            const { make, text, icon } = LoraStack;
            for (const [name, button] of Object.entries(this.switches)) button.setAttribute("aria-pressed", String(query[name]));
            const made = facets?.checkpoint?.label;
            LoraStack.setText(this.switches.fits.lastChild, made ? text("filter.fits_named", { checkpoint: made }) : text("filter.fits"));
            this.sort.value = query.sort;
            for (const [name, button] of Object.entries(this.modes)) button.setAttribute("aria-pressed", String(name === mode));
            const filters = LoraStack.setFilters(query).filter(({ name }) => !LoraStack.FILTER_SWITCHES.includes(name));
            const hadFocus = this.chips.contains(document.activeElement);
            this.chips.replaceChildren(...filters.map((filter) => {
                const label = this.#nameOf(filter, facets);
                return make("button", { type: "button", class: "ls-chip", "aria-label": text("filter.take_out", { name: label }), onclick: () => this.#owner.ask(LoraStack.withoutFilter(this.#owner.query, filter)) }, label, icon("remove"));
            }));
            if (filters.length > 1) this.chips.append(make("button", { type: "button", class: "ls-link ls-small", onclick: () => this.#owner.ask(LoraStack.withoutFilters(this.#owner.query)) }, text("filter.none")));
            if (hadFocus) (this.chips.querySelector("button") ?? this.input).focus();
            this.chips.hidden = filters.length === 0;
        }

        #nameOf({ name, value }, facets) {
            if (name === "folder") return value || String((facets?.roots ?? []).find(({ root }) => root === this.#owner.query.root)?.path ?? "");
            const list = { architecture: "architectures", role: "roles" }[name];
            return LoraStack.filterName(name, value, (facets?.[list] ?? []).find((choice) => choice.name === value)?.label);
        }

        #typed() {
            const rest = this.#askedAt + PAUSE_MS - performance.now();
            if (rest <= 0) return this.flush();
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.flush(), rest);
        }
    }

    LoraStack.BrowserBar = BrowserBar;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
