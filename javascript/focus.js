// Keeps the keyboard's focus where somebody works: what has it may be drawn anew, hidden, disabled or taken away.
(function (LoraStack) {
    "use strict";

    const FOCUSABLE = "button, input, select, textarea, summary, a[href], [tabindex='0']";

    /** Whether an element still can have the focus, as far as that is known without laying the page out. */
    function canHold(element) {
        return element.isConnected && !element.disabled && element.closest("[hidden]") === null;
    }

    /** What Tab stops at below `root`, in its order. */
    function focusables(root) {
        return [...root.querySelectorAll(FOCUSABLE)].filter((one) => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length > 0);
    }

    /** What tells a control from others of its kind, when it has been made anew. */
    function likeness(element) {
        return `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;
    }

    /**
     * Where the focus goes on from a control that was the one at `index` with that likeness: to its like, else to what
     * has come to its place, else to the last; null where there is nothing. `among` is a list of { like }.
     */
    function nextPlace(among, index, like) {
        return among.find((one) => one.like === like) ?? among[Math.min(Math.max(0, index), among.length - 1)] ?? null;
    }

    /** Give an element the focus once it is to be seen: the host shows a tab a moment after it was asked to. */
    function focusSoon(element, frames = 30) {
        if (element.getClientRects().length > 0) element.focus();
        else if (frames > 0) requestAnimationFrame(() => focusSoon(element, frames - 1));
    }

    class FocusKeeper {
        #root;
        #held = null; // { element, like, places }: what had the focus, and where it stood in each element around it

        constructor(root) {
            this.#root = root;
            root.addEventListener("focusin", (event) => this.#remember(event.target));
            root.addEventListener("focusout", (event) => this.#left(event.target));
            new MutationObserver(() => this.#check()).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "disabled"] });
        }

        #remember(element) {
            const places = [];
            for (let around = element.parentElement; around && this.#root.contains(around); around = around.parentElement) {
                places.push({ around, index: focusables(around).indexOf(element) });
            }
            this.#held = { element, like: likeness(element), places };
        }

        /** Somebody who leaves a control that is still there wants to be elsewhere; one that goes away is left later. */
        #left(element) {
            queueMicrotask(() => {
                if (this.#held?.element === element && document.activeElement !== element && canHold(element)) this.#held = null;
            });
        }

        #check() {
            const held = this.#held;
            if (held === null || canHold(held.element)) return;
            this.#held = null;
            const now = document.activeElement;
            if (now !== held.element && this.#root.contains(now) && now !== this.#root) return; // somebody has seen to it
            if (now !== null && now !== document.body && !this.#root.contains(now)) return;
            for (const { around, index } of held.places) {
                if (!canHold(around)) continue;
                const found = nextPlace(focusables(around).map((element) => ({ element, like: likeness(element) })), index, held.like);
                if (found === null) continue;
                found.element.focus({ preventScroll: true });
                return;
            }
        }
    }

    Object.assign(LoraStack, { focusables, nextPlace, focusSoon, FocusKeeper });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
