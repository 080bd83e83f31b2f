// The picture that regions are drawn on: as wide and high as the next one will be, with the current one behind.
(function (LoraStack) {
    "use strict";

    const PREVIEW = ".livePreview"; // half-made pictures, which the host lays over the gallery

    /** Whether a picture can be seen, or will be as soon as it is loaded. */
    function isShown(image) {
        return (image.naturalWidth > 0 || !image.complete) && image.offsetParent !== null;
    }

    /** The address of the picture that a tab works on: its input, else the one it made last; "" where there is none. */
    function currentPicture(tab) {
        const inputs = tab === "img2img" ? ["#mode_img2img img"] : [];
        for (const place of [...inputs, `#${CSS.escape(tab)}_gallery img`]) {
            const image = [...LoraStack.app().querySelectorAll(place)].find((found) => isShown(found) && !found.closest(PREVIEW));
            if (image) return image.src;
        }
        return tab === "img2img" ? drawnPicture() : "";
    }

    /** Gradio 3's sketch pad, in which AUTOMATIC1111 has the picture to inpaint, is a canvas and no image. */
    function drawnPicture() {
        const canvas = [...LoraStack.app().querySelectorAll("#mode_img2img canvas[key=drawing]")].find((pad) => pad.width > 1 && pad.offsetParent !== null);
        try {
            return canvas ? canvas.toDataURL() : "";
        } catch {
            return ""; // drawn from another origin: not to be read
        }
    }

    /** Width by height of the next picture, as the host's own fields say. */
    function nextAspect(tab) {
        const side = (name) => Number(LoraStack.app().querySelector(`#${CSS.escape(tab)}_${name} input[type=number]`)?.value);
        const aspect = side("width") / side("height");
        return aspect > 0 && Number.isFinite(aspect) ? Math.max(0.2, Math.min(5, aspect)) : 1;
    }

    /** A colour for each row, far from its neighbours'; the same for as long as the row is there. */
    function rowHue(row) {
        return Math.round((row.id * 137.5 + 20) % 360);
    }

    class Stage {
        #tab;

        /** `children` lie on the picture, in this order. */
        constructor(tab, hue, ...children) {
            this.#tab = tab;
            this.picture = LoraStack.make("img", { alt: "", draggable: "false", hidden: true });
            this.root = LoraStack.make("div", { class: "ls-stage", style: `--ls-hue: ${hue}` }, this.picture, ...children);
            this.aspect = 1;
        }

        /** Look again at the host's fields and pictures. */
        refresh() {
            this.aspect = nextAspect(this.#tab);
            this.root.style.setProperty("--ls-aspect", this.aspect);
            const address = currentPicture(this.#tab);
            if (address && this.picture.src !== address) this.picture.src = address;
            this.picture.hidden = !address;
        }

        /** Where a pointer is, in parts of the picture; beyond its edges too. */
        pointAt(event) {
            const frame = this.root.getBoundingClientRect();
            return { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height };
        }

        /** Call `move(point)` until the pointer of `press` is let go, then `end()`. */
        follow(press, move, end = () => undefined) {
            const stop = new AbortController();
            const listen = (type, handler) => this.root.addEventListener(type, handler, { signal: stop.signal });
            this.root.setPointerCapture(press.pointerId);
            listen("pointermove", (event) => event.pointerId === press.pointerId && move(this.pointAt(event)));
            for (const type of ["pointerup", "pointercancel"]) {
                listen(type, (event) => {
                    if (event.pointerId !== press.pointerId) return; // another finger
                    stop.abort();
                    end();
                });
            }
        }
    }

    Object.assign(LoraStack, { Stage, rowHue });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
