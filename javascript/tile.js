// What a file is called and what it is, as drawn in every list: its picture, its name, a few small words.
(function (LoraStack) {
    "use strict";

    const SMALL = 128; // pixels that are fetched for it: twice as many as it has on the page

    const TURNING = /[\u202a-\u202e\u2066-\u2069]/g; // signs that turn the direction of writing, with which a name can pretend to be another

    /** The last part of a label and the folders before it, for reading. */
    function splitLabel(label) {
        const shown = label.replace(TURNING, "\ufffd");
        const cut = shown.lastIndexOf("/") + 1;
        return { folder: shown.slice(0, cut), name: shown.slice(cut) };
    }

    /** A small picture of a file: its preview, or a tile with its first letter in a colour of its own; also where only its label is known. */
    function makeTile(api, file, label) {
        return LoraStack.makePicture(api, file ?? { label }, SMALL);
    }

    /** How people write a family that the server calls `locon`. */
    function familyName(family) {
        const key = `family.${family}`;
        const name = LoraStack.text(key);
        return name === key ? family : name;
    }

    /** What a file is, in a few small words: `LoRA rank 8`, `SD 1.x`. */
    function makeBadges(file) {
        const families = String(file.family ?? "").split("+").filter(Boolean).map(familyName);
        const kind = [families.join(" + "), file.rank ? LoraStack.text("row.rank", { rank: file.rank }) : ""];
        return [kind.filter(Boolean).join(" "), file.architecture_label].filter(Boolean).map((text) => LoraStack.make("span", { class: "ls-badge" }, text));
    }

    Object.assign(LoraStack, { splitLabel, makeTile, makeBadges });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
