// The hidden text box that holds the stack, as a value that is edited, undone and redone.
(function (LoraStack) {
    "use strict";

    class StackField {
        #box;
        #prompt;
        #history = new LoraStack.History();
        #written = null; // the text as last read or written here

        /** `box` is the text box, `prompt()` the prompt's own or null. */
        constructor(box, prompt) {
            this.#box = box;
            this.#prompt = prompt;
            this.model = null; // null while the text cannot be read
            this.problem = ""; // why it cannot
        }

        get text() {
            return this.#box.value;
        }

        get canUndo() {
            return this.#history.canUndo;
        }

        get canRedo() {
            return this.#history.canRedo;
        }

        /** Read the box again; returns whether somebody else had changed it: a paste, a preset, another script. */
        read() {
            if (this.#box.value === this.#written) return false;
            if (this.#written !== null) this.#history.record(this.#state());
            this.#written = this.#box.value;
            try {
                this.model = LoraStack.makeModel(LoraStack.readStack(this.#written), this.model);
                this.problem = "";
            } catch (error) {
                if (!(error instanceof LoraStack.StackTextError)) throw error;
                this.model = null;
                this.problem = error.message;
            }
            return true;
        }

        /**
         * Change the model, and the prompt with it where `prompt` is a text; returns whether there was one to change.
         * Edits with the same `key` shortly after one another are undone together.
         */
        edit(change, { key = null, prompt = null } = {}) {
            if (this.model === null) return false;
            const before = this.#state();
            const model = change(this.model);
            if (model === this.model && prompt === null) return false;
            if (prompt !== null && this.#prompt()) before.prompt = { before: this.#prompt().value, after: prompt };
            this.#history.record(before, key);
            this.model = model;
            this.#write(LoraStack.writeStack(LoraStack.stackOf(model)));
            if (before.prompt) this.#setPrompt(before.prompt.before, prompt);
            return true;
        }

        /** Put a whole text into the box, as a paste from outside would. */
        put(text) {
            this.#box.value = text;
            LoraStack.announce(this.#box);
            return this.read();
        }

        undo() {
            return this.#go(this.#history.undo((state) => this.#state(state.prompt)), "after", "before");
        }

        redo() {
            return this.#go(this.#history.redo((state) => this.#state(state.prompt)), "before", "after");
        }

        #go(state, from, to) {
            if (state === null) return false;
            this.model = state.model;
            this.problem = state.problem;
            this.#write(state.text);
            if (state.prompt) this.#setPrompt(state.prompt[from], state.prompt[to]);
            return true;
        }

        #state(prompt = null) {
            return { text: this.#written, model: this.model, problem: this.problem, prompt };
        }

        #write(text) {
            this.#written = text;
            this.#box.value = text;
            LoraStack.announce(this.#box);
        }

        /** Only where the prompt still is as it was left: what somebody typed since is his. */
        #setPrompt(from, to) {
            const box = this.#prompt();
            if (box === null || box.value !== from) return;
            box.value = to;
            LoraStack.announce(box);
        }
    }

    LoraStack.StackField = StackField;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
