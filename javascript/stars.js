// A rating of one to five stars; the star that is set already takes the rating away.
(function (LoraStack) {
    "use strict";

    const STARS = [1, 2, 3, 4, 5];

    class Stars {
        #value = 0;

        /** `onChange(0..5)`. */
        constructor(onChange) {
            const { make, icon } = LoraStack;
            this.buttons = STARS.map((star) => make("button", { type: "button", class: "ls-star", onclick: () => onChange(star === this.#value ? 0 : star) }, icon("star")));
            this.root = make("span", { class: "ls-stars", role: "group", "aria-label": LoraStack.text("rating.label") }, ...this.buttons);
        }

        show(value) {
            this.#value = value;
            for (const [index, button] of this.buttons.entries()) {
                const star = STARS[index];
                button.classList.toggle("ls-lit", star <= value);
                button.setAttribute("aria-pressed", String(star <= value));
                LoraStack.setLabel(button, LoraStack.text(star === 1 ? "rating.star" : "rating.stars", { count: star }));
            }
        }
    }

    LoraStack.Stars = Stars;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
