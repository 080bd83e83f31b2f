// Loads the panel's scripts that need no page, as the browser does: classic scripts, one namespace.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const FOLDER = new URL("../../javascript/", import.meta.url);
const PURE = [
    "advice.js",
    "api.js",
    "blocks.js",
    "checker.js",
    "edits.js",
    "file_facts.js",
    "focus.js",
    "folder_tree.js",
    "grid_keys.js",
    "history.js",
    "interference_page.js",
    "keys.js",
    "language.js",
    "live.js",
    "mask_pixels.js",
    "numbers.js",
    "pages.js",
    "passes.js",
    "prompt_words.js",
    "query.js",
    "region.js",
    "schedule.js",
    "stack.js",
    "stack_diff.js",
    "strings.js",
    "strings_ja.js",
    "strings_library_en.js",
    "strings_library_ja.js",
    "strings_library_zh.js",
    "strings_problems_en.js",
    "strings_problems_ja.js",
    "strings_problems_zh.js",
    "strings_picker_en.js",
    "strings_picker_ja.js",
    "strings_picker_zh.js",
    "strings_rows_en.js",
    "strings_server_en.js",
    "strings_server_ja.js",
    "strings_server_zh.js",
    "strings_tools_en.js",
    "strings_zh.js",
    "told.js",
    "unet_picture.js",
    "virtual.js",
];

export function read(path) {
    return readFileSync(new URL(path, import.meta.url), "utf8");
}

for (const name of PURE) {
    vm.runInThisContext(readFileSync(new URL(name, FOLDER), "utf8"), { filename: name });
}

export const LoraStack = globalThis.LoraStack;
