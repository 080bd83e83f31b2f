// A dialog over the page: focus stays inside, Escape closes it, focus goes back to where it came from.
(function (LoraStack) {
    "use strict";

    class Dialog {
        #opener = null;
        #onClose;

        constructor(label, content, { onClose = () => undefined, className = "" } = {}) {
            this.#onClose = onClose;
            this.root = LoraStack.make("dialog", {
                class: `lora-stack ls-dialog ${className}`, "aria-label": label, lang: LoraStack.language(),
                onkeydown: (event) => this.#key(event),
                onclick: (event) => this.#clicked(event),
                oncancel: (event) => {
                    event.preventDefault();
                    this.close();
                },
            }, content);
            new LoraStack.FocusKeeper(this.root);
            LoraStack.refuseDrops(this.root);
        }

        get isOpen() {
            return this.root.open;
        }

        open() {
            if (this.isOpen) return;
            this.#opener = document.activeElement;
            // Inside gradio's container, so that the host's own style of fields and buttons holds.
            (LoraStack.app().querySelector(".gradio-container") ?? document.body).append(this.root);
            this.root.showModal();
        }

        close() {
            if (!this.isOpen) return;
            this.root.close();
            this.root.remove();
            this.#opener?.focus?.();
            this.#onClose();
        }

        /** No key pressed here means anything to the page below, where Escape stops the picture that is being made. */
        #key(event) {
            event.stopPropagation();
            if (event.key === "Escape" && !event.isComposing) {
                event.preventDefault();
                this.close();
            } else if (event.key === "Tab") {
                this.#turnAround(event);
            }
        }

        /** Tab from the last control leads to the first, and back. */
        #turnAround(event) {
            const all = LoraStack.focusables(this.root);
            const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
            if (document.activeElement !== from) return;
            event.preventDefault();
            to?.focus();
        }

        /** A click beside the dialog's box is one on the page below. */
        #clicked(event) {
            if (event.target !== this.root) return;
            const box = this.root.getBoundingClientRect();
            const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
            if (!inside) this.close();
        }
    }

    LoraStack.Dialog = Dialog;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
