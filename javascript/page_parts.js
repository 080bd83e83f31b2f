// The parts of a file's page that only show: facts, pictures, tags as bars, strengths as a picture, what lies beside the file.
(function (LoraStack) {
    "use strict";

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

    /** The strength of every block, a name, a number and a bar each, in the shape of the UNet; as wide as there is room. */
    function strengthPicture({ blocks }) {
        const { make, text } = LoraStack;
        const { boxes, width, height } = LoraStack.placeBlocks(blocks);
        const share = (part) => `${((100 * part) / width).toFixed(2)}%`;
        const picture = make("div", { class: "ls-unet", role: "img", "aria-label": text("page.strengths_of", { list: boxes.map(({ block }) => `${block.label} ${number(block.norm)}`).join(", ") }) });
        picture.style.height = `${height}px`;
        for (const box of boxes) {
            const one = make("div", { class: `ls-unet-box ls-unet-${box.side}` },
                make("span", { class: "ls-unet-name" }, box.block.label), make("span", { class: "ls-unet-number" }, number(box.block.norm)),
                make("span", { class: "ls-unet-bar" }, make("span", { class: "ls-unet-fill" })));
            Object.assign(one.style, { left: share(box.x), top: `${box.y}px`, width: share(box.width), height: `${box.height}px` });
            one.querySelector(".ls-unet-fill").style.width = `${(100 * (box.share ?? 0)).toFixed(1)}%`;
            picture.append(one);
        }
        return picture;
    }

    function number(norm) {
        return Number.isFinite(norm) ? norm.toPrecision(3) : "?";
    }

    Object.assign(LoraStack, { pageSection: section, pagePairs: pairs, wordChips, tagBars, strengthPicture });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
