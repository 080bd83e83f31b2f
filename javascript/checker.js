// What the server says about the rows: which will not work, and what is known about their files.
(function (LoraStack) {
    "use strict";

    const PAUSE_MS = 350; // after the last edit before the server is asked

    function fileKey(entry) {
        return JSON.stringify([LoraStack.fieldOf(entry, "network"), LoraStack.fieldOf(entry, "hash")]);
    }

    /** What the answer for a row depends on: all of it but weights that are good numbers. */
    function essence(entry) {
        if (!LoraStack.isEntry(entry)) return JSON.stringify(entry);
        const weights = ["weight", "te", "unet"];
        return JSON.stringify(Object.entries(entry).filter(([name, value]) => !(weights.includes(name) && LoraStack.isWeight(value))));
    }

    class Checker {
        #api;
        #files = new Map(); // fileKey → what the library knows
        #problems = new Map(); // row id → { essence, problem }
        #fits = new Map(); // fileKey → how the file meets the checkpoint
        #asked = "";
        #timer = 0;
        #onAnswer;

        /** `onAnswer(problem)` after every answer; `problem` is what is wrong with the text as a whole, or "". */
        constructor(api, onAnswer) {
            this.#api = api;
            this.#onAnswer = onAnswer;
        }

        fileOf(entry) {
            return this.#files.get(fileKey(entry)) ?? null;
        }

        /** { problem, fit }: what is wrong with the row as it is, and how its file meets the loaded checkpoint. */
        answerOf(row) {
            const known = this.#problems.get(row.id);
            return { problem: known?.essence === essence(row.entry) ? LoraStack.told(known.problem) : "", fit: this.#fits.get(fileKey(row.entry)) ?? null };
        }

        /** Facts of a file that was picked from the list need not be asked for. */
        remember(entry, file) {
            this.#files.set(fileKey(entry), file);
        }

        /** Ask soon, once the hands are off the slider. `getState()` gives the model and its text at that time. */
        askSoon(getState) {
            clearTimeout(this.#timer);
            // Nobody answers now: every later edit asks again, and generating tells by itself.
            this.#timer = setTimeout(() => this.ask(getState()).catch(() => undefined), PAUSE_MS);
        }

        /** Ask now; an unchanged question is not asked again unless `again`. Rejects when nobody answers. */
        async ask({ model, text }, again = false) {
            if (model === null) return;
            const rows = model.rows.map((row) => [row.id, essence(row.entry)]);
            const question = JSON.stringify([rows, model.extra]);
            if (question === this.#asked && !again) return;
            this.#asked = question;
            let answer;
            try {
                answer = await this.#api.post("check", { stack: text });
            } catch (error) {
                if (question === this.#asked) this.#asked = "";
                throw error;
            }
            if (question !== this.#asked) return; // the stack has changed meanwhile; a later answer comes
            this.#problems.clear();
            for (const [index, { file, problem, fit = null }] of answer.rows.entries()) {
                const row = model.rows[index];
                if (!row) break;
                if (file) this.remember(row.entry, file);
                this.#problems.set(row.id, { essence: rows[index][1], problem });
                this.#fits.set(fileKey(row.entry), fit);
            }
            this.#onAnswer(LoraStack.told(answer.problem));
        }
    }

    LoraStack.Checker = Checker;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
