// The picker over the page: browse all LoRAs, choose several, put them into the stack.
(function (LoraStack) {
    "use strict";

    class PickerDialog {
        #panel;
        #browser = null; // made when it is first opened
        #dialog = null;

        constructor(panel) {
            this.#panel = panel;
        }

        get isOpen() {
            return this.#dialog?.isOpen ?? false;
        }

        /** Open it, searching for what stands in the quick search already. */
        open(words = "") {
            if (this.isOpen) return;
            if (!this.#dialog) this.#build();
            this.#dialog.open();
            this.#browser.bar.input.value = words;
            this.#browser.bar.input.focus();
            const { query } = this.#browser; // filters of the last time would hide what is now looked for; “fits” is no surprise
            this.#browser.ask({ ...LoraStack.withoutFilters(query), fits: query.fits, q: words });
            this.#drawMarks([]);
        }

        #build() {
            const { make, text, iconButton } = LoraStack;
            const panel = this.#panel;
            this.#browser = new LoraStack.FileBrowser({
                api: panel.api, name: `${panel.tab}_picker`, label: text("pick.files"), roles: () => panel.roles, holds: (file) => panel.holds(file), picks: true,
                onUse: (files, stay) => this.#add(files, stay), onMarks: (files) => this.#drawMarks(files), onStatus: (words) => LoraStack.setText(this.status, words),
                onAdd: (file) => this.#add([file], true), onPage: LoraStack.openLibrary ? (file) => this.#openPage(file) : null,
            });
            this.status = make("p", { class: "ls-small ls-foot-status", role: "status" });
            this.chosen = make("div", { class: "ls-chips ls-chosen", role: "group", "aria-label": text("pick.chosen") });
            this.addButton = make("button", { type: "button", class: "ls-button ls-solid", onclick: () => this.#add(this.#browser.marked, false) });
            const close = iconButton("remove", text("pick.close"), () => this.#dialog.close());
            const content = make("div", { class: "ls-sheet" },
                make("div", { class: "ls-sheet-head" }, make("h2", { class: "ls-sheet-title" }, text("pick.title")), close), this.#browser.root,
                make("div", { class: "ls-sheet-foot" }, this.status, this.chosen, make("span", { class: "ls-small ls-keys" }, text("pick.keys")), this.addButton));
            this.#dialog = new LoraStack.Dialog(text("pick.title"), content, { className: "ls-picker-dialog", onClose: () => this.#browser.clearMarks() });
        }

        #drawMarks(files) {
            const { make, text, icon } = LoraStack;
            this.chosen.replaceChildren(...files.map((file) => {
                const { name } = LoraStack.splitLabel(String(file.label));
                return make("button", { type: "button", class: "ls-chip", "aria-label": text("pick.take_out", { name }), onclick: () => this.#browser.toggleMark(file) }, make("span", { class: "ls-chip-name" }, name), icon("remove"));
            }));
            this.addButton.disabled = files.length === 0;
            LoraStack.setText(this.addButton, files.length > 1 ? text("pick.add_several", { count: files.length }) : text("pick.add"));
        }

        #add(files, stay) {
            for (const file of files) if (!file.problem) this.#panel.add(file);
            if (!stay) {
                this.#dialog.close();
                return;
            }
            LoraStack.setText(this.status, LoraStack.text("say.added", { name: files.map((file) => file.label).join(", ") }));
            this.#browser.grid.draw(); // “in the stack” on its card
        }

        #openPage(file) {
            this.#dialog.close();
            LoraStack.openLibrary(file);
        }
    }

    LoraStack.PickerDialog = PickerDialog;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
