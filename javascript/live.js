// What the server tells by itself while somebody looks: how far hashing is, that the list or a file has changed. No page needed.
(function (LoraStack) {
    "use strict";

    class Live {
        #api;
        #heard;
        #source = null;

        /** `heard` has a function for each event: `status(object)`, `changed(object)`, `file(object)`. */
        constructor(api, heard) {
            this.#api = api;
            this.#heard = heard;
        }

        /** Listen, or stop listening: a browser keeps few connections to one server. */
        listen(wanted) {
            if (wanted === (this.#source !== null)) return;
            if (!wanted) {
                this.#source.close();
                this.#source = null;
                return;
            }
            this.#source = new EventSource(this.#api.address("events"));
            for (const [name, tell] of Object.entries(this.#heard)) {
                this.#source.addEventListener(name, (event) => {
                    const value = readJson(event.data);
                    if (value !== null) tell(value);
                });
            }
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
