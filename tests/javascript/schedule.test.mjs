// The drawn curve is the one that acts: cases of tests/stack/test_schedule.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoraStack } from "./load.mjs";

const CASES = [
    [{}, [1, 1, 1, 1, 1]],
    [{ schedule: "0@0,1@1" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "1@0,0@0.5" }, [1, 0.5, 0, 0, 0]],
    [{ schedule: "0@1,1@5" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "0~0;1~1" }, [0, 0.25, 0.5, 0.75, 1]],
    [{ schedule: "0.5" }, [0.5, 0.5, 0.5, 0.5, 0.5]],
    [{ start: "0.4" }, [0, 0, 1, 1, 1]],
    [{ stop: "40%" }, [1, 1, 0, 0, 0]],
    [{ start: "2", stop: "3" }, [0, 1, 1, 0, 0]],
    [{ schedule: "0@0,1@1", start: "0.5" }, [0, 0, 0, 0.75, 1]],
    [{ start: "9" }, [0, 0, 0, 0, 0]],
];

for (const [fields, expected] of CASES) {
    test(`curve of ${JSON.stringify(fields)}`, () => assert.deepEqual(LoraStack.curve(fields, 5), expected));
}

test("what cannot be drawn is not drawn", () => {
    for (const fields of [{ schedule: "abc" }, { start: "sigma:7" }, { stop: "150%" }]) assert.equal(LoraStack.curve(fields), null);
});

test("a ready-made schedule is known again", () => {
    for (const known of LoraStack.SCHEDULES) assert.equal(LoraStack.scheduleName(known), known.name);
    assert.equal(LoraStack.scheduleName({ schedule: "0.5" }), "own");
    assert.equal(LoraStack.scheduleName({}), "always");
});
