// What the browser tab keeps of a panel, so that loading the page anew, or Reload UI, loses nothing.
(function (LoraStack) {
    "use strict";

    /** One panel's memory: lives as long as the browser tab, and is nobody else's. */
    class Kept {
        #key;

        constructor(tab) {
            this.#key = `lora-stack-${tab}`;
        }

        /** { text, enabled, words } as they were saved last, or empty. */
        load() {
            try {
                const kept = JSON.parse(globalThis.sessionStorage.getItem(this.#key)) ?? {};
                return typeof kept.text === "string" ? kept : {};
            } catch {
                return {}; // a browser that keeps nothing, or something else under our name
            }
        }

        save(state) {
            try {
                globalThis.sessionStorage.setItem(this.#key, JSON.stringify(state));
            } catch {
                // a browser that keeps nothing: the stack lives as long as the page
            }
        }
    }

    LoraStack.Kept = Kept;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
