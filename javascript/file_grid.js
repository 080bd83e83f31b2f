// The files found, as cards or as a list. Only those in sight are in the page, at most two hundred.
(function (LoraStack) {
    "use strict";

    const SETTLE_MS = 90; // after the last scroll before pictures are fetched

    class FileGrid {
        #owner;
        #id;
        #cards = new Map(); // index → FileCard
        #free = [];
        #made = 0;
        #frame = 0;
        #timer = 0;
        #moving = false;
        #layout = null;

        /**
         * `owner` knows the files and hears of what is done: `mode`, `total`, `api`, `roles`, `fileAt(index)`, `stateOf(file)` → { marked, held },
         * `need(first, last)`, `point(index)`, `click(index, event, part)`, `open(index)`, `moved(index, stays)`, `key(event)`.
         */
        constructor(owner, id, label) {
            const { make } = LoraStack;
            this.#owner = owner;
            this.#id = id;
            this.active = -1;
            this.space = make("div", { class: "ls-grid-space", role: "presentation" });
            this.root = make("div", {
                class: "ls-grid", role: "listbox", tabindex: "0", id, "aria-label": label, "aria-multiselectable": "true",
                onscroll: () => this.#scrolled(), onkeydown: (event) => this.#key(event),
                onclick: (event) => this.#clicked(event), ondblclick: (event) => this.#at(event, (index) => owner.open(index)),
                onmousemove: (event) => this.#at(event, (index) => owner.point(index)), onmouseleave: () => owner.point(-1),
            }, this.space);
            new ResizeObserver(() => this.draw()).observe(this.root);
        }

        /** Go back to the first file, as after a new search. */
        reset() {
            this.root.scrollTop = 0;
            this.active = -1;
            this.draw();
        }

        /** Draw soon, once for all that asks for it. */
        draw() {
            this.#frame ||= requestAnimationFrame(() => {
                this.#frame = 0;
                this.#drawNow();
            });
        }

        /** Make a file the one that keys act on, and bring it into sight. */
        activate(index) {
            this.active = index;
            if (this.#layout && index >= 0) this.root.scrollTop = LoraStack.scrollTo(this.#layout, index, this.root.scrollTop, this.#height);
            this.#drawNow();
        }

        /** What the arrow keys go by: { count, columns, page } with rows a page. */
        get measures() {
            const columns = this.#layout?.columns ?? 1;
            return { count: this.#owner.total, columns, page: Math.max(1, Math.floor(this.#height / (this.#layout?.row ?? 1)) - 1) };
        }

        get #height() {
            return this.root.clientHeight;
        }

        #drawNow() {
            const owner = this.#owner;
            const width = this.space.clientWidth;
            if (width === 0) return; // not on the page now: the observer tells when it is
            const layout = LoraStack.layOut({ mode: owner.mode, width, height: this.#height, count: owner.total });
            this.#layout = layout;
            this.root.dataset.mode = owner.mode;
            this.space.style.height = `${layout.total}px`;
            const { first, last } = LoraStack.inSight(layout, this.root.scrollTop, this.#height);
            if (last > first) owner.need(first, last);
            for (const [index, card] of this.#cards) {
                if (index >= first && index < last) continue;
                card.root.remove();
                this.#cards.delete(index);
                this.#free.push(card);
            }
            for (let index = first; index < last; index += 1) this.#show(index, layout);
            const active = this.#cards.get(this.active);
            if (active) this.root.setAttribute("aria-activedescendant", active.root.id);
            else this.root.removeAttribute("aria-activedescendant"); // scrolled out of the page
            if (!this.#moving) this.#settle();
        }

        #show(index, layout) {
            const owner = this.#owner;
            let card = this.#cards.get(index);
            if (!card) {
                card = this.#free.pop() ?? new LoraStack.FileCard(owner.api, `${this.#id}_${(this.#made += 1)}`);
                this.#cards.set(index, card);
                this.space.append(card.root);
            }
            const file = owner.fileAt(index);
            card.place(LoraStack.placeOf(layout, index), layout);
            card.show({ ...(file ? owner.stateOf(file) : { marked: false, held: false }), file, index, total: owner.total, active: index === this.active, roles: owner.roles, pictures: !this.#moving });
        }

        #scrolled() {
            this.#moving = true;
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => {
                this.#moving = false;
                this.#drawNow();
            }, SETTLE_MS);
            this.draw();
        }

        /** Reading goes by the order in the page: put it right once nothing moves, and let spare cards go. */
        #settle() {
            const order = [...this.#cards.keys()].sort((a, b) => a - b).map((index) => this.#cards.get(index).root);
            if (order.some((root, place) => this.space.children[place] !== root)) this.space.append(...order);
            this.#free.length = 0;
        }

        #at(event, act) {
            const card = event.target.closest(".ls-card");
            if (card && this.space.contains(card)) act(Number(card.dataset.index), event);
        }

        #clicked(event) {
            const part = ["star", "check"].find((name) => event.target.closest(`.ls-card-${name}`)) ?? "card";
            this.#at(event, (index) => this.#owner.click(index, event, part));
        }

        #key(event) {
            if (event.isComposing) return;
            const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
            const next = plain ? LoraStack.gridKey(event.key, this.active, this.measures) : null;
            if (next !== null) {
                event.preventDefault();
                const stays = next === this.active && event.key === "ArrowUp";
                this.activate(next);
                this.#owner.moved(next, stays);
            } else {
                this.#owner.key(event);
            }
        }
    }

    LoraStack.FileGrid = FileGrid;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
