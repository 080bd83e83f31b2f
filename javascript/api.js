// The panel's questions to the server. Addresses are relative, so that a WebUI under a sub-path works.
(function (LoraStack) {
    "use strict";

    const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000, 30000]; // the WebUI adds our routes after the page

    class Api {
        #prefix;

        constructor(prefix) {
            this.#prefix = prefix;
        }

        address(name, query = {}) {
            const text = new URLSearchParams(query).toString();
            return `./${this.#prefix}/${name}${text ? `?${text}` : ""}`;
        }

        get(name, query = {}, options = {}) {
            return this.#ask(this.address(name, query), options);
        }

        post(name, value = null, options = {}) {
            return this.#change("POST", name, value, options);
        }

        patch(name, value, options = {}) {
            return this.#change("PATCH", name, value, options);
        }

        delete(name, options = {}) {
            return this.#change("DELETE", name, null, options);
        }

        /** Send a file as it is. */
        send(name, data, options = {}) {
            return this.#ask(this.address(name), { ...options, method: "POST", body: data, headers: { "Content-Type": "application/octet-stream", "X-LoRA-Stack": "1" } });
        }

        /** As `get`, but patient: for what the panel cannot do without when the page opens. */
        async getSoon(name, query = {}) {
            for (const wait of RETRY_MS) {
                try {
                    return await this.get(name, query);
                } catch {
                    await new Promise((resolve) => setTimeout(resolve, wait));
                }
            }
            return this.get(name, query);
        }

        /** What changes something carries a header that no page of another origin can send unasked. */
        #change(method, name, value, options) {
            const body = value === null ? undefined : JSON.stringify(value);
            return this.#ask(this.address(name), { ...options, method, body, headers: { "Content-Type": "application/json", "X-LoRA-Stack": "1" } });
        }

        async #ask(address, options) {
            const response = await fetch(address, { credentials: "same-origin", cache: "no-store", ...options });
            const answer = await response.json().catch(() => null);
            if (response.ok && answer !== null) return answer;
            const detail = answer && typeof answer.detail === "string" ? answer.detail : `${response.status} ${response.statusText}`;
            throw new Error(LoraStack.told(detail));
        }
    }

    LoraStack.Api = Api;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
