// The buttons beside the search box, the place to paste into, and the line that says what just happened.
(function (LoraStack) {
    "use strict";

    const SAY_MS = 12000; // how long a remark stays, long enough to reach its Undo

    class Tools {
        #panel;
        #timer = 0;
        #takeBack = null; // the button that undoes the last step, while that is what was just said

        constructor(panel) {
            const { make, text, iconButton } = LoraStack;
            this.#panel = panel;
            this.undo = iconButton("undo", text("tool.undo"), () => panel.undo(), { "aria-keyshortcuts": "Control+Z" });
            this.redo = iconButton("redo", text("tool.redo"), () => panel.redo(), { "aria-keyshortcuts": "Control+Shift+Z" });
            this.copy = iconButton("copy", text("tool.copy"), () => this.#copy());
            this.clear = iconButton("clear", text("tool.clear"), () => panel.clear());
            this.presetsButton = iconButton("presets", text("tool.presets"), () => panel.presets.toggle(), { "aria-expanded": "false" });
            const fromPrompt = iconButton("take", text("tool.import"), () => this.#import());
            this.toPrompt = iconButton("give", text("tool.export"), () => this.#export());
            const refresh = iconButton("refresh", text("tool.refresh"), () => panel.reload());
            this.pasteButton = iconButton("paste", text("tool.paste"), () => this.#togglePaste(), { "aria-expanded": "false" });
            const group = (...buttons) => make("span", { class: "ls-group" }, ...buttons);
            this.root = make("div", { class: "ls-tools", role: "toolbar", "aria-label": text("tool.all") },
                group(this.undo, this.redo), group(this.presetsButton, fromPrompt, this.toPrompt),
                group(this.copy, this.pasteButton), group(refresh, this.clear));
            this.#buildPaste();
            this.#buildBroken();
            this.off = make("p", { class: "ls-switched-off", hidden: true }, text("off.note"), " ",
                make("button", { type: "button", class: "ls-link", onclick: () => panel.enable() }, text("off.switch_on")));
            this.status = make("p", { class: "ls-status", role: "status", "aria-live": "polite" });
        }

        #buildPaste() {
            const { make, text } = LoraStack;
            this.field = make("textarea", { class: "ls-paste-text", rows: 3, spellcheck: "false", "aria-label": text("paste.label"), placeholder: text("paste.placeholder") });
            this.file = make("input", { type: "file", accept: "image/*,.json,.txt", class: "ls-offscreen", tabindex: "-1", "aria-hidden": "true", onchange: () => this.#open() });
            this.pasteProblem = make("p", { class: "ls-problem", role: "alert", hidden: true });
            const button = (key, onclick, more = "") => make("button", { type: "button", class: `ls-button${more}`, onclick }, text(key));
            this.paste = make("div", { class: "ls-paste", hidden: true, onkeydown: (event) => this.#key(event) },
                this.field, this.pasteProblem,
                make("div", { class: "ls-buttons" },
                    button("paste.apply", () => this.take(LoraStack.readText(this.#panel.api, this.field.value)), " ls-primary"),
                    button("paste.append", () => this.take(LoraStack.readText(this.#panel.api, this.field.value), true)),
                    button("paste.open", () => this.file.click()), this.file,
                    button("paste.cancel", () => this.#togglePaste())));
        }

        #buildBroken() {
            const { make, text, icon } = LoraStack;
            this.reason = make("p", {});
            this.broken = make("div", { class: "ls-broken", role: "alert", hidden: true },
                icon("warning"), make("div", {}, this.reason, make("p", {}, text("text.broken_way_out"))),
                make("button", { type: "button", class: "ls-button", onclick: () => this.#panel.write("") }, text("text.start_over")));
        }

        update(count) {
            this.copy.disabled = this.clear.disabled = this.toPrompt.disabled = count === 0;
            this.undo.disabled = !this.#panel.canUndo;
            this.redo.disabled = !this.#panel.canRedo;
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

        /** Say what happened; with `undo` a button takes it back: true for the last step, or a function. */
        say(message, undo = null) {
            const { make, text } = LoraStack;
            clearTimeout(this.#timer);
            this.status.replaceChildren(message);
            if (undo) {
                const take = () => {
                    if (undo === true) this.#panel.undo();
                    else undo();
                    this.say(text("say.undone"));
                    (this.redo.disabled ? this.presetsButton : this.redo).focus(); // the button that had it is gone
                };
                const button = make("button", { type: "button", class: "ls-link", onclick: take }, text("say.undo"));
                this.status.append(" ", button);
                this.#takeBack = undo === true ? button : null;
            }
            this.#timer = setTimeout(() => this.status.replaceChildren(), SAY_MS);
        }

        /** The stack was changed: what was said before is not what Undo would undo. */
        outdate() {
            this.#takeBack?.remove();
            this.#takeBack = null;
        }

        /** Use a stack that is being read, in place of the present one or below it; say why where it cannot be. */
        async take(reading, append = false) {
            const { text } = LoraStack;
            try {
                const stack = await reading;
                if (!append) this.#panel.write(LoraStack.writeStack(stack));
                else if (!this.#panel.edit((model) => LoraStack.appendStack(model, stack))) return;
                if (!this.paste.hidden) this.#togglePaste();
                if (stack.entries.length) this.#panel.enable();
                this.say(text("say.pasted", { count: stack.entries.length }), true);
            } catch (error) {
                const told = text("paste.failed", { reason: error.message });
                if (this.paste.hidden) this.say(told);
                LoraStack.setText(this.pasteProblem, told);
                this.pasteProblem.hidden = false;
            }
        }

        async #copy() {
            const copied = await LoraStack.copyText(this.#panel.text);
            this.say(LoraStack.text(copied ? "say.copied" : "say.copy_failed"));
            if (copied) return;
            if (this.paste.hidden) this.#togglePaste();
            this.field.value = this.#panel.text;
            this.field.select();
        }

        /** Make rows of the prompt's lora tags. */
        async #import() {
            const { text } = LoraStack;
            const before = this.#panel.prompt?.value ?? "";
            try {
                const { prompt, stack: rows } = await this.#panel.api.post("tags/read", { prompt: before });
                if ((this.#panel.prompt?.value ?? "") !== before) return void this.#import(); // somebody typed meanwhile
                const stack = LoraStack.readStack(rows);
                const count = stack.entries.length;
                if (count && !this.#panel.edit((model) => LoraStack.appendStack(model, stack), { prompt })) return;
                if (count) this.#panel.enable();
                this.say(text(count ? "say.imported" : "say.no_tags", { count }), count > 0);
            } catch (error) {
                this.say(text("paste.failed", { reason: error.message }));
            }
        }

        /** Make tags of the rows that a tag can say, and take those rows out: else they would act twice. */
        async #export() {
            const { text } = LoraStack;
            const asked = this.#panel.rows.map(({ id, entry }) => ({ id, entry }));
            try {
                const { rows } = await this.#panel.api.post("tags/write", { stack: this.#panel.text });
                const given = LoraStack.givenTags(asked, rows, this.#panel.rows); // rows and prompt may have changed meanwhile
                const before = this.#panel.prompt?.value ?? "";
                const tags = given.map(({ tag }) => tag).join(" ");
                const problems = rows.map(({ problem }) => LoraStack.told(problem)).filter(Boolean);
                const prompt = [before.trimEnd(), tags].filter(Boolean).join(" ");
                if (given.length) this.#panel.edit((model) => given.reduce((rest, { id }) => LoraStack.removeRow(rest, id), model), { prompt });
                this.say([text("say.exported", { count: given.length }), ...problems].join(" "), given.length > 0);
            } catch (error) {
                this.#panel.offline(error);
            }
        }

        #open() {
            const [file] = this.file.files;
            this.file.value = "";
            if (file) this.take(LoraStack.readFile(this.#panel.api, file));
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
    }

    LoraStack.Tools = Tools;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
