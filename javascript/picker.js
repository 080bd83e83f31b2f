// The searchable list to add from: type, look, Enter. The server searches.
(function (LoraStack) {
    "use strict";

    const PAGE = 40; // files fetched at once; scrolling to the end fetches more
    const PAUSE_MS = 120; // after the last key before the server is asked

    class Picker {
        #panel;
        #id;
        #files = []; // those drawn
        #shownFor = null; // the words they were searched by
        #pickFirst = false; // Enter was pressed before the answer came
        #total = 0;
        #active = -1;
        #asked = 0;
        #timer = 0;

        constructor(panel) {
            const { make, text, icon } = LoraStack;
            this.#panel = panel;
            this.#id = `lora_stack_${panel.tab}_files`;
            this.input = make("input", {
                type: "text", class: "ls-search", role: "combobox", autocomplete: "off", spellcheck: "false",
                placeholder: text("add.placeholder"), "aria-label": text("add.label"), "aria-autocomplete": "list",
                "aria-expanded": "false", "aria-controls": this.#id,
                onclick: () => this.open(), oninput: () => this.#search(), onkeydown: (event) => this.#key(event),
            });
            this.list = make("ul", { class: "ls-files", role: "listbox", id: this.#id, "aria-label": text("add.results"), onscroll: () => this.#scrolled() });
            this.status = make("p", { class: "ls-small ls-found", role: "status" });
            this.trouble = make("p", { class: "ls-trouble", role: "status", hidden: true });
            this.popup = make("div", { class: "ls-popup", hidden: true, onmousedown: (event) => event.preventDefault() }, this.list, this.status, this.trouble);
            this.dialog = new LoraStack.PickerDialog(panel);
            const browse = make("button", { type: "button", class: "ls-button ls-browse", title: text("pick.open_help"), "aria-haspopup": "dialog", onclick: () => this.browse() }, icon("cards"), make("span", {}, text("pick.open")));
            this.root = make("div", { class: "ls-picker", onfocusout: (event) => this.#left(event) },
                make("div", { class: "ls-search-box" }, icon("plus"), this.input, browse), this.popup);
        }

        get isOpen() {
            return !this.popup.hidden;
        }

        open() {
            if (this.isOpen) return;
            this.popup.hidden = false;
            this.input.setAttribute("aria-expanded", "true");
            this.load();
        }

        close() {
            this.popup.hidden = true;
            this.input.setAttribute("aria-expanded", "false");
            this.input.removeAttribute("aria-activedescendant");
        }

        /** Open the large picker, with the words that stand here. */
        browse() {
            this.close();
            this.dialog.open(this.input.value);
        }

        /** Ask the server anew, from the first file. */
        async load() {
            await this.#fetch(0);
            this.list.scrollTop = 0;
        }

        #search() {
            this.open();
            this.#pickFirst = false;
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.load(), PAUSE_MS);
        }

        async #fetch(offset) {
            const { text } = LoraStack;
            const query = this.input.value.trim();
            const question = ++this.#asked;
            if (offset === 0 && this.#files.length === 0) LoraStack.setText(this.status, text("add.loading"));
            try {
                const { items, total, problems } = await this.#panel.api.get("networks", { q: query, offset, limit: PAGE });
                if (question !== this.#asked) return; // a later question is under way
                this.#files = offset === 0 ? items : [...this.#files, ...items];
                this.#total = total;
                LoraStack.showTrouble(this.trouble, problems);
                this.#shownFor = query;
                this.#draw(offset);
            } catch (error) {
                if (question !== this.#asked) return;
                this.#files = [];
                this.list.replaceChildren();
                LoraStack.setText(this.status, text("add.failed", { reason: error.message }));
            }
        }

        #draw(offset) {
            const { text } = LoraStack;
            const options = this.#files.slice(offset).map((file, index) => this.#option(file, offset + index));
            if (offset === 0) this.list.replaceChildren(...options);
            else this.list.append(...options);
            const query = this.#shownFor;
            const none = query ? text("add.none", { query }) : text("add.empty");
            LoraStack.setText(this.status, this.#total ? text("add.count", { shown: this.#files.length, total: this.#total }) : none);
            if (offset > 0) return;
            this.#activate(query && this.#isCurrent ? this.#next(-1, 1) : -1);
            if (this.#pickFirst && this.#isCurrent) this.#pick(this.#active);
        }

        #option(file, index) {
            const { make, text, icon } = LoraStack;
            const { folder, name } = LoraStack.splitLabel(file.label);
            const badges = file.problem ? [] : LoraStack.makeBadges(file);
            const role = LoraStack.findRole(this.#panel.roles, file.role);
            if (role && !file.problem) badges.unshift(make("span", { class: "ls-note" }, LoraStack.roleLabel(role)));
            if (this.#panel.holds(file)) badges.push(make("span", { class: "ls-note" }, icon("done"), text("add.in_stack")));
            return make("li", {
                class: "ls-file", role: "option", id: `${this.#id}_${index}`, "aria-selected": "false",
                "aria-disabled": file.problem ? "true" : null, title: file.label,
                onclick: () => this.#pick(index), onmousemove: (event) => this.#hover(event, index),
            },
                LoraStack.makeTile(this.#panel.api, file, file.label),
                make("span", { class: "ls-name" },
                    make("span", { class: "ls-title" }, make("span", { class: "ls-folder" }, folder), make("span", {}, name)),
                    make("span", { class: "ls-facts" }, ...badges, file.problem ? make("span", { class: "ls-reason" }, icon("warning"), LoraStack.told(file.problem)) : null)));
        }

        /** Follow the mouse, but not when the list moved and the mouse did not. */
        #hover(event, index) {
            const moved = event.movementX !== 0 || event.movementY !== 0;
            if (moved && index !== this.#active && !this.#files[index]?.problem) this.#activate(index, false);
        }

        /** Whether the list answers what stands in the field now. */
        get #isCurrent() {
            return this.#shownFor === this.input.value.trim();
        }

        #pick(index) {
            this.#pickFirst = false;
            const file = this.#files[index];
            if (!file || file.problem) return;
            this.#panel.add(file);
            this.input.value = "";
            this.#files = [];
            this.#shownFor = null;
            this.close();
        }

        /** The next file that can be used, from `index` in direction `step`; where there is none, `index` itself. */
        #next(index, step) {
            for (let at = index + step; at >= 0 && at < this.#files.length; at += step) {
                if (!this.#files[at].problem) return at;
            }
            return index;
        }

        #activate(index, scroll = true) {
            this.#active = index;
            for (const [at, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(at === index));
            const option = this.list.children[index];
            if (option) this.input.setAttribute("aria-activedescendant", option.id);
            else this.input.removeAttribute("aria-activedescendant");
            if (scroll) option?.scrollIntoView({ block: "nearest" });
        }

        #key(event) {
            if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
            const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
            if (step) {
                if (!this.isOpen) this.open();
                else for (let count = Math.abs(step); count > 0; count -= 1) this.#activate(this.#next(this.#active, Math.sign(step)));
            } else if (event.key === "Enter") {
                if (!this.isOpen) this.open();
                else if (this.#isCurrent) this.#pick(this.#active);
                else this.#pickFirst = true;
            } else if (event.key === "Escape" && this.isOpen) {
                this.close();
            } else {
                return;
            }
            event.preventDefault();
            event.stopPropagation();
        }

        #left(event) {
            if (!this.root.contains(event.relatedTarget)) this.close();
        }

        #scrolled() {
            const { scrollTop, clientHeight, scrollHeight } = this.list;
            const waiting = this.list.dataset.waiting === "true";
            if (waiting || this.#files.length >= this.#total || scrollTop + clientHeight < scrollHeight - 200) return;
            this.list.dataset.waiting = "true";
            this.#fetch(this.#files.length).finally(() => delete this.list.dataset.waiting);
        }
    }

    LoraStack.Picker = Picker;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
