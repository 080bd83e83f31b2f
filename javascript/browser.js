// The file browser that picker and Library tab share: search, filters, cards, details.
(function (LoraStack) {
    "use strict";

    const KEPT = "lora-stack-browser"; // what the browser remembers: cards or list, the order
    const FACETS_MS = 150; // the counts beside the filters may come a little later than the files

    class FileBrowser {
        #options;
        #marked = new Map(); // id → file, chosen to be added or worked on together
        #pages;
        #facetsAsked = 0;
        #facetsTimer = 0;
        #facets = null;
        #picking = null; // what Enter is to do once the answer has come

        /**
         * `options`: `api`, `name` (for ids), `label`, `roles()`, `holds(file)`, `picks` (a click chooses, else it opens),
         * `onUse(files, stay)` for Enter and double-click, `onMarks(files)`, `onStatus(text)`, and for the details `onAdd(file)`, `onPage(file)`, `addText`, `pageText`.
         */
        constructor(options) {
            const { make, text } = LoraStack;
            this.#options = options;
            this.api = options.api;
            this.query = { ...LoraStack.EMPTY_QUERY, ...kept().query };
            this.mode = kept().mode ?? "cards";
            this.#pages = new LoraStack.FilePages((query, offset, limit, signal) => this.api.get("networks", [...LoraStack.queryPairs(query), ["offset", offset], ["limit", limit]], { signal }), (error) => this.#answered(error));
            this.bar = new LoraStack.BrowserBar(this);
            this.pane = new LoraStack.FilterPane(this);
            this.grid = new LoraStack.FileGrid(this, `lora_stack_${options.name}_files`, options.label);
            this.details = new LoraStack.FileDetails({
                api: this.api, get roles() { return options.roles(); }, add: options.onAdd, openPage: options.onPage, addText: options.addText, pageText: options.pageText, mark: (file, change) => this.change(file, change),
            });
            this.note = make("div", { class: "ls-browser-note", role: "status" });
            this.trouble = make("p", { class: "ls-trouble", role: "status", hidden: true });
            this.root = make("div", { class: "ls-browser" }, this.bar.root,
                make("div", { class: "ls-browser-body" }, this.pane.root, make("div", { class: "ls-browser-main" }, this.bar.chips, this.trouble, this.note, this.grid.root), this.details.root));
            this.bar.update(null);
            this.pane.draw();
            this.details.show(null);
            LoraStack.setText(this.note, text("add.loading"));
        }

        get roles() {
            return this.#options.roles();
        }

        get total() {
            return this.#pages.total ?? 0;
        }

        get marked() {
            return [...this.#marked.values()];
        }

        /** Look for something; the same again where `query` is left out. */
        ask(query = this.query) {
            const [anew, words] = [query !== this.query, onlyWords(query, this.query)];
            this.query = query;
            const search = this.#pages.start(query); // first: the server works while the page draws
            if (!words) {
                keep({ mode: this.mode, query: { sort: query.sort } });
                this.bar.update(this.#facets);
                this.pane.draw();
            }
            if (anew) search.then(() => this.grid.reset());
            clearTimeout(this.#facetsTimer);
            this.#facetsTimer = setTimeout(() => this.#askFacets(), this.#facets ? FACETS_MS : 0);
            return search;
        }

        async #askFacets() {
            const asked = (this.#facetsAsked += 1);
            const facets = await this.api.get("facets", LoraStack.queryPairs(this.query)).catch(() => null); // the files are found without them, too
            if (asked !== this.#facetsAsked) return;
            this.#facets = facets;
            this.bar.update(facets);
            this.pane.update(facets);
        }

        chooseMode(mode) {
            this.mode = mode;
            keep({ mode, query: { sort: this.query.sort } });
            this.bar.update(this.#facets);
            this.grid.activate(this.grid.active);
        }

        /** Where there is no room for the filters beside the files they open over them. */
        togglePane() {
            const open = this.root.classList.toggle("ls-pane-open");
            this.bar.pane.setAttribute("aria-expanded", String(open));
        }

        /** Change what the user says of a file: favourite, rating. */
        async change(file, change) {
            try {
                const item = await this.api.patch("network", { ...(file.id === undefined ? { label: file.label } : { id: file.id }), ...change });
                this.replace({ ...file, ...item });
            } catch (error) {
                this.#options.onStatus(LoraStack.text("browse.change_failed", { reason: error.message }));
            }
        }

        /** Show a file as it is now, wherever it is shown. */
        replace(file) {
            const isIt = sameAs(LoraStack.fileId(file));
            this.#pages.replace(isIt, file);
            if (this.#marked.has(LoraStack.fileId(file))) this.#marked.set(LoraStack.fileId(file), file);
            this.grid.draw();
            if (this.details.file && isIt(this.details.file)) this.details.show(file);
        }

        /** Whether a file is among those that are held here. */
        holds(id) {
            return this.#pages.has(sameAs(id)) || this.#marked.has(id) || (this.details.file !== null && sameAs(id)(this.details.file));
        }

        clearMarks() {
            this.#marked.clear();
            this.#marksChanged();
        }

        toggleMark(file) {
            const id = LoraStack.fileId(file);
            if (!this.#marked.delete(id)) this.#marked.set(id, file);
            this.#marksChanged();
        }

        #marksChanged() {
            this.grid.draw();
            this.#options.onMarks(this.marked);
        }

        // Asked and told by the grid

        fileAt(index) {
            return index < 0 ? null : this.#pages.at(index);
        }

        stateOf(file) {
            return { marked: this.#marked.has(LoraStack.fileId(file)), held: this.#options.holds(file) };
        }

        need(first, last) {
            this.#pages.need(first, last);
        }

        point(index) {
            const file = this.fileAt(index) ?? this.fileAt(this.grid.active);
            if (file) this.details.show(file);
        }

        moved(index, stays) {
            this.details.show(this.fileAt(index));
            if (stays) this.bar.input.focus(); // up from the first row
        }

        click(index, event, part) {
            const file = this.fileAt(index);
            if (!file) return;
            this.grid.activate(index);
            this.details.show(file);
            if (part === "star") this.change(file, { favourite: !file.favourite });
            else if (part === "check" || this.#options.picks || event.ctrlKey || event.metaKey || event.shiftKey) this.#mark(file);
            else this.#options.onUse([file], false);
        }

        /** A double-click takes that file, whatever its two clicks have marked. */
        open(index) {
            const file = this.fileAt(index);
            if (!file || file.problem || !this.#options.picks) return;
            this.#marked.delete(LoraStack.fileId(file));
            this.#options.onUse([...this.marked, file], false);
        }

        key(event) {
            const file = this.fileAt(this.grid.active);
            const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
            if (event.key === "/" && plain) this.bar.input.select();
            else if (event.key === "Enter" && plain) this.#use(event.shiftKey);
            else if (event.key === " " && plain && file) this.#mark(file);
            else if (event.key.toLowerCase() === "f" && plain && file) this.change(file, { favourite: !file.favourite });
            else return;
            event.preventDefault();
            event.stopPropagation();
        }

        searchKey(event) {
            if (event.isComposing) return;
            if (event.key === "ArrowDown") {
                this.grid.root.focus();
                this.grid.activate(Math.max(0, this.grid.active));
                this.details.show(this.fileAt(this.grid.active));
            } else if (event.key === "Enter") {
                this.#picking = { stay: event.shiftKey };
                if (this.bar.isAhead) this.bar.flush();
                else this.#pickFound();
            } else {
                return;
            }
            event.preventDefault();
        }

        #mark(file) {
            if (!file.problem || !this.#options.picks) this.toggleMark(file);
        }

        /** Enter: all that is marked, else the file that the keys are at; with Shift that file alone, and the browser stays. */
        #use(stay) {
            const file = this.fileAt(this.grid.active);
            const usable = file && !(file.problem && this.#options.picks) ? [file] : [];
            const files = !stay && this.#options.picks && this.#marked.size ? this.marked : usable;
            if (files.length) this.#options.onUse(files, stay);
        }

        /** Enter in the search field takes the file the keys are at, else the first that can be used. */
        #pickFound() {
            const { stay } = this.#picking;
            this.#picking = null;
            if (this.grid.active < 0) {
                const first = Array.from({ length: Math.min(this.total, 100) }, (_, index) => index).find((index) => this.fileAt(index) && !LoraStack.greyReason(this.fileAt(index)));
                if (first === undefined) return;
                this.grid.activate(first);
            }
            this.#use(stay);
        }

        #answered(error) {
            const { text, setText } = LoraStack;
            const empty = this.query.q.trim() ? text("add.none", { query: this.query.q.trim() }) : text(LoraStack.setFilters(this.query).length ? "browse.none" : "add.empty");
            setText(this.note, error ? text("add.failed", { reason: error.message }) : empty);
            this.note.hidden = !error && this.total > 0;
            if (error === null) this.#options.onStatus(this.total === 1 ? text("browse.one") : text("browse.count", { count: this.total }));
            LoraStack.showTrouble(this.trouble, this.#pages.answer?.problems);
            this.grid.draw();
            if (this.#picking && error === null && !this.bar.isAhead) this.#pickFound();
        }
    }

    /** Whether two queries differ in their words, which no filter shows, and in nothing else. */
    function onlyWords(one, other) {
        return one.q !== other.q && JSON.stringify({ ...one, q: "" }) === JSON.stringify({ ...other, q: "" });
    }

    function sameAs(id) {
        return (file) => LoraStack.fileId(file) === id;
    }

    function kept() {
        try {
            const value = JSON.parse(globalThis.localStorage?.getItem(KEPT) ?? "{}");
            const sort = LoraStack.SORTS.includes(value?.query?.sort) ? value.query.sort : "";
            return { mode: value?.mode === "list" ? "list" : "cards", query: { sort } };
        } catch {
            return {}; // a browser that keeps nothing, or something else's words
        }
    }

    function keep(value) {
        try {
            globalThis.localStorage?.setItem(KEPT, JSON.stringify(value));
        } catch {
            // a browser that keeps nothing: the next time begins with cards by name
        }
    }

    LoraStack.FileBrowser = FileBrowser;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
