// One file in the browser: a card with its picture, or a line of the list; style.css decides which.
(function (LoraStack) {
    "use strict";

    /** Where a file's picture is fetched, at most `size` pixels wide or high. */
    function previewAddress(api, file, size) {
        const name = file.id === undefined ? { label: file.label } : { id: file.id };
        return api.address("preview", { ...name, size, v: file.preview_version ?? file.mtime });
    }

    /** A file's picture over a tile with its first letter in a colour of its own. */
    function makePicture(api, file, size, attributes = {}) {
        const { make } = LoraStack;
        const { name } = LoraStack.splitLabel(String(file.label));
        const letter = [...name.trim()][0] ?? "?";
        const hue = [...String(file.label)].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);
        const tile = make("span", { class: "ls-tile", "aria-hidden": "true", ...attributes }, letter.toUpperCase());
        tile.style.setProperty("--ls-hue", hue);
        if (!file.preview) return tile;
        const image = make("img", { alt: "", loading: "lazy", decoding: "async", draggable: "false", onerror: () => image.remove() });
        image.src = previewAddress(api, file, size);
        tile.append(image);
        return tile;
    }

    class FileCard {
        #api;
        #shown = {}; // what is drawn
        #picture = "";

        constructor(api, id) {
            const { make, icon } = LoraStack;
            this.#api = api;
            this.tile = make("span", { class: "ls-tile", "aria-hidden": "true" });
            this.check = make("span", { class: "ls-card-check", "aria-hidden": "true" }, icon("done"));
            this.star = make("span", { class: "ls-card-star", "aria-hidden": "true" }, icon("star"));
            this.held = make("span", { class: "ls-card-held" });
            this.name = make("span", { class: "ls-card-name" });
            this.folder = make("span", { class: "ls-card-folder" });
            this.facts = make("span", { class: "ls-card-facts" });
            this.reason = make("span", { class: "ls-card-reason" });
            this.root = make("div", { class: "ls-card", role: "option", id, "aria-selected": "false" },
                make("span", { class: "ls-card-picture" }, this.tile, this.check, this.star, this.held),
                make("span", { class: "ls-card-text" }, this.name, this.folder, this.facts, this.reason));
        }

        place({ x, y }, { cell, row, gap }) {
            this.root.style.transform = `translate(${x}px, ${y}px)`;
            this.root.style.width = `${cell}px`;
            this.root.style.height = `${row - gap}px`;
        }

        /** `file` is null while it has not come; `pictures` false while the list rushes by. */
        show({ file, index, total, marked, active, held, roles, pictures }) {
            const now = { file, index, total, marked, active, held, roles };
            if (Object.keys(now).some((name) => now[name] !== this.#shown[name])) this.#draw(now);
            this.#shown = now;
            if (file && pictures) this.#drawPicture(file);
        }

        #draw({ file, index, total, marked, active, held, roles }) {
            const { text, setText } = LoraStack;
            const { root } = this;
            root.dataset.index = index;
            root.setAttribute("aria-posinset", index + 1);
            root.setAttribute("aria-setsize", total);
            root.setAttribute("aria-selected", String(marked));
            root.classList.toggle("ls-active", active);
            root.classList.toggle("ls-waiting", !file);
            if (!file) {
                for (const part of [this.name, this.folder, this.facts, this.reason, this.held]) setText(part, "");
                root.setAttribute("aria-label", text("browse.waiting"));
                root.classList.remove("ls-grey", "ls-favourite");
                root.removeAttribute("aria-disabled");
                this.#clearPicture("");
                return;
            }
            const { folder, name } = LoraStack.splitLabel(String(file.label));
            const reason = LoraStack.greyReason(file);
            const kind = [file.architecture_label, LoraStack.roleText(file, roles), LoraStack.kindText(file)].filter(Boolean);
            setText(this.name, name);
            setText(this.folder, folder);
            this.facts.replaceChildren(...kind.map((fact) => LoraStack.make("span", {}, fact)));
            setText(this.reason, reason);
            setText(this.held, held ? text("add.in_stack") : "");
            root.title = [file.label, reason].filter(Boolean).join("\n");
            root.setAttribute("aria-label", [name, folder, ...kind, file.favourite ? text("browse.favourite") : "", held ? text("add.in_stack") : "", reason].filter(Boolean).join(", "));
            root.classList.toggle("ls-grey", Boolean(reason));
            root.classList.toggle("ls-favourite", Boolean(file.favourite));
            if (file.problem) root.setAttribute("aria-disabled", "true");
            else root.removeAttribute("aria-disabled");
            if (this.#picture !== this.#pictureOf(file)) this.#clearPicture(name);
        }

        #pictureOf(file) {
            return `${LoraStack.fileId(file)}\n${file.preview}\n${file.preview_version ?? file.mtime}`;
        }

        #clearPicture(name) {
            this.#picture = "";
            const [letter = ""] = [...name.trim()];
            this.tile.replaceChildren(letter.toUpperCase());
        }

        #drawPicture(file) {
            const picture = this.#pictureOf(file);
            if (picture === this.#picture) return;
            this.#picture = picture;
            const tile = makePicture(this.#api, file, 384);
            this.tile.replaceWith(tile);
            this.tile = tile;
        }
    }

    Object.assign(LoraStack, { FileCard, makePicture, previewAddress });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
