// What the server says, in the reader's language as far as its sentences are known.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { LoraStack, read } from "./load.mjs";

afterEach(() => LoraStack.chooseLanguage("en"));

const MISSING = "There is no LoRA called 'gh$1 (x)' in your folders. Nearest: 'ghost', 'ghibli v1.5'.";

test("English stays as it is", () => assert.equal(LoraStack.told(MISSING), MISSING));

test("known sentences are said in the reader's language, with what they are about", () => {
    LoraStack.chooseLanguage("zh");
    assert.equal(LoraStack.told(MISSING), "你的文件夹里没有名为“gh$1 (x)”的 LoRA。最接近的是：'ghost', 'ghibli v1.5'。");
    LoraStack.chooseLanguage("ja");
    assert.equal(LoraStack.told("Region: there is no mask called 'left'."), "範囲：'left' というマスクはありません。");
    assert.equal(LoraStack.told("row 2 (a/b): No checkpoint is loaded."), "2 行目（a/b）：モデルが読み込まれていません。");
});

test("a sentence that is not known stays, and swallows none beside it", () => {
    LoraStack.chooseLanguage("zh");
    assert.equal(LoraStack.told("Something new happened. Download it again."), "Something new happened. 请重新下载。");
    assert.equal(LoraStack.told("Odd. x.safetensors holds no tensors: there is nothing to apply."), "Odd. x.safetensors 不含任何张量，没有可应用的内容。");
    for (const text of ["", "no end", "a: b", "...", "<b>bold</b>. ", "{name}"]) assert.equal(LoraStack.told(text), text.trim());
    assert.equal(LoraStack.told(null), "");
});

test("the line below the rows is said part by part", () => {
    LoraStack.chooseLanguage("ja");
    assert.equal(LoraStack.told("2 of 2 applied · 408/408 weights · merged in 12 ms · fits in memory · something else"), "2 件中 2 件を適用 · 重み 408/408 · 合成 12 ms · メモリに収まっています · something else");
});

test("a long message takes no long time", () => {
    LoraStack.chooseLanguage("zh");
    const start = process.cpuUsage().user;
    LoraStack.told("'a' ".repeat(5000));
    assert.ok(process.cpuUsage().user - start < 3e6);
});

test("what is said of rows that people spoil is said in every language, to its last word", () => {
    const said = JSON.parse(read("../fixtures/told_rows.json"));
    const english = (words) => /[a-z]{3,} [a-z]{2,} [a-z]{2,}/i.test(words.replace(/「.*?」|“.*?”|"[^"]*"/g, ""));
    assert.ok(said.length > 40 && said.every(english));
    for (const language of ["zh", "ja"]) {
        LoraStack.chooseLanguage(language);
        assert.deepEqual(said.map(LoraStack.told).filter(english), [], language);
    }
    LoraStack.chooseLanguage("ja");
    assert.equal(LoraStack.told('Te_schedule: "abc" is not a number. Write it such as 0@0,1@0.5.'), 'テキストエンコーダーのカーブ："abc" は数ではありません。0@0,1@0.5 のように書いてください。');
    LoraStack.chooseLanguage("en");
});
