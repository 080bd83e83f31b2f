// How far long work is: a bar, what is being done, and a way to stop it.
(function (LoraStack) {
    "use strict";

    class ProgressLine {
        constructor(onCancel) {
            const { make, text } = LoraStack;
            this.bar = make("progress", { class: "ls-progress", max: 1, "aria-label": text("work.label") });
            this.text = make("span", { class: "ls-small ls-progress-text" });
            this.root = make("div", { class: "ls-working", hidden: true }, this.bar, this.text, make("button", { type: "button", class: "ls-button", onclick: onCancel }, text("work.cancel")));
        }

        /** `work` is one part of the server's status: { state, done, of, bytes, of_bytes, label }. */
        show(work) {
            const { text, setText } = LoraStack;
            this.root.hidden = work?.state !== "running";
            if (this.root.hidden) return;
            const share = work.of_bytes ? work.bytes / work.of_bytes : work.of ? work.done / work.of : null;
            if (share === null) this.bar.removeAttribute("value");
            else this.bar.value = share;
            setText(this.text, text("work.files", { done: work.done ?? 0, of: work.of ?? 0, label: work.label ?? "" }));
        }
    }

    LoraStack.ProgressLine = ProgressLine;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
