// Painting an inpaint mask over a picture: a canvas laid on the picture, its content kept in a hidden text box.
"use strict";

(() => {
  const COLOUR = "#ffffff";

  class MaskPainter {
    constructor(tools) {
      this.field = tools.dataset.image;
      this.store = tools.dataset.mask;
      this.canvas = document.createElement("canvas");
      this.canvas.className = "mask-canvas";
      this.canvas.setAttribute("aria-label", "Mask: paint over the part to change");
      this.address = null;
      this.last = null;
      this.buildTools(tools);
      this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
      this.canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const end of ["pointerup", "pointercancel"]) {
        this.canvas.addEventListener(end, () => this.finish());
      }
      new ResizeObserver(() => this.place()).observe(document.body);
    }

    buildTools(tools) {
      const brush = document.createElement("label");
      brush.textContent = "Brush ";
      this.size = document.createElement("input");
      Object.assign(this.size, { type: "range", min: "2", max: "50", value: "15", id: `${this.field}_brush` });
      brush.append(this.size);
      this.erase = this.button("Erase", () => {
        const on = this.erase.getAttribute("aria-pressed") !== "true";
        this.erase.setAttribute("aria-pressed", String(on));
      });
      this.erase.setAttribute("aria-pressed", "false");
      const clear = this.button("Clear mask", () => {
        this.context().clearRect(0, 0, this.canvas.width, this.canvas.height);
        this.keep();
      });
      tools.replaceChildren(brush, this.erase, clear);
    }

    button(text, action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", action);
      return button;
    }

    context() {
      return this.canvas.getContext("2d");
    }

    // A new picture gets an empty canvas of its own size; the same picture keeps what is painted.
    follow() {
      const image = gradioApp().querySelector(`#${this.field} img`);
      if (!image) {
        if (this.canvas.isConnected) this.canvas.remove();
        if (this.address !== null) {
          this.address = null;
          this.write("");
        }
        return;
      }
      if (!image.complete || !image.naturalWidth) {
        image.addEventListener("load", () => this.follow(), { once: true });
        return;
      }
      if (image.src !== this.address) {
        this.address = image.src;
        this.canvas.width = image.naturalWidth;
        this.canvas.height = image.naturalHeight;
        this.write("");
      }
      if (this.canvas.parentElement !== image.parentElement) {
        image.parentElement.style.position = "relative";
        image.parentElement.append(this.canvas);
      }
      this.place();
    }

    // The picture stands centred and as large as fits in its element.
    place() {
      const image = this.canvas.parentElement?.querySelector("img");
      if (!image || !image.naturalWidth) return;
      const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
      const width = image.naturalWidth * scale;
      const height = image.naturalHeight * scale;
      Object.assign(this.canvas.style, {
        left: `${image.offsetLeft + (image.clientWidth - width) / 2}px`,
        top: `${image.offsetTop + (image.clientHeight - height) / 2}px`,
        width: `${width}px`,
        height: `${height}px`,
      });
    }

    point(event) {
      const frame = this.canvas.getBoundingClientRect();
      return {
        x: ((event.clientX - frame.left) / frame.width) * this.canvas.width,
        y: ((event.clientY - frame.top) / frame.height) * this.canvas.height,
      };
    }

    begin(event) {
      event.preventDefault();
      this.canvas.setPointerCapture(event.pointerId);
      this.last = this.point(event);
      this.stroke(this.last);
    }

    move(event) {
      if (this.last === null) return;
      const point = this.point(event);
      this.stroke(point);
      this.last = point;
    }

    stroke(point) {
      const context = this.context();
      context.globalCompositeOperation =
        this.erase.getAttribute("aria-pressed") === "true" ? "destination-out" : "source-over";
      context.strokeStyle = COLOUR;
      context.lineCap = context.lineJoin = "round";
      context.lineWidth = (Number(this.size.value) / 100) * Math.max(this.canvas.width, this.canvas.height);
      context.beginPath();
      context.moveTo(this.last.x, this.last.y);
      context.lineTo(point.x, point.y);
      context.stroke();
    }

    finish() {
      if (this.last === null) return;
      this.last = null;
      this.keep();
    }

    // White on black, without the soft edge of the strokes.
    keep() {
      const { width, height } = this.canvas;
      const pixels = this.context().getImageData(0, 0, width, height);
      let any = false;
      for (let at = 0; at < pixels.data.length; at += 4) {
        const painted = pixels.data[at + 3] > 127;
        any = any || painted;
        pixels.data.fill(painted ? 255 : 0, at, at + 3);
        pixels.data[at + 3] = 255;
      }
      const copy = document.createElement("canvas");
      copy.width = width;
      copy.height = height;
      copy.getContext("2d").putImageData(pixels, 0, 0);
      this.write(any ? copy.toDataURL("image/png") : "");
    }

    write(text) {
      const box = gradioApp().querySelector(`#${this.store} textarea, #${this.store} input`);
      if (!box || box.value === text) return;
      box.value = text;
      updateInput(box);
    }
  }

  const painters = [];

  onAfterUiUpdate(() => {
    for (const tools of gradioApp().querySelectorAll(".mask-tools:empty")) painters.push(new MaskPainter(tools));
    for (const painter of painters) painter.follow();
  });
  onUiTabChange(() => {
    for (const painter of painters) painter.place();
  });
})();
