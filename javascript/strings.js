// Every text the panel shows, in one table, so that a translation is one more table.
(function (LoraStack) {
    "use strict";

    const ENGLISH = {
        "add.label": "Add a LoRA",
        "add.placeholder": "Add a LoRA: click, or type to search",
        "add.results": "LoRAs found",
        "add.none": "No LoRA matches “{query}”.",
        "add.empty": "No LoRA files found. Put .safetensors files into your LoRA folder, then press Refresh.",
        "add.loading": "Looking…",
        "add.failed": "The list could not be loaded: {reason}",
        "add.count": "{shown} of {total}",
        "add.in_stack": "in the stack",

        "tool.refresh": "Refresh: look for new files",
        "tool.copy": "Copy the stack as text",
        "tool.paste": "Paste a stack",
        "tool.clear": "Remove all rows",

        "off.note": "Switched off: no LoRA is used.",
        "off.switch_on": "Switch on",

        "paste.label": "Stack text, or the parameters of a picture",
        "paste.placeholder": "Paste here what “Copy” gave, or the parameters of a picture made with LoRA Stack",
        "paste.apply": "Use it",
        "paste.cancel": "Cancel",
        "paste.failed": "This cannot be used: {reason}",

        "rows.label": "LoRAs in the stack",
        "rows.empty": "No LoRA yet. Pick one above; each gets a row with its own slider.",
        "rows.legend": "usual weights for this kind of LoRA",

        "row.label": "Row {row}: {name}",
        "row.move": "Move {name}: drag, or use the up and down arrow keys",
        "row.on": "{name} is used",
        "row.more": "More about {name}",
        "row.duplicate": "Duplicate {name}",
        "row.remove": "Remove {name}",
        "row.unnamed": "(no name)",
        "row.up": "Move up",
        "row.down": "Move down",
        "row.copy": "Duplicate",
        "row.rank": "rank {rank}",
        "row.words": "{count} words",
        "row.word": "1 word",
        "row.te": "text {weight}",
        "row.unet": "UNet {weight}",

        "family.lora": "LoRA",
        "family.locon": "LoCon",
        "family.loha": "LoHa",
        "family.lokr": "LoKr",
        "family.dora": "DoRA",
        "family.glora": "GLoRA",
        "family.oft": "OFT",
        "family.boft": "BOFT",
        "family.ia3": "IA3",
        "family.full": "Full",
        "family.norm": "Norm",
        "family.tlora": "T-LoRA",

        "weight.label": "Weight of {name}",
        "weight.number": "Weight of {name}, as a number",
        "weight.reset": "double-click: back to {weight}",
        "weight.not_number": "“{text}” is not a number. Kept {kept}.",
        "weight.too_big": "{text} is beyond ±{limit}, which no LoRA survives. Kept {kept}.",
        "weight.stored_bad": "The weight {text} in the stack text is not a usable number. Move the slider to set one.",

        "more.te": "Own weight for the text encoder",
        "more.te_name": "text encoder of {name}",
        "more.te_help": "How strongly the words change. Off: the same as the row's weight.",
        "more.unet": "Own weight for the UNet",
        "more.unet_name": "UNet of {name}",
        "more.unet_help": "How strongly the picture changes. Off: the same as the row's weight.",
        "more.role": "Kind",
        "more.no_role": "Not set",
        "more.words": "Trigger words",
        "more.words_help": "Click to put a word into the prompt, click again to take it out.",
        "more.no_words": "The file names none.",
        "more.hash": "Hash",
        "more.file": "File",
        "more.kept": "Also set",
        "more.kept_help": "Click to take “{field}” out of the row.",

        "blocks.caption": "Parts of the model it acts in",
        "blocks.choose": "Parts of the model for {name}: presets",
        "blocks.text": "Parts of the model for {name}, as text",
        "blocks.chart": "Strength of {name} in each block",
        "blocks.placeholder": "or 17 numbers, or OUTD;IN05-OUT05:attn:0",
        "blocks.own": "own numbers",
        "blocks.base": "text encoder",
        "blocks.in": "block {block}, on the way in",
        "blocks.middle": "the middle block",
        "blocks.out": "block {block}, on the way out",
        "blocks.base_short": "text",
        "blocks.middle_short": "mid",

        "report.ok": "Applied",
        "report.failed": "Not applied",
        "report.details": "Details",
        "report.matched": "{matched} of {total} weights",
        "report.unmatched": "no place for {names}",
        "report.stale": "Report of the last picture; the stack has changed since.",

        "say.copied": "Stack copied.",
        "say.copy_failed": "The browser did not allow copying. Select the text below and copy it.",
        "say.added": "Added {name}.",
        "say.removed": "Removed {name}.",
        "say.cleared": "Removed {count} rows.",
        "say.pasted": "Stack with {count} rows pasted.",
        "say.moved": "{name} is now row {row} of {count}.",
        "say.refreshed": "{count} LoRAs found.",
        "say.undo": "Undo",
        "say.undone": "Undone.",
        "say.offline": "LoRA Stack does not answer: {reason}",

        "text.broken": "The stack text cannot be read: {reason}",
        "text.broken_way_out": "No picture will be made with it. Paste another stack, or start with an empty one.",
        "text.start_over": "Start with an empty stack",
        "text.not_json": "it is not the JSON that LoRA Stack writes ({reason}).",
        "text.not_object": "it should be an object with a list of entries.",
        "text.no_entries": "it has no list of entries.",
        "text.version": "it is of version {version}, this extension knows version {known}. Update the extension.",
        "text.entry": "This row is not a LoRA entry. Remove it.",
        "text.no_stack": "there is no stack in it.",
    };

    /** The text of `key` with {names} filled in; a missing key shows itself, so that it is noticed. */
    LoraStack.text = function (key, values = {}) {
        const template = Object.hasOwn(ENGLISH, key) ? ENGLISH[key] : key;
        return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
    };

    LoraStack.strings = ENGLISH;
})((globalThis.LoraStack = globalThis.LoraStack || {}));
