// What the tools of the panel say, in English. Whoever adds a key adds it to the tables of all languages.
(function (LoraStack) {
    "use strict";

    const tables = (LoraStack.tables ??= {});
    tables.en = { ...tables.en,
        "tool.all": "Tools of the stack",
        "tool.undo": "Undo (Ctrl+Z)",
        "tool.redo": "Redo (Ctrl+Shift+Z)",
        "tool.presets": "Presets: named stacks",
        "tool.import": "Take the LoRA tags out of the prompt, as rows",
        "tool.export": "Put the rows into the prompt, as tags",

        "paste.append": "Add below",
        "paste.open": "Open a file",

        "say.solo_on": "Only {name} is used now.",
        "say.solo_off": "The other rows are back.",
        "say.removed_words": "Removed {name}, and its trigger words from the prompt.",
        "say.imported": "Made {count} rows of the prompt's tags.",
        "say.no_tags": "The prompt has no LoRA tags.",
        "say.exported": "Put {count} rows into the prompt.",
        "say.preset_saved": "Saved as “{name}”.",
        "say.preset_used": "“{name}” is in the panel.",
        "say.preset_added": "“{name}” is below the other rows.",
        "say.preset_deleted": "Deleted “{name}”.",

        "presets.name": "Name of the preset",
        "presets.save": "Save the stack",
        "presets.replace": "Replace",
        "presets.list": "Presets",
        "presets.none": "No preset yet. Type a name above and save the present stack.",
        "presets.broken": "cannot be read",
        "presets.use": "Use “{name}” in place of the present stack",
        "presets.append": "Add the rows of “{name}” below",
        "presets.compare": "Compare “{name}” with the present stack",
        "presets.rename": "Rename “{name}”",
        "presets.rename_now": "Rename",
        "presets.new_name": "New name for “{name}”",
        "presets.share": "Save “{name}” as a file to share",
        "presets.delete": "Delete “{name}”",
        "presets.added": "{name} would be added",
        "presets.removed": "{name} would be removed",
        "presets.changed": "{name} would change",
        "presets.masks": "Masks with other pictures: {names}.",
        "presets.same": "No difference to the present stack.",
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
