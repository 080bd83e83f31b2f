// What the tools of the panel say, in simplified Chinese. Whoever adds a key adds it to the tables of all languages.
(function (LoraStack) {
    "use strict";

    const tables = (LoraStack.tables ??= {});
    tables.zh = { ...tables.zh,
        "tool.all": "列表工具",
        "tool.undo": "撤销（Ctrl+Z）",
        "tool.redo": "重做（Ctrl+Shift+Z）",
        "tool.presets": "预设：命名的列表",
        "tool.import": "把提示词中的 LoRA 标签变成行",
        "tool.export": "把各行变成提示词中的标签",

        "paste.append": "添加到下方",
        "paste.open": "打开文件",

        "say.solo_on": "现在只使用 {name}。",
        "say.solo_off": "其他行已恢复。",
        "say.removed_words": "已移除 {name} 及其在提示词中的触发词。",
        "say.imported": "已把提示词中的标签变成 {count} 行。",
        "say.no_tags": "提示词中没有 LoRA 标签。",
        "say.exported": "已把 {count} 行放进提示词。",
        "say.preset_saved": "已保存为“{name}”。",
        "say.preset_used": "已载入“{name}”。",
        "say.preset_added": "已把“{name}”添加到下方。",
        "say.preset_deleted": "已删除“{name}”。",

        "presets.name": "预设名称",
        "presets.save": "保存列表",
        "presets.replace": "替换",
        "presets.list": "预设",
        "presets.none": "还没有预设。在上方输入名称并保存当前列表。",
        "presets.broken": "无法读取",
        "presets.use": "用“{name}”替换当前列表",
        "presets.append": "把“{name}”的行添加到下方",
        "presets.compare": "将“{name}”与当前列表比较",
        "presets.rename": "重命名“{name}”",
        "presets.rename_now": "重命名",
        "presets.new_name": "“{name}”的新名称",
        "presets.share": "把“{name}”存为文件以便分享",
        "presets.delete": "删除“{name}”",
        "presets.added": "将添加 {name}",
        "presets.removed": "将移除 {name}",
        "presets.changed": "将更改 {name}",
        "presets.masks": "图片不同的蒙版：{names}。",
        "presets.same": "与当前列表没有区别。",
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
