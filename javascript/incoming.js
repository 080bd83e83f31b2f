// Stacks that come from outside: pasted text, a dropped picture or file, a preset. The server reads them.
(function (LoraStack) {
    "use strict";

    const DATA_URL = /^data:image\//;

    /** The stack in a text of any kind: our own, a picture's parameters, AddNet's keys, prompt tags. Rejects with the reason. */
    async function readText(api, text) {
        return unpacked(api, await api.post("read", { text }));
    }

    /** The stack in the parameters of a picture; `data` is the file. */
    async function readPicture(api, data) {
        return unpacked(api, await api.send("read-picture", data));
    }

    async function readFile(api, file) {
        return file.type.startsWith("image/") ? readPicture(api, file) : readText(api, await file.text());
    }

    /** Masks that came as pictures are kept by the server and named by their digits, as drawn ones are. */
    async function unpacked(api, { stack: text }) {
        const stack = LoraStack.readStack(text);
        const masks = { ...LoraStack.masksOf(stack) };
        for (const [name, picture] of Object.entries(masks)) {
            if (DATA_URL.test(picture)) masks[name] = (await api.post("masks", { picture })).hash;
        }
        return { ...stack, extra: { ...stack.extra, masks } };
    }

    /** The stack as text for somebody else: with the pictures of its masks. */
    async function packed(api, text) {
        const stack = LoraStack.readStack(text);
        const masks = { ...LoraStack.masksOf(stack) };
        for (const [name, digits] of Object.entries(masks)) masks[name] = await pictureOf(api, digits);
        return LoraStack.writeStack({ ...stack, extra: { ...stack.extra, masks } });
    }

    /** A kept mask as a data address; what is gone stays its digits. */
    async function pictureOf(api, digits) {
        if (DATA_URL.test(digits)) return digits;
        const answer = await fetch(api.address(`masks/${digits}`), { credentials: "same-origin" });
        if (!answer.ok) return digits;
        const bytes = new Uint8Array(await answer.arrayBuffer());
        return `data:image/png;base64,${btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""))}`;
    }

    Object.assign(LoraStack, { readText, readPicture, readFile, packedStack: packed });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
