// Finding a stack in what somebody pastes: the stack text itself, or the parameters of a picture. No page needed.
(function (LoraStack) {
    "use strict";

    const KEY = /(?:^|[,\n]\s*)LoRA Stack:\s*/; // the infotext key of lib_lora/stack/infotext.py

    /** The stack in `text`; raises StackTextError with a reason where there is none. */
    function findStack(text) {
        const pasted = text.trim();
        const found = KEY.exec(pasted);
        if (found) return LoraStack.readStack(value(pasted.slice(found.index + found[0].length)));
        if (pasted.startsWith('"')) return LoraStack.readStack(value(pasted));
        if (!/^[[{]/.test(pasted)) throw new LoraStack.StackTextError(LoraStack.text("text.no_stack"));
        return LoraStack.readStack(pasted);
    }

    /** The JSON at the start of `rest`, out of the quotes that the WebUI puts around it. */
    function value(rest) {
        const quoted = /^"(?:[^"\\]|\\.)*"/.exec(rest);
        if (quoted) return JSON.parse(quoted[0]);
        return rest.slice(0, endOfJson(rest));
    }

    /** Where the brackets that open at the start of `text` are all closed again. */
    function endOfJson(text) {
        let depth = 0;
        for (const { 0: part, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
            if (part === "{" || part === "[") depth += 1;
            else if (part === "}" || part === "]") depth -= 1;
            if (depth <= 0) return index + part.length;
        }
        return text.length;
    }

    LoraStack.findStack = findStack;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
