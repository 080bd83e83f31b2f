// What the server tells by itself is heard again after it was gone.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LoraStack } from "./load.mjs";

function listening(t) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const sources = [];
    globalThis.EventSource = class {
        static CLOSED = 2;
        readyState = 1;
        listeners = {};
        constructor() {
            sources.push(this);
        }
        addEventListener(name, listener) {
            this.listeners[name] = listener;
        }
        close() {
            this.readyState = 2;
        }
    };
    const changed = mock.fn();
    const live = new LoraStack.Live({ address: (name) => name }, { changed });
    live.listen(true);
    return { live, sources, changed, tick: (ms) => t.mock.timers.tick(ms) };
}

test("an answer that is no list of events, as while the WebUI starts, is asked for again", (t) => {
    const { live, sources, changed, tick } = listening(t);
    sources[0].listeners.open();
    assert.equal(changed.mock.callCount(), 0);
    sources[0].readyState = 2; // as a browser does at 404 or 502: it gives up
    sources[0].listeners.error();
    tick(60_000);
    assert.equal(sources.length, 2);
    sources[1].listeners.open();
    assert.equal(changed.mock.callCount(), 1, "something may have been missed");
    live.listen(false);
    assert.equal(sources[1].readyState, 2);
});

test("what the browser tries again by itself is left to it, and who stopped listening is not called back", (t) => {
    const { live, sources, tick } = listening(t);
    sources[0].readyState = 0;
    sources[0].listeners.error();
    tick(60_000);
    assert.equal(sources.length, 1);
    sources[0].readyState = 2;
    sources[0].listeners.error();
    live.listen(false);
    tick(60_000);
    assert.equal(sources.length, 1);
});
