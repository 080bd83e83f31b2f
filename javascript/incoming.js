// Stacks that come from outside: pasted text, a dropped picture or file, a preset. The server reads them.
(function (LoraStack) {
    "use strict";

    const DATA_URL = /^data:image\//;
    const MOST = 1_000_000; // characters of a text that the server reads, the same as STACK_LIMIT in lib_lora/ui/routes.py
    const MOST_BYTES = 64 * 1024 ** 2; // of a file: what is larger is neither a picture nor a stack
    const MODEL = /\.(safetensors|ckpt|pt|pth|bin|gguf|zip|7z|rar)$/i;

    /** The stack in a text of any kind: our own, a picture's parameters, AddNet's keys, prompt tags. Rejects with the reason. */
    async function readText(api, text) {
        const short = await withoutPictures(api, text);
        if (short.length > MOST) throw new Error(LoraStack.text("paste.too_long"));
        return unpacked(api, await api.post("read", { text: short }));
    }

    /** A shared stack may be longer than a stack may be, for the pictures of its masks, which are kept first. */
    async function withoutPictures(api, text) {
        if (text.length <= MOST) return text;
        let stack;
        try {
            stack = LoraStack.readStack(text);
        } catch {
            return text; // something else than a stack of ours; the server says what
        }
        return LoraStack.writeStack(await withKept(api, stack));
    }

    /** The stack in the parameters of a picture; `data` is the file. */
    async function readPicture(api, data) {
        return unpacked(api, await api.send("read-picture", data));
    }

    async function readFile(api, file) {
        if (MODEL.test(file.name)) throw new Error(LoraStack.text("drop.model", { name: file.name }));
        if (file.size > MOST_BYTES) throw new Error(LoraStack.text("drop.too_large", { name: file.name }));
        return file.type.startsWith("image/") ? readPicture(api, file) : readText(api, await file.text());
    }

    /** Masks that came as pictures are kept by the server and named by their digits, as drawn ones are. */
    async function unpacked(api, { stack: text }) {
        return withKept(api, LoraStack.readStack(text));
    }

    async function withKept(api, stack) {
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
