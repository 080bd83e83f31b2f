// The parts of a file's page that only show: facts, pictures, tags as bars, strengths as a picture, what lies beside the file.
(function (LoraStack) {
    "use strict";

    const SVG = "http://www.w3.org/2000/svg";
    const FEW_TAGS = 15; // drawn before “more”

    /** A part of the page under its heading; `children` that are null are left out. */
    function section(key, ...children) {
        const { make, text } = LoraStack;
        return make("section", { class: "ls-section", "aria-label": text(key) }, make("h3", { class: "ls-section-title" }, text(key)), ...children);
    }

    /** Names and values below each other; pairs without a value are left out. */
    function pairs(rows) {
        const { make } = LoraStack;
        const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
        return make("dl", { class: "ls-pairs" }, ...known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
    }

    /** Words that are put where the choice says when they are clicked. */
    function wordChips(words, target) {
        const { make } = LoraStack;
        return make("div", { class: "ls-chips" }, ...words.map((word) => make("button", { type: "button", class: "ls-chip", onclick: () => target.take(word) }, word)));
    }

    /** How often each tag stood in the training captions, the commonest first. */
    function tagBars(tags, target) {
        const { make, text } = LoraStack;
        const list = make("ul", { class: "ls-tag-bars" });
        const most = Math.max(1, ...tags.map(([, count]) => Number(count) || 0));
        const bar = ([tag, count]) => {
            const fill = make("span", { class: "ls-tag-fill", "aria-hidden": "true" });
            fill.style.width = `${(100 * (Number(count) || 0)) / most}%`;
            return make("li", {}, make("button", { type: "button", class: "ls-tag-bar", "aria-label": text("page.tag", { tag, count }), onclick: () => target.take(String(tag)) }, fill, make("span", { class: "ls-tag-name" }, String(tag)), make("span", { class: "ls-count" }, String(count))));
        };
        list.append(...tags.slice(0, FEW_TAGS).map(bar));
        if (tags.length <= FEW_TAGS) return [list];
        const more = make("button", {
            type: "button", class: "ls-button", onclick: () => {
                list.append(...tags.slice(FEW_TAGS).map(bar));
                more.remove();
                list.children[FEW_TAGS].querySelector("button").focus();
            },
        }, text("filter.more", { count: tags.length - FEW_TAGS }));
        return [list, more];
    }

    /** The strength of every block, as boxes in the shape of the UNet. */
    function strengthPicture({ blocks }) {
        const { text } = LoraStack;
        const { boxes, width, height } = LoraStack.placeBlocks(blocks);
        const shape = (tag, attributes, content = "") => {
            const element = document.createElementNS(SVG, tag);
            for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
            element.textContent = content;
            return element;
        };
        const picture = shape("svg", { class: "ls-unet", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text("page.strengths_of", { list: boxes.map(({ block }) => `${block.label} ${number(block.norm)}`).join(", ") }) });
        const outs = new Map(boxes.filter(({ side }) => side === "out").map((box) => [box.y, box]));
        for (const box of boxes) {
            const facing = box.side === "in" ? outs.get(box.y) : null;
            if (facing) picture.append(shape("line", { class: "ls-unet-skip", x1: box.width, x2: facing.x, y1: box.y + box.height / 2, y2: box.y + box.height / 2 }));
            const fill = (box.share ?? 0) * box.width;
            picture.append(
                shape("rect", { class: "ls-unet-box", x: box.x, y: box.y, width: box.width, height: box.height, rx: 4 }),
                shape("rect", { class: `ls-unet-fill ls-unet-${box.side}`, x: box.side === "out" ? box.x + box.width - fill : box.x, y: box.y, width: fill, height: box.height, rx: 4 }),
                shape("text", { class: "ls-unet-name", x: box.x + 8, y: box.y + 14 }, box.block.label),
                shape("text", { class: "ls-unet-number", x: box.x + box.width - 8, y: box.y + 14, "text-anchor": "end" }, number(box.block.norm)));
        }
        return picture;
    }

    function number(norm) {
        return Number.isFinite(norm) ? norm.toPrecision(3) : "?";
    }

    Object.assign(LoraStack, { pageSection: section, pagePairs: pairs, wordChips, tagBars, strengthPicture });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
