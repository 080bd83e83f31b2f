// Which weights are usual for a kind of LoRA, and where they lie on the slider. No page needed.
(function (LoraStack) {
    "use strict";

    const SLIDER = Object.freeze({ low: -1, high: 2, step: 0.05 });

    /** The role of that name, or null for none or one this version does not know. */
    function findRole(roles, name) {
        return roles.find((role) => role.name === name) ?? null;
    }

    /** What a role is called and what to know of it, in the user's language; "" for no role. */
    function roleLabel(role) {
        return role ? LoraStack.textOr(`role.${role.name}`, role.label) : "";
    }

    function roleHint(role) {
        return role ? LoraStack.textOr(`role.${role.name}_hint`, role.hint) : "";
    }

    /** "usual", "above" or "below" for a weight of that role; without a role nothing is unusual. */
    function judge(role, weight) {
        if (!role) return "usual";
        const hair = 1e-9;
        if (weight > role.high + hair) return "above";
        return weight < role.low - hair ? "below" : "usual";
    }

    /** The top of the slider: a role may widen it, never narrow it, so that rows can be compared at a glance. */
    function sliderHigh(role) {
        return Math.max(SLIDER.high, role?.slider_max ?? SLIDER.high);
    }

    /** Where a weight lies on the slider, from 0 (left end) to 1 (right end). */
    function place(weight, low, high) {
        return Math.max(0, Math.min(1, (weight - low) / (high - low)));
    }

    Object.assign(LoraStack, { SLIDER, findRole, roleLabel, roleHint, judge, sliderHigh, place });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
