// Steps back and forth through what was done to a stack. No page needed.
(function (LoraStack) {
    "use strict";

    const MOST = 200; // steps that are remembered
    const ONE_MOVE_MS = 1000; // edits of the same thing within this time are one step: a slider, a typed number

    class History {
        #past = [];
        #future = [];
        #key = null;
        #time = 0;
        #now;

        constructor(now = () => Date.now()) {
            this.#now = now;
        }

        /** Remember `state`, which is about to be replaced; with the `key` of the last edit, shortly after it, it is part of it. */
        record(state, key = null) {
            const now = this.#now();
            const same = key !== null && key === this.#key && now - this.#time < ONE_MOVE_MS && this.#past.length > 0;
            this.#key = key;
            this.#time = now;
            this.#future = [];
            if (!same) this.#past = [...this.#past, state].slice(-MOST);
        }

        get canUndo() {
            return this.#past.length > 0;
        }

        get canRedo() {
            return this.#future.length > 0;
        }

        /** The state before the last step, or null; `turn(state)` makes of it what a redo goes back to. */
        undo(turn) {
            return this.#step(this.#past, this.#future, turn);
        }

        /** The state before the last undo, or null. */
        redo(turn) {
            return this.#step(this.#future, this.#past, turn);
        }

        #step(from, to, turn) {
            if (from.length === 0) return null;
            const state = from.pop();
            to.push(turn(state));
            this.#key = null;
            return state;
        }
    }

    LoraStack.History = History;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
