// What a file is called and what it is, as drawn in every list: its picture, its name, a few small words.
(function (LoraStack) {
    "use strict";

    /** The last part of a label and the folders before it. */
    function splitLabel(label) {
        const cut = label.lastIndexOf("/") + 1;
        return { folder: label.slice(0, cut), name: label.slice(cut) };
    }

    /** A picture of a file: its preview, or a tile with its first letter in a colour of its own. */
    function makeTile(api, file, label) {
        const { name } = splitLabel(label);
        const letter = [...name.trim()][0] ?? "?";
        const hue = [...label].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);
        const tile = LoraStack.make("span", { class: "ls-tile", style: `--ls-hue: ${hue}`, "aria-hidden": "true" }, letter.toUpperCase());
        if (!file?.preview) return tile;
        const image = LoraStack.make("img", { alt: "", loading: "lazy", decoding: "async", onerror: () => image.remove() });
        image.src = api.address("preview", { label: file.label, v: file.mtime });
        tile.append(image);
        return tile;
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
