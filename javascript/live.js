// What the server tells by itself while somebody looks: how far hashing is, that the list or a file has changed. No page needed.
(function (LoraStack) {
    "use strict";

    const CLOSED = 2; // an EventSource's state when it does not try again by itself
    const AGAIN_MS = 5000; // after an answer that was no list of events: a WebUI that starts has our routes a little later

    class Live {
        #api;
        #heard;
        #source = null;
        #timer = 0;
        #missed = false; // something may have been told while nobody listened

        /** `heard` has a function for each event: `status(object)`, `changed(object)`, `file(object)`. */
        constructor(api, heard) {
            this.#api = api;
            this.#heard = heard;
        }

        /** Listen, or stop listening: a browser keeps few connections to one server. */
        listen(wanted) {
            if (wanted === (this.#source !== null)) return;
            if (wanted) {
                this.#open();
                return;
            }
            clearTimeout(this.#timer);
            this.#source.close();
            this.#source = null;
        }

        #open() {
            const source = new EventSource(this.#api.address("events"));
            this.#source = source;
            for (const [name, tell] of Object.entries(this.#heard)) {
                source.addEventListener(name, (event) => {
                    const value = readJson(event.data);
                    if (value !== null) tell(value);
                });
            }
            source.addEventListener("open", () => {
                if (this.#missed) this.#heard.changed?.({});
                this.#missed = false;
            });
            source.addEventListener("error", () => {
                this.#missed = true;
                if (source.readyState !== CLOSED || this.#source !== source) return; // it tries again by itself
                this.#timer = setTimeout(() => this.#open(), AGAIN_MS);
            });
        }
    }

    function readJson(text) {
        try {
            return JSON.parse(text);
        } catch {
            return null; // half an event, as when the server goes away
        }
    }

    LoraStack.Live = Live;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
