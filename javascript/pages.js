// The files found, of which the page holds only some: fetched in pages as they come into sight. No page of the browser needed.
(function (LoraStack) {
    "use strict";

    const PAGE = 100; // files fetched at once
    const KEPT = 30; // pages held; the ones seen longest ago are let go

    class FilePages {
        #ask;
        #onChange;
        #pages = new Map(); // number → files, in the order in which they were last needed
        #waiting = new Map(); // number → AbortController
        #stale = new Set(); // numbers of pages that are shown until they have been fetched anew
        #query = null;
        #isNew = false; // nothing of what is asked for has come yet
        #round = 0; // answers to earlier queries are dropped

        /** `ask(query, offset, limit, signal)` resolves to { total, items, … }; `onChange(error)` after every answer, error null when all is well. */
        constructor(ask, onChange) {
            this.#ask = ask;
            this.#onChange = onChange;
            this.total = null; // null until the first answer
            this.answer = null; // the newest answer, for what it says besides its files
        }

        /** Look for something else, or, with the same query, for what became of it; resolves when the first page is there. */
        start(query) {
            this.#round += 1;
            for (const waiting of this.#waiting.values()) waiting.abort();
            this.#waiting.clear();
            this.#isNew ||= query !== this.#query;
            this.#query = query;
            if (!this.#isNew) this.#stale = new Set(this.#pages.keys());
            return this.#fetch(0);
        }

        /** The file at that place, or null while it has not come. */
        at(index) {
            return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
        }

        /** Whether a file is held. */
        has(isIt) {
            return [...this.#pages.values()].some((items) => items.some(isIt));
        }

        /** Put a changed file in the place of the old one, wherever it is held. */
        replace(isIt, file) {
            for (const items of this.#pages.values()) {
                const index = items.findIndex(isIt);
                if (index >= 0) items[index] = file;
            }
        }

        /** Fetch what is missing between `first` and before `last`; requests for other places are given up. */
        need(first, last) {
            const wanted = new Set();
            for (let number = Math.floor(first / PAGE); number * PAGE < last; number += 1) wanted.add(number);
            for (const [number, waiting] of this.#waiting) {
                if (!wanted.has(number) && number !== 0) {
                    waiting.abort();
                    this.#waiting.delete(number);
                }
            }
            for (const number of wanted) {
                const items = this.#pages.get(number);
                if (items) this.#hold(number, items);
                if ((!items || this.#stale.has(number)) && !this.#waiting.has(number)) this.#fetch(number);
            }
        }

        #hold(number, items) {
            this.#pages.delete(number);
            this.#pages.set(number, items);
            for (const oldest of this.#pages.keys()) {
                if (this.#pages.size <= KEPT) break;
                this.#pages.delete(oldest);
            }
        }

        async #fetch(number) {
            const round = this.#round;
            const waiting = new AbortController();
            this.#waiting.set(number, waiting);
            try {
                const answer = await this.#ask(this.#query, number * PAGE, PAGE, waiting.signal);
                if (round !== this.#round || waiting.signal.aborted) return;
                this.#waiting.delete(number);
                if (this.#isNew) {
                    this.#isNew = false;
                    this.#pages.clear(); // until now the old files stood there, which is calmer than nothing
                    this.#stale.clear();
                }
                this.#stale.delete(number);
                this.total = answer.total;
                this.answer = answer;
                this.#hold(number, answer.items);
                this.#onChange(null);
            } catch (error) {
                if (round !== this.#round || waiting.signal.aborted) return;
                this.#waiting.delete(number);
                this.#onChange(error);
            }
        }
    }

    LoraStack.FilePages = FilePages;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
