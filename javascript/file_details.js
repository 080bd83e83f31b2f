// What is known of the file under the mouse or the keys, beside the cards.
(function (LoraStack) {
    "use strict";

    const WORDS = 12; // trigger words drawn

    class FileDetails {
        #owner;
        #file = null;

        /**
         * `owner` has `api` and `roles`, and takes `add(file)`, `openPage(file)`, `mark(file, change)`; what it lacks has no button.
         * `addText` and `pageText` say what the two buttons do where it is.
         */
        constructor(owner) {
            const { make, text, icon } = LoraStack;
            this.#owner = owner;
            const button = (name, key, onclick, attributes = {}) => make("button", { type: "button", class: "ls-button", ...attributes, onclick }, icon(name), text(key));
            this.picture = make("div", { class: "ls-details-picture" });
            this.name = make("h3", { class: "ls-details-name" });
            this.title = make("p", { class: "ls-small" });
            this.reason = make("p", { class: "ls-reason" }, icon("warning"), make("span", {}));
            this.facts = make("dl", { class: "ls-pairs" });
            this.words = make("div", { class: "ls-chips" });
            this.notes = make("p", { class: "ls-details-notes" });
            this.favourite = button("star", "detail.favourite", () => owner.mark(this.#file, { favourite: !this.#file.favourite }), { "aria-pressed": "false" });
            this.stars = new LoraStack.Stars((rating) => owner.mark(this.#file, { rating }));
            this.addButton = owner.add ? button("plus", owner.addText ?? "detail.add", () => owner.add(this.#file), { class: "ls-button ls-solid" }) : null;
            this.pageButton = owner.openPage ? button("open", owner.pageText ?? "detail.page", () => owner.openPage(this.#file)) : null;
            this.body = make("div", { class: "ls-details-body", hidden: true },
                this.picture, this.name, this.title, this.reason,
                make("div", { class: "ls-buttons ls-wrap" }, this.addButton, this.favourite, this.pageButton),
                this.stars.root, this.facts, this.words, this.notes);
            this.hint = make("p", { class: "ls-small ls-details-hint" }, text("detail.hint"));
            this.root = make("aside", { class: "ls-details", "aria-label": text("detail.label") }, this.hint, this.body);
        }

        get file() {
            return this.#file;
        }

        show(file) {
            this.hint.hidden = Boolean(file);
            this.body.hidden = !file;
            if (!file || file === this.#file) return;
            this.#file = file;
            const { setText, make, text } = LoraStack;
            const { folder, name } = LoraStack.splitLabel(String(file.label));
            const reason = LoraStack.greyReason(file);
            this.picture.replaceChildren(LoraStack.makePicture(this.#owner.api, file, 512));
            setText(this.name, name);
            setText(this.title, file.title && file.title !== name ? file.title : "");
            setText(this.reason.lastChild, reason);
            this.reason.hidden = !reason;
            this.favourite.setAttribute("aria-pressed", String(Boolean(file.favourite)));
            this.stars.show(file.rating ?? 0);
            if (this.addButton) this.addButton.disabled = Boolean(file.problem);
            const pairs = [
                ["made_for", file.architecture_label], ["kind", LoraStack.kindText(file)], ["role", LoraStack.roleText(file, this.#owner.roles)],
                ["weight", LoraStack.isWeight(file.preferred_weight) ? LoraStack.showWeight(file.preferred_weight) : ""],
                ["folder", folder.replace(/\/$/, "")], ["size", LoraStack.sizeText(file.size)], ["date", LoraStack.dayText(file.mtime)],
                ["used", file.uses ? text("detail.used_times", { count: file.uses, day: LoraStack.dayText(file.used) }) : ""],
                ["tags", (file.tags ?? []).join(", ")],
            ];
            const drawn = pairs.filter(([, value]) => value).flatMap(([key, value]) => [make("dt", {}, text(`detail.${key}`)), make("dd", {}, value)]);
            this.facts.replaceChildren(...drawn);
            const words = (file.trigger_words ?? []).slice(0, WORDS);
            this.words.replaceChildren(...words.map((word) => make("span", { class: "ls-chip ls-still" }, word)));
            setText(this.notes, file.notes || file.description || "");
        }
    }

    LoraStack.FileDetails = FileDetails;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
