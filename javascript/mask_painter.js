// A mask painted on the picture with a brush, or loaded from a file: white acts, black does not.
(function (LoraStack) {
    "use strict";

    const LONGER = 512; // pixels of the mask's longer side: finer than any layer of the model sees
    const BRUSH = 12; // part of the shorter side, in hundredths

    class MaskPainter {
        #panel;
        #hue;
        #onChange;
        #onColours;
        #onProblem;
        #last = null;
        #mask = ""; // the name of the mask that is on the canvas
        #shown = null; // the hash that is drawn
        #aspect = 0; // of the canvas
        #waiting = false; // the server has not said yet that it keeps what is on the canvas
        #redrawn = 0; // how often the canvas was drawn anew
        #turns = new Map(); // mask → how often the server was asked to keep it: the newest answer counts

        /**
         * `onChange(hash, mask)` when a mask is kept on the server, `onColours({ red, green, blue })` with three hashes when
         * a loaded picture was three masks in one, `onProblem(text)` when a mask could not be read or kept.
         */
        constructor(panel, hue, { onChange, onColours, onProblem }) {
            const { make, text, icon } = LoraStack;
            this.#panel = panel;
            this.#hue = hue;
            this.#onChange = onChange;
            this.#onColours = onColours;
            this.#onProblem = onProblem;
            this.canvas = make("canvas", { class: "ls-mask", role: "img" });
            this.ring = make("span", { class: "ls-ring", "aria-hidden": "true", hidden: true });
            this.stage = new LoraStack.Stage(panel.tab, hue, this.canvas, this.ring);
            this.stage.root.classList.add("ls-painting");
            this.stage.root.setAttribute("tabindex", "-1");
            this.stage.root.addEventListener("pointerdown", (event) => this.#press(event));
            this.stage.root.addEventListener("pointermove", (event) => this.#showBrush(event));
            this.stage.root.addEventListener("pointerleave", () => { this.ring.hidden = true; });
            this.size = make("input", { type: "range", class: "ls-plain-range", min: 1, max: 60, value: BRUSH });
            this.erase = make("button", { type: "button", class: "ls-button ls-toggle", "aria-pressed": "false", onclick: () => this.#toggle() }, icon("erase"), text("region.erase"));
            this.share = make("p", { class: "ls-small" });
            this.file = make("input", { type: "file", accept: "image/*", class: "ls-offscreen", tabindex: "-1", "aria-hidden": "true", onchange: () => this.#load() });
            const button = (key, name, onclick) => make("button", { type: "button", class: "ls-button", onclick }, icon(name), text(key));
            this.root = make("div", { class: "ls-box-editor" }, this.stage.root,
                make("div", { class: "ls-beside" },
                    make("label", { class: "ls-brush" }, make("span", {}, text("region.brush")), this.size),
                    make("div", { class: "ls-foot-actions" }, this.erase,
                        button("region.invert", "invert", () => this.#change(invert)), button("region.clear", "clear", () => this.#change(clear)),
                        button("region.load", "load", () => this.file.click()), this.file),
                    make("p", { class: "ls-small" }, text("region.mask_help")), this.share));
        }

        /** Show the mask of that name, which is kept under `hash`, or an empty one. */
        update({ hash, mask, name }) {
            this.canvas.setAttribute("aria-label", LoraStack.text("region.mask_of", { name }));
            this.stage.refresh();
            const { aspect } = this.stage;
            if (aspect === this.#aspect && this.#shown === hash && this.#mask === mask) return;
            if (this.#last !== null) return; // somebody is painting
            if (this.#waiting && this.#mask === mask) return; // what was painted last is about to be the mask
            this.#waiting = false;
            this.#mask = mask;
            this.#shown = hash;
            this.#aspect = aspect;
            this.#redrawn += 1;
            this.canvas.width = Math.round(LONGER * Math.min(1, aspect));
            this.canvas.height = Math.round(LONGER / Math.max(1, aspect));
            LoraStack.setText(this.share, "");
            if (!hash) return;
            decoded(this.#panel.api.address(`masks/${hash}`)).then(
                (image) => hash === this.#shown && this.#show(image, LoraStack.brightness),
                () => this.#onProblem(LoraStack.text("region.mask_gone", { name })));
        }

        get #context() {
            return this.canvas.getContext("2d", { willReadFrequently: true });
        }

        #toggle() {
            this.erase.setAttribute("aria-pressed", String(this.erase.getAttribute("aria-pressed") !== "true"));
        }

        #press(event) {
            if (event.button !== 0 || !event.isPrimary) return;
            event.preventDefault();
            this.stage.root.focus({ preventScroll: true }); // so that Ctrl+Z means this stroke, not what was typed elsewhere
            const erasing = this.erase.getAttribute("aria-pressed") === "true";
            this.#last = this.stage.pointAt(event);
            this.#stroke(this.#last, erasing);
            this.stage.follow(event, (point) => this.#stroke(point, erasing), () => {
                this.#last = null;
                this.#keep();
            });
        }

        /** A ring as large as the brush, where the mouse or pen is; a finger hides what is under it. */
        #showBrush(event) {
            const { x, y } = this.stage.pointAt(event);
            const { clientWidth, clientHeight } = this.stage.root;
            const size = this.#brush(clientWidth, clientHeight);
            this.ring.hidden = event.pointerType === "touch";
            Object.assign(this.ring.style, { left: `${x * 100}%`, top: `${y * 100}%`, width: `${size}px`, height: `${size}px` });
        }

        /** How wide the brush is on a picture of that size. */
        #brush(width, height) {
            return (Number(this.size.value) / 100) * Math.min(width, height);
        }

        #stroke(point, erasing) {
            const { width, height } = this.canvas;
            const context = this.#context;
            context.globalCompositeOperation = erasing ? "destination-out" : "source-over";
            context.strokeStyle = colour(this.#hue);
            context.lineCap = context.lineJoin = "round";
            context.lineWidth = Math.max(2, this.#brush(width, height));
            context.beginPath();
            context.moveTo(this.#last.x * width, this.#last.y * height);
            context.lineTo(point.x * width + 0.01, point.y * height);
            context.stroke();
            this.#last = point;
        }

        #change(paint) {
            this.#context.globalCompositeOperation = "source-over";
            paint(this.#context, this.canvas, this.#hue);
            this.#keep();
        }

        async #load() {
            const [file] = this.file.files;
            this.file.value = "";
            if (!file) return;
            const address = URL.createObjectURL(file);
            try {
                const image = await decoded(address);
                if (LoraStack.holdsThree(this.#drawn(image))) await this.#keepColours(image);
                else {
                    this.#show(image, LoraStack.brightness);
                    this.#keep();
                }
            } catch {
                this.#onProblem(LoraStack.text("region.not_image", { name: file.name }));
            } finally {
                URL.revokeObjectURL(address);
            }
        }

        /** Put a picture on the canvas as it is, and return its numbers. */
        #drawn(image) {
            const { width, height } = this.canvas;
            const context = this.#context;
            context.globalCompositeOperation = "source-over";
            context.clearRect(0, 0, width, height);
            context.drawImage(image, 0, 0, width, height);
            return context.getImageData(0, 0, width, height).data;
        }

        /** Show a picture in the row's colour, as dense as `dense` says of each pixel. */
        #show(image, dense) {
            this.#drawn(image);
            recolour(this.#context, this.canvas, dense, this.#hue);
        }

        /** Keep the three colours of a picture as a mask each. */
        async #keepColours(image) {
            const hashes = {};
            this.#waiting = false;
            for (const [index, colour] of ["red", "green", "blue"].entries()) {
                this.#show(image, (...channels) => channels[index]);
                hashes[colour] = await this.#send(blackAndWhite(this.canvas));
            }
            this.#onColours(hashes);
        }

        /** Give the server a mask, and return its hash. */
        async #send(picture) {
            const { hash, share } = await this.#panel.api.post("masks", { picture });
            LoraStack.setText(this.share, LoraStack.text("region.share", { share: Math.round(share * 100) }));
            return hash;
        }

        /** Keep what is on the canvas now, as the mask that it is; at once, for the next picture may be made at once. */
        async #keep() {
            const [mask, redrawn] = [this.#mask, this.#redrawn];
            const turn = (this.#turns.get(mask) ?? 0) + 1;
            this.#turns.set(mask, turn);
            this.#waiting = true;
            const newest = () => turn === this.#turns.get(mask); // else it was painted further since, and another answer comes
            try {
                const hash = await this.#send(blackAndWhite(this.canvas));
                if (!newest()) return;
                if (redrawn === this.#redrawn) this.#shown = hash;
                if (mask === this.#mask) this.#waiting = false;
                this.#onProblem("");
                this.#onChange(hash, mask);
            } catch (error) {
                if (newest() && mask === this.#mask) this.#waiting = false;
                this.#onProblem(LoraStack.text("region.not_kept", { reason: error.message }));
            }
        }
    }

    async function decoded(address) {
        const image = new Image();
        image.src = address;
        await image.decode();
        return image;
    }

    function colour(hue) {
        return `hsl(${hue} 80% 55%)`;
    }

    function clear(context, { width, height }) {
        context.clearRect(0, 0, width, height);
    }

    function invert(context, canvas, hue) {
        recolour(context, canvas, (_red, _green, _blue, alpha) => 255 - alpha, hue);
    }

    /** Give every pixel the row's colour and the density that `dense` says. */
    function recolour(context, { width, height }, dense, hue) {
        const pixels = context.getImageData(0, 0, width, height);
        LoraStack.setDensity(pixels.data, dense);
        context.putImageData(pixels, 0, 0);
        context.globalCompositeOperation = "source-in";
        context.fillStyle = colour(hue);
        context.fillRect(0, 0, width, height);
        context.globalCompositeOperation = "source-over";
    }

    /** The mask as the server keeps it: white where it acts, on black. */
    function blackAndWhite(canvas) {
        const copy = document.createElement("canvas");
        Object.assign(copy, { width: canvas.width, height: canvas.height });
        const context = copy.getContext("2d");
        context.drawImage(canvas, 0, 0);
        context.globalCompositeOperation = "source-in";
        context.fillStyle = "#fff";
        context.fillRect(0, 0, copy.width, copy.height);
        context.globalCompositeOperation = "destination-over";
        context.fillStyle = "#000";
        context.fillRect(0, 0, copy.width, copy.height);
        return copy.toDataURL("image/png");
    }

    LoraStack.MaskPainter = MaskPainter;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
