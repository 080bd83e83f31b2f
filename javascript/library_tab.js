// The Library tab: the file browser, a page for each file, two files compared, and work on several at once.
(function (LoraStack) {
    "use strict";

    const SAY_MS = 12000;

    class LibraryTab {
        #timer = 0;
        #started = false;
        #first = null; // the file that is to be compared with the next one

        constructor(mount) {
            const { make, text, iconButton, icon } = LoraStack;
            this.api = new LoraStack.Api(mount.dataset.routes);
            this.roles = [];
            this.say = (words) => this.#say(words);
            this.target = new LoraStack.WordTarget(this.say);
            const button = (name, key, onclick, attributes = {}) => make("button", { type: "button", class: "ls-button", ...attributes, onclick }, icon(name), make("span", {}, text(key)));
            this.count = make("span", { class: "ls-small ls-foot-status" });
            this.message = make("p", { class: "ls-small ls-library-message", role: "status", "aria-live": "polite" });
            this.progress = new LoraStack.ProgressLine(() => this.api.delete("hash").catch((error) => this.say(error.message)));
            this.browser = new LoraStack.FileBrowser({
                api: this.api, name: "library", label: text("lib.files"), roles: () => this.roles, holds: () => false, picks: false,
                onUse: ([file]) => this.#used(file), onMarks: (files) => this.#drawMarks(files), onStatus: (words) => LoraStack.setText(this.count, words),
                onAdd: (file) => this.send([file], "txt2img"), onPage: (file) => this.openPage(file), addText: "lib.add_text", pageText: "lib.page",
            });
            this.page = new LoraStack.FilePage(this);
            this.compare = new LoraStack.ComparePage(this);
            this.mix = new LoraStack.InterferencePage(this);
            this.live = new LoraStack.Live(this.api, { status: (status) => this.#status(status), changed: () => this.browser.ask(), file: (file) => this.#fileChanged(file) });
            this.actions = make("div", { class: "ls-buttons ls-wrap" },
                button("send", "lib.add_text", () => this.send(this.browser.marked, "txt2img")), button("send", "lib.add_image", () => this.send(this.browser.marked, "img2img")),
                this.compareButton = button("compare", "lib.compare", () => this.openCompare(...this.browser.marked)), button("hash", "page.hash_compute", () => this.hash(this.browser.marked)),
                button("remove", "lib.unmark", () => this.#unmark()));
            this.marks = make("div", { class: "ls-sheet-foot ls-library-foot", hidden: true }, this.markCount = make("span", { class: "ls-foot-status", role: "status" }), this.actions);
            const head = make("div", { class: "ls-library-head" }, this.count, this.message, this.progress.root,
                button("compare", "mix.title", () => this.openInterference()), button("hash", "lib.hash_all", () => this.hash(null)), iconButton("refresh", text("tool.refresh"), () => this.#refresh()));
            mount.classList.add("lora-stack", "ls-library");
            mount.lang = LoraStack.language();
            mount.closest(".prose")?.classList.remove("prose"); // gradio's styles for articles
            mount.replaceChildren(head, this.browser.root, this.page.root, this.compare.root, this.mix.root, this.marks);
            new LoraStack.FocusKeeper(mount);
            LoraStack.refuseDrops(mount);
            new ResizeObserver(() => this.#shown(mount.getClientRects().length > 0)).observe(mount);
        }

        /** Nothing is asked before somebody looks, and nothing is listened to while nobody does. */
        #shown(visible) {
            this.live.listen(visible);
            if (!visible || this.#started) return;
            this.#started = true;
            this.api.getSoon("advice").then((roles) => {
                this.roles = roles;
                this.browser.grid.draw();
            }).catch((error) => this.say(LoraStack.text("say.offline", { reason: error.message })));
            this.browser.ask();
        }

        openPage(file) {
            const opened = this.page.open(file); // before it is in sight: what it showed last is not what is asked for
            this.#view(this.page);
            return opened;
        }

        openCompare(first, second) {
            if (!first || !second) return;
            this.#say("");
            this.#view(this.compare);
            this.compare.open(first, second);
        }

        openInterference() {
            this.#view(this.mix);
            this.mix.open();
        }

        /** The next file that is opened is compared with this one. */
        compareWith(file) {
            this.#first = file;
            this.back();
            this.#say(LoraStack.text("lib.compare_next", { name: file.label }), true); // as long as it is so
        }

        back() {
            this.#view(null);
            this.browser.grid.root.focus();
        }

        #view(page) {
            for (const other of [this.page, this.compare, this.mix]) other.root.hidden = other !== page;
            this.browser.root.hidden = page !== null;
            this.marks.hidden = page !== null || this.browser.marked.length === 0;
            if (page) LoraStack.focusSoon(page.root.querySelector("h2"));
            else this.browser.grid.draw();
        }

        #used(file) {
            const first = this.#first;
            this.#first = null;
            if (first) this.#say("");
            if (first && LoraStack.fileId(first) !== LoraStack.fileId(file)) this.openCompare(first, file);
            else this.openPage(file);
        }

        /** Put files into the stack of a tab and go there. */
        send(files, tab) {
            const { text } = LoraStack;
            const panel = LoraStack.panelOf(tab);
            const usable = files.filter((file) => !file.problem);
            if (!panel || usable.length === 0) {
                this.say(text(panel ? "lib.nothing_to_add" : "word.no_prompt", { tab }));
                return;
            }
            const added = usable.filter((file) => panel.add(file));
            LoraStack.showTab(tab);
            if (added.length === 0) return; // the panel says why
            this.browser.clearMarks();
            LoraStack.focusSoon(panel.rows.at(-1).moreButton);
        }

        /** Compute hashes of these files, or of all that have none. */
        async hash(files) {
            try {
                const work = await this.api.post("hash", files ? { ids: files.map(LoraStack.fileId) } : { all: true });
                this.#status({ hash: { done: 0, ...work } });
            } catch (error) {
                this.say(error.message);
            }
        }

        changed(item) {
            this.browser.replace({ ...item });
            LoraStack.fileChanged(item);
        }

        #status(status) {
            this.progress.show(status.hash);
            this.page.status(status);
        }

        /** Thousands are told of while all are hashed: only what is shown somewhere is asked for. */
        async #fileChanged({ id, label }) {
            LoraStack.fileChanged({ label });
            const item = this.browser.holds(id) ? await this.api.get("network", { id }).catch(() => null) : null; // it may be gone again
            if (item) this.browser.replace(item);
        }

        async #refresh() {
            const { text } = LoraStack;
            try {
                const { total, problems = [] } = await this.api.post("refresh");
                this.say([text("say.refreshed", { count: total }), ...problems.map(LoraStack.told)].join(" "));
                this.browser.ask();
            } catch (error) {
                this.say(text("say.offline", { reason: error.message }));
            }
        }

        #drawMarks(files) {
            this.marks.hidden = files.length === 0;
            this.compareButton.disabled = files.length !== 2;
            LoraStack.setText(this.markCount, LoraStack.text("lib.marked", { count: files.length }));
        }

        #unmark() {
            this.browser.clearMarks();
            this.browser.grid.root.focus();
        }

        #say(words, stays = false) {
            clearTimeout(this.#timer);
            LoraStack.setText(this.message, words);
            if (!stays) this.#timer = setTimeout(() => LoraStack.setText(this.message, ""), SAY_MS);
        }
    }

    LoraStack.LibraryTab = LibraryTab;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
