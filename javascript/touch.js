// Sliders under a finger: one that scrolls the page over a slider leaves it as it was.
//
// A browser sets a slider to where it is touched before it knows whether the finger will drag it or scroll, and on a
// phone half of the panel is sliders.
(function (LoraStack) {
    "use strict";

    const SLIDERS = "input.ls-range, input.ls-plain-range";
    const FAR = 4; // pixels sideways that make a touch a drag

    /** Let the sliders below `root` hear of a touch when it is known to be meant for them: once it goes sideways, or ends there. */
    LoraStack.guardSliders = function (root) {
        let touch = null; // { slider, value, id, x, meant }
        const own = (event) => touch !== null && event.pointerId === touch.id;
        const tell = () => {
            touch.meant = true;
            if (touch.slider.value !== touch.value) touch.slider.dispatchEvent(new Event("input", { bubbles: true }));
        };
        const listen = (type, handler) => root.addEventListener(type, handler, true);
        listen("pointerdown", (event) => {
            if (event.pointerType !== "touch" || !event.target.matches(SLIDERS)) return;
            touch = { slider: event.target, value: event.target.value, id: event.pointerId, x: event.clientX, meant: false };
        });
        listen("input", (event) => {
            if (event.target === touch?.slider && !touch.meant) event.stopPropagation();
        });
        listen("pointermove", (event) => {
            if (own(event) && !touch.meant && Math.abs(event.clientX - touch.x) > FAR) tell();
        });
        listen("pointerup", (event) => {
            if (!own(event)) return;
            if (!touch.meant) tell();
            touch = null;
        });
        listen("pointercancel", (event) => {
            if (!own(event)) return;
            const { slider, value, meant } = touch;
            touch = null;
            if (slider.value === value) return;
            slider.value = value;
            if (meant) slider.dispatchEvent(new Event("input", { bubbles: true }));
        });
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
