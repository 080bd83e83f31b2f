// What the tools of the panel say, in Japanese. Whoever adds a key adds it to the tables of all languages.
(function (LoraStack) {
    "use strict";

    const tables = (LoraStack.tables ??= {});
    tables.ja = { ...tables.ja,
        "tool.all": "スタックのツール",
        "tool.undo": "元に戻す（Ctrl+Z）",
        "tool.redo": "やり直す（Ctrl+Shift+Z）",
        "tool.presets": "プリセット：名前付きのスタック",
        "tool.import": "プロンプトの LoRA タグを行にする",
        "tool.export": "行をタグとしてプロンプトに入れる",

        "paste.append": "下に追加",
        "paste.open": "ファイルを開く",

        "say.solo_on": "{name} だけを使います。",
        "say.solo_off": "ほかの行を戻しました。",
        "say.removed_words": "{name} と、そのトリガーワードをプロンプトから削除しました。",
        "say.imported": "プロンプトのタグを {count} 行にしました。",
        "say.no_tags": "プロンプトに LoRA タグがありません。",
        "say.exported": "{count} 行をプロンプトに入れました。",
        "say.preset_saved": "「{name}」として保存しました。",
        "say.preset_used": "「{name}」を読み込みました。",
        "say.preset_added": "「{name}」を下に追加しました。",
        "say.preset_deleted": "「{name}」を削除しました。",

        "presets.name": "プリセットの名前",
        "presets.save": "スタックを保存",
        "presets.replace": "置き換える",
        "presets.list": "プリセット",
        "presets.none": "プリセットはまだありません。上に名前を入れて今のスタックを保存してください。",
        "presets.broken": "読めません",
        "presets.use": "今のスタックを「{name}」に置き換える",
        "presets.append": "「{name}」の行を下に追加",
        "presets.compare": "「{name}」を今のスタックと比べる",
        "presets.rename": "「{name}」の名前を変える",
        "presets.rename_now": "変える",
        "presets.new_name": "「{name}」の新しい名前",
        "presets.share": "「{name}」を共有用ファイルに保存",
        "presets.delete": "「{name}」を削除",
        "presets.added": "{name} が追加されます",
        "presets.removed": "{name} が削除されます",
        "presets.changed": "{name} が変わります",
        "presets.masks": "絵の異なるマスク：{names}。",
        "presets.same": "今のスタックと同じです。",
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
