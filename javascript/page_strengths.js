// How strong a file is in every block, on its page: read from its numbers when asked for, which takes a while.
(function (LoraStack) {
    "use strict";

    class StrengthsPart {
        #api;
        #file = null;

        constructor(api) {
            this.#api = api;
            this.place = LoraStack.make("div", {});
            this.root = LoraStack.pageSection("page.strengths", this.place);
            this.root.tabIndex = -1;
        }

        /** Shown again, the same file keeps what was read of it. */
        show(file) {
            const { make, text, fileId } = LoraStack;
            const stays = this.#file !== null && fileId(this.#file) === fileId(file);
            this.#file = file;
            if (stays) return;
            const button = make("button", { type: "button", class: "ls-button", onclick: () => this.#read(file, button) }, text("page.strengths_read"));
            this.place.replaceChildren(button);
        }

        async #read(file, button) {
            const { make, text } = LoraStack;
            if (button.getAttribute("aria-disabled")) return;
            button.setAttribute("aria-disabled", "true"); // not `disabled`, which would drop the focus
            LoraStack.setText(button, text("page.strengths_reading"));
            const drawn = await this.#api.get("strengths", { id: LoraStack.fileId(file) }).then(draw, (error) => [make("p", { class: "ls-problem", role: "alert" }, error.message)]);
            if (!button.isConnected) return; // another file's page by now
            const focused = document.activeElement === button;
            this.place.replaceChildren(...drawn);
            if (focused) this.root.focus({ preventScroll: true }); // the button is gone: here is what it was pressed for
        }
    }

    function draw({ blocks = [], faults = [] }) {
        const notes = faults.map((note) => LoraStack.make("p", { class: "ls-small" }, String(note)));
        return blocks.length ? [LoraStack.strengthPicture({ blocks }), ...notes] : notes;
    }

    LoraStack.StrengthsPart = StrengthsPart;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
