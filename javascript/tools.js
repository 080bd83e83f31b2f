// The buttons beside the search box, the place to paste into, and the line that says what just happened.
(function (LoraStack) {
    "use strict";

    const SAY_MS = 12000; // how long a remark stays, long enough to reach its Undo

    class Tools {
        #panel;
        #timer = 0;

        constructor(panel) {
            const { make, text, iconButton } = LoraStack;
            this.#panel = panel;
            this.copy = iconButton("copy", text("tool.copy"), () => this.#copy());
            this.clear = iconButton("clear", text("tool.clear"), () => panel.clear());
            const refresh = iconButton("refresh", text("tool.refresh"), () => panel.reload());
            this.pasteButton = iconButton("paste", text("tool.paste"), () => this.#togglePaste(), { "aria-expanded": "false" });
            this.root = make("div", { class: "ls-tools" }, refresh, this.copy, this.pasteButton, this.clear);
            this.#buildPaste();
            this.#buildBroken();
            this.off = make("p", { class: "ls-switched-off", hidden: true }, text("off.note"), " ",
                make("button", { type: "button", class: "ls-link", onclick: () => panel.enable() }, text("off.switch_on")));
            this.status = make("p", { class: "ls-status", role: "status", "aria-live": "polite" });
        }

        #buildPaste() {
            const { make, text } = LoraStack;
            this.field = make("textarea", { class: "ls-paste-text", rows: 3, spellcheck: "false", "aria-label": text("paste.label"), placeholder: text("paste.placeholder") });
            this.pasteProblem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            this.paste = make("div", { class: "ls-paste", hidden: true, onkeydown: (event) => this.#key(event) },
                this.field, this.pasteProblem,
                make("div", { class: "ls-buttons" },
                    make("button", { type: "button", class: "ls-button ls-primary", onclick: () => this.#apply() }, text("paste.apply")),
                    make("button", { type: "button", class: "ls-button", onclick: () => this.#togglePaste() }, text("paste.cancel"))));
        }

        #buildBroken() {
            const { make, text, icon } = LoraStack;
            this.reason = make("p", {});
            this.broken = make("div", { class: "ls-broken", role: "alert", hidden: true },
                icon("warning"), make("div", {}, this.reason, make("p", {}, text("text.broken_way_out"))),
                make("button", { type: "button", class: "ls-button", onclick: () => this.#panel.write("") }, text("text.start_over")));
        }

        update(count) {
            this.copy.disabled = this.clear.disabled = count === 0;
        }

        /** Tell that rows are there and will not be used, because the whole panel is switched off. */
        showOff(off) {
            this.off.hidden = !off;
        }

        /** Show that the stack text cannot be read and why, or nothing. */
        showBroken(reason) {
            LoraStack.setText(this.reason, reason ? LoraStack.text("text.broken", { reason }) : "");
            this.broken.hidden = !reason;
        }

        /** Say what happened; with `undo` a button takes it back. */
        say(message, undo = null) {
            const { make, text } = LoraStack;
            clearTimeout(this.#timer);
            this.status.replaceChildren(message);
            if (undo) {
                const take = () => {
                    undo();
                    this.say(text("say.undone"));
                };
                this.status.append(" ", make("button", { type: "button", class: "ls-link", onclick: take }, text("say.undo")));
            }
            this.#timer = setTimeout(() => this.status.replaceChildren(), SAY_MS);
        }

        async #copy() {
            const copied = await LoraStack.copyText(this.#panel.text);
            this.say(LoraStack.text(copied ? "say.copied" : "say.copy_failed"));
            if (copied) return;
            if (this.paste.hidden) this.#togglePaste();
            this.field.value = this.#panel.text;
            this.field.select();
        }

        #key(event) {
            if (event.key !== "Escape") return;
            event.stopPropagation(); // the host would interrupt the picture that is being made
            this.#togglePaste();
        }

        #togglePaste() {
            this.paste.hidden = !this.paste.hidden;
            this.pasteProblem.hidden = true;
            this.field.value = "";
            this.pasteButton.setAttribute("aria-expanded", String(!this.paste.hidden));
            (this.paste.hidden ? this.pasteButton : this.field).focus();
        }

        #apply() {
            const before = this.#panel.text;
            try {
                const stack = LoraStack.findStack(this.field.value);
                this.#panel.write(LoraStack.writeStack(stack));
                this.#togglePaste();
                if (stack.entries.length) this.#panel.enable();
                this.say(LoraStack.text("say.pasted", { count: stack.entries.length }), () => this.#panel.write(before));
            } catch (error) {
                if (!(error instanceof LoraStack.StackTextError)) throw error;
                LoraStack.setText(this.pasteProblem, LoraStack.text("paste.failed", { reason: error.message }));
                this.pasteProblem.hidden = false;
            }
        }
    }

    LoraStack.Tools = Tools;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
