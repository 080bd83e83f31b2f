import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const STACK = '{"version":1,"entries":[{"network":"a, b: \\"c\\"","weight":0.8}]}';
const QUOTED = JSON.stringify(STACK);

const PASTED = {
    "the stack text": STACK,
    "the stack text among spaces": `\n  ${STACK}\n`,
    "a list of rows": '[{"network":"a, b: \\"c\\"","weight":0.8}]',
    "the quoted value alone": QUOTED,
    "parameters of a picture": `a girl, hat\nNegative prompt: blurry\nSteps: 20, Seed: 1, LoRA Stack: ${QUOTED}, Version: 1.10`,
    "parameters at the end of the text": `Steps: 20, LoRA Stack: ${QUOTED}`,
    "the key alone": `LoRA Stack: ${QUOTED}`,
    "an unquoted value among others": `Steps: 20, LoRA Stack: ${STACK}, Version: 1.10`,
};
for (const [name, text] of Object.entries(PASTED)) {
    test(`a stack is found in ${name}`, () => assert.equal(LoraStack.writeStack(LoraStack.findStack(text)), STACK));
}

for (const [name, text] of Object.entries({ "a prompt": "a girl, LoRA, stack", nothing: "", "half a value": 'LoRA Stack: "{\\"version', "half a stack": '{"version":1,' })) {
    test(`no stack is found in ${name}`, () => assert.throws(() => LoraStack.findStack(text), LoraStack.StackTextError));
}
