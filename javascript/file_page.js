// The page of one file in the Library: everything known of it, what the user says of it, and what can be done with it.
(function (LoraStack) {
    "use strict";

    class FilePage {
        #library;
        #asked = 0;
        #file = null;
        #picture = 0; // which of its previews is shown

        /** `library` has `api`, `roles`, `target`, `say(text)`, `send(files, tab)`, `back()`, `changed(item)`, `compareWith(file)`. */
        constructor(library) {
            const { make, text, iconButton, icon } = LoraStack;
            this.#library = library;
            const button = (name, key, onclick, attributes = {}) => make("button", { type: "button", class: "ls-button", ...attributes, onclick }, icon(name), text(key));
            this.name = make("h2", { class: "ls-page-name", tabindex: "-1" });
            this.path = make("p", { class: "ls-small ls-page-path" });
            this.favourite = button("star", "detail.favourite", () => this.#mark({ favourite: !this.#file.favourite }), { "aria-pressed": "false" });
            const head = make("div", { class: "ls-page-head" },
                iconButton("back", text("page.back"), () => library.back()), make("div", { class: "ls-page-title" }, this.name, this.path),
                make("div", { class: "ls-buttons ls-wrap" },
                    button("send", "lib.add_text", () => library.send([this.#file], "txt2img"), { class: "ls-button ls-solid" }), button("send", "lib.add_image", () => library.send([this.#file], "img2img")),
                    this.favourite, button("compare", "page.compare", () => library.compareWith(this.#file))));
            this.edit = new LoraStack.EditForm({ api: library.api, get roles() { return library.roles; }, say: library.say, saved: (item) => this.#saved(item) });
            this.metadata = new LoraStack.MetadataForm({ api: library.api, say: library.say, reload: () => this.open(this.#file) });
            this.strengths = new LoraStack.StrengthsPart(library.api);
            this.progress = new LoraStack.ProgressLine(() => library.api.delete("hash").catch((error) => library.say(error.message)));
            this.left = make("div", { class: "ls-page-left" });
            this.right = make("div", { class: "ls-page-right" });
            this.note = make("p", { class: "ls-browser-note", role: "status" });
            this.root = make("div", { class: "ls-page", tabindex: "-1", hidden: true, onkeydown: (event) => this.#key(event) }, head, this.note, make("div", { class: "ls-page-body" }, this.left, this.right));
        }

        get file() {
            return this.#file;
        }

        async open(file) {
            const { text, setText, splitLabel } = LoraStack;
            const asked = (this.#asked += 1);
            const same = this.#file && !this.root.hidden && LoraStack.fileId(this.#file) === LoraStack.fileId(file);
            this.#file = file;
            setText(this.name, splitLabel(String(file.label)).name);
            setText(this.path, file.label);
            if (!same) {
                this.#picture = 0;
                this.left.replaceChildren();
                this.right.replaceChildren();
                setText(this.note, text("add.loading"));
                this.note.hidden = false;
            }
            try {
                const known = await this.#library.api.get("network", { id: LoraStack.fileId(file) });
                if (asked === this.#asked) this.#draw(known);
            } catch (error) {
                if (asked !== this.#asked) return;
                setText(this.note, text("page.failed", { reason: error.message }));
                this.note.hidden = false;
            }
        }

        /** Something was told of the running work; when hashing has ended, the hashes are there. */
        status({ hash }) {
            const wasRunning = !this.progress.root.hidden;
            this.progress.show(hash);
            if (wasRunning && this.progress.root.hidden && this.#file && !this.root.hidden) this.open(this.#file);
        }

        #draw(file) {
            const { make, text, pageSection, setText } = LoraStack;
            const focused = document.activeElement;
            const unfolded = new Set(this.#folds().filter((fold) => fold.open).map(titleOf));
            this.#file = file;
            this.note.hidden = true;
            setText(this.path, file.path || file.label);
            this.favourite.setAttribute("aria-pressed", String(Boolean(file.favourite)));
            const reason = LoraStack.greyReason(file);
            const words = file.trigger_words ?? [];
            const target = this.#library.target;
            const prompts = file.example_prompts ?? [];
            this.left.replaceChildren(...[
                this.#drawPicture(file),
                reason ? make("p", { class: "ls-reason" }, LoraStack.icon("warning"), make("span", {}, reason)) : null,
                target.root,
                pageSection("more.words", words.length ? LoraStack.wordChips(words, target) : make("p", { class: "ls-small" }, text("more.no_words"))),
                file.description ? pageSection("page.description", make("p", { class: "ls-details-notes" }, file.description)) : null,
                prompts.length ? pageSection("page.prompts", ...prompts.slice(0, 8).map((prompt) => make("p", { class: "ls-details-notes ls-prompt" }, String(prompt)))) : null,
                this.#drawLinks(file.links ?? []),
            ].filter(Boolean));
            const tags = file.tag_frequencies ?? [];
            this.edit.show(file);
            this.metadata.show(file);
            this.strengths.show(file);
            this.right.replaceChildren(...[
                this.#drawFacts(file),
                pageSection("page.edit", this.edit.root),
                tags.length ? pageSection("page.tags", ...LoraStack.tagBars(tags, target)) : null,
                this.strengths.root,
                this.#drawTraining(file),
                this.#drawHashes(file),
                this.#drawSidecars(file),
                pageSection("page.metadata", this.metadata.root),
            ].filter(Boolean));
            for (const fold of this.#folds()) fold.open ||= unfolded.has(titleOf(fold));
            if (focused !== document.activeElement && this.root.contains(focused)) focused.focus({ preventScroll: true }); // somebody is typing
        }

        #folds() {
            return [...this.right.querySelectorAll("details")];
        }

        #drawPicture(file) {
            const { make, text, iconButton } = LoraStack;
            const { api } = this.#library;
            const count = Number(file.previews) || 0;
            const tile = LoraStack.makePicture(api, file, 768);
            const place = make("span", { class: "ls-small", role: "status" });
            const turn = (step) => {
                this.#picture = (this.#picture + step + count) % count;
                const image = tile.querySelector("img");
                const address = LoraStack.previewAddress(api, file, 768);
                if (image && (step || this.#picture)) image.src = this.#picture ? `${address}&index=${this.#picture}` : address;
                LoraStack.setText(place, `${this.#picture + 1} / ${count}`);
            };
            if (count > 1) turn(0);
            return make("div", { class: "ls-details-picture ls-page-picture" }, tile,
                count > 1 ? make("div", { class: "ls-buttons" }, iconButton("back", text("page.picture_before"), () => turn(-1)), place, iconButton("send", text("page.picture_next"), () => turn(1))) : null);
        }

        /** Addresses that the server found in metadata: only https leads anywhere, and nothing of this page goes along. */
        #drawLinks(links) {
            const { make } = LoraStack;
            const safe = links.filter(({ href }) => /^https:\/\//.test(String(href)));
            if (safe.length === 0) return null;
            return make("p", { class: "ls-buttons ls-wrap" }, ...safe.map(({ label, href }) => make("a", { class: "ls-link", href, target: "_blank", rel: "noopener noreferrer nofollow" }, String(label))));
        }

        #drawFacts(file) {
            const { text } = LoraStack;
            const types = Object.entries(file.dtypes ?? {}).map(([type, count]) => `${type} × ${count}`).join(", ");
            const rows = [
                ["detail.made_for", [file.architecture_label, LoraStack.told(file.architecture_note)].filter(Boolean).join(". ")], ["detail.kind", LoraStack.kindText(file)], ["page.parts", (file.parts ?? []).map((part) => LoraStack.textOr(`part.${part}`, part)).join(", ")],
                ["page.base_model", file.base_model], ["detail.role", LoraStack.roleText(file, this.#library.roles)],
                ["detail.weight", LoraStack.isWeight(file.preferred_weight) ? LoraStack.showWeight(file.preferred_weight) : ""], ["detail.size", LoraStack.sizeText(file.size)], ["detail.date", LoraStack.dayText(file.mtime)], ["page.numbers", types],
                ["detail.used", file.uses ? text("detail.used_times", { count: file.uses, day: LoraStack.dayText(file.used) }) : ""],
                ["page.last_weights", (file.history ?? []).slice(0, 8).map(({ weight }) => (LoraStack.isWeight(weight) ? LoraStack.showWeight(weight) : "")).filter(Boolean).join(", ")],
                ["page.remarks", (file.remarks ?? []).join(" ")],
            ];
            return LoraStack.pageSection("page.facts", LoraStack.pagePairs(rows.map(([key, value]) => [text(key), value])));
        }

        #drawTraining(file) {
            const { make, text, pagePairs } = LoraStack;
            const rows = (file.metadata ?? []).map(({ key, label, value }) => [LoraStack.told(label || key), value]);
            const sets = (file.datasets ?? []).map(({ name, repeats, images }) => [name, text("page.dataset", { repeats, images })]);
            const raw = Object.entries(file.raw ?? {});
            if (rows.length + sets.length + raw.length === 0) return null;
            return LoraStack.pageSection("page.training", pagePairs([...rows, ...sets]),
                raw.length ? make("details", { class: "ls-fold" }, make("summary", {}, text("page.raw", { count: raw.length })), pagePairs(raw)) : null);
        }

        #drawHashes(file) {
            const { make, text } = LoraStack;
            const hashes = file.hashes ?? {};
            const names = { autov3: "AutoV3", payload_sha256: "SHA-256, AutoV3", autov2: "AutoV2", sha256: "SHA-256", legacy: "AutoV1" };
            const rows = Object.entries(names).map(([key, name]) => [name, hashes[key]]);
            const missing = Object.keys(names).some((key) => hashes[key] === null);
            const declared = hashes.declared ? text(hashes.declared_is_right === false ? "page.hash_wrong" : "page.hash_declared", { hash: hashes.declared }) : "";
            const compute = make("button", { type: "button", class: "ls-button", onclick: () => this.#library.hash([file]) }, LoraStack.icon("hash"), text("page.hash_compute"));
            return LoraStack.pageSection("page.hashes", LoraStack.pagePairs(rows), declared ? make("p", { class: "ls-small" }, declared) : null, missing ? compute : null, this.progress.root);
        }

        #drawSidecars(file) {
            const { make, text } = LoraStack;
            const sidecars = file.sidecars ?? [];
            if (sidecars.length === 0) return null;
            const fields = (known) => Object.entries(known ?? {}).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
            return LoraStack.pageSection("page.sidecars", ...sidecars.map(({ name, kind, problem, fields: known }) => make("details", { class: "ls-fold" },
                make("summary", {}, String(name), make("span", { class: "ls-badge" }, LoraStack.textOr(`sidecar.${String(kind).replace(/\W/g, "_")}`, String(kind)))),
                problem ? make("p", { class: "ls-problem" }, String(problem)) : null, LoraStack.pagePairs(fields(known)))));
        }

        async #mark(change) {
            try {
                this.#saved(await this.#library.api.patch("network", { id: LoraStack.fileId(this.#file), ...change }));
            } catch (error) {
                this.#library.say(LoraStack.text("browse.change_failed", { reason: error.message }));
            }
        }

        /** What was saved is shown, unless another file was opened meanwhile. */
        #saved(item) {
            this.#library.changed(item);
            if (LoraStack.fileId(item) !== LoraStack.fileId(this.#file)) return;
            this.#draw({ ...this.#file, ...item });
            if (!this.root.hidden) this.open(this.#file);
        }

        #key(event) {
            event.stopPropagation(); // the host stops its picture at Escape, and has other plans for other keys
            if (event.key === "Escape" && !event.isComposing) this.#library.back();
        }
    }

    function titleOf(fold) {
        return fold.querySelector("summary").textContent;
    }

    LoraStack.FilePage = FilePage;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
