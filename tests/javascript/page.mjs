// As much of a browser's page as the panel's parts need to be made and used without one. What a browser does to
// values is done here too: a field of one line holds no line break.
import { readFileSync } from "node:fs";
import vm from "node:vm";
import { LoraStack } from "./load.mjs";

const KEPT_AS_PROPERTIES = ["hidden", "disabled", "checked", "title", "value", "type", "lang"];

export class FakeElement {
    #value = "";
    #text = "";

    constructor(tag) {
        Object.assign(this, { tagName: tag.toUpperCase(), children: [], parentElement: null, dataset: {}, listeners: {}, attributes: {}, classes: new Set(), checked: false, disabled: false, hidden: false, open: false, title: "", src: "" });
        this.style = { setProperty: (name, value) => { this.style[name] = value; } };
        this.classList = {
            add: (...names) => names.forEach((name) => this.classes.add(name)),
            remove: (...names) => names.forEach((name) => this.classes.delete(name)),
            toggle: (name, on = !this.classes.has(name)) => (on ? this.classes.add(name) : this.classes.delete(name)),
            contains: (name) => this.classes.has(name),
        };
    }

    get value() {
        if (this.tagName === "SELECT" && !this.children.some((option) => option.value === this.#value)) return "";
        return this.#value;
    }

    set value(value) {
        const text = String(value);
        this.#value = this.tagName === "INPUT" ? text.replace(/[\r\n]/g, "") : text.replace(/\r\n?/g, "\n");
    }

    get valueAsNumber() {
        return Number(this.#value);
    }

    get textContent() {
        return this.#text + this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join("");
    }

    set textContent(text) {
        this.children = [];
        this.#text = text;
    }

    setAttribute(name, value) {
        this.attributes[name] = String(value);
        if (KEPT_AS_PROPERTIES.includes(name)) this[name] = value === "" && name !== "value" && name !== "title" ? true : value;
        if (name === "class") this.classes = new Set(String(value).split(" "));
        if (name.startsWith("data-")) this.dataset[name.slice(5)] = String(value);
    }

    getAttribute(name) {
        return this.attributes[name] ?? null;
    }

    removeAttribute(name) {
        delete this.attributes[name];
    }

    append(...added) {
        for (const child of added) if (typeof child !== "string") Object.assign(child, { parentElement: this });
        this.children.push(...added);
    }

    replaceChildren(...added) {
        this.children = [];
        this.#text = "";
        this.append(...added);
    }

    replaceWith(other) {
        const around = this.parentElement;
        around.children = around.children.map((child) => (child === this ? other : child));
        other.parentElement = around;
    }

    remove() {
        if (this.parentElement) this.parentElement.children = this.parentElement.children.filter((child) => child !== this);
        this.parentElement = null;
    }

    insertBefore(child, before) {
        child.remove();
        child.parentElement = this;
        this.children.splice(before ? this.children.indexOf(before) : this.children.length, 0, child);
    }

    get lastChild() {
        return this.children.at(-1) ?? null;
    }

    get childElementCount() {
        return this.children.filter((child) => typeof child !== "string").length;
    }

    get isConnected() {
        return true;
    }

    get all() {
        return this.children.filter((child) => typeof child !== "string").flatMap((child) => [child, ...child.all]);
    }

    // A canvas tells what was drawn on it last: pictures by their addresses, strokes.

    set width(width) {
        this.painted = [];
    }

    get width() {
        return 100;
    }

    getContext() {
        const acts = {
            drawImage: ({ painted, src }) => { this.painted = [...(painted ?? [src])]; },
            stroke: () => this.painted.push("stroke"),
            getImageData: () => ({ data: [] }),
        };
        return new Proxy(acts, { get: (known, name) => known[name] ?? (() => undefined), set: () => true });
    }

    toDataURL() {
        return `data:${this.painted.join(" ")}`;
    }

    /** A tag, a class, or a tag with `:checked`. */
    querySelectorAll(wanted) {
        const [name, state] = wanted.split(":");
        return this.all.filter((one) => (name.startsWith(".") ? one.classes.has(name.slice(1)) : one.tagName === name.toUpperCase()) && (!state || one.checked));
    }

    querySelector(wanted) {
        return this.querySelectorAll(wanted)[0] ?? null;
    }

    contains(other) {
        return other === this || this.all.includes(other);
    }

    closest() {
        return null;
    }

    getClientRects() {
        return [{}];
    }

    getBoundingClientRect() {
        return { left: 0, top: 0, width: 100, height: 100 };
    }

    setPointerCapture() {}

    dispatchEvent(event) {
        this.happen(event.type, event);
    }

    focus() {
        document.activeElement = this;
    }

    addEventListener(type, listener, { signal } = {}) {
        (this.listeners[type] ??= []).push(listener);
        signal?.addEventListener("abort", () => { this.listeners[type] = this.listeners[type].filter((other) => other !== listener); });
    }

    /** Let something happen to it; waits for what its listeners start. */
    async happen(type, more = {}) {
        const event = { type, target: this, preventDefault() {}, stopPropagation() {}, ...more };
        await Promise.all((this.listeners[type] ?? []).map((listener) => listener(event)));
    }
}

globalThis.document = {
    body: new FakeElement("body"),
    activeElement: null,
    createElement: (tag) => new FakeElement(tag),
    createElementNS: (_, tag) => new FakeElement(tag),
    querySelector: () => null,
    querySelectorAll: () => [],
    addEventListener() {},
};

globalThis.Image = class {
    async decode() {}
};

// What is said for some seconds keeps no test waiting.
const wait = globalThis.setTimeout;
globalThis.setTimeout = (work, ms, ...more) => (ms >= 1000 ? wait(work, ms, ...more).unref() : wait(work, ms, ...more));

const loaded = new Set();

/** Load scripts that need a page, as the browser does. */
export function load(...names) {
    for (const name of ["dom.js", ...names].filter((one) => !loaded.has(one))) {
        loaded.add(name);
        vm.runInThisContext(readFileSync(new URL(`../../javascript/${name}`, import.meta.url), "utf8"), { filename: name });
    }
    return LoraStack;
}

/** Something that is answered when the test says so: { promise, answer(value), fail(error) }. */
export function later() {
    let answer, fail;
    const promise = new Promise((resolve, reject) => [answer, fail] = [resolve, reject]);
    return { promise, answer, fail };
}
