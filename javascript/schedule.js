// The curve of a row over the steps, for drawing it. No page needed; lib_lora/stack/schedule.py is what counts.
(function (LoraStack) {
    "use strict";

    const STEPS = 40; // columns of the plot where the page has no number of steps
    const SECOND_STEP = 2; // the first place that can only be a step
    const LATE = "late:"; // fractions that begin at the second step, as loractl's tags have them
    const FLAT = Object.freeze([Object.freeze([0, 1]), Object.freeze([1, 1])]); // what an empty curve means

    /** Ready-made schedules of the list: what the three fields become. */
    const SCHEDULES = Object.freeze([
        { name: "always", schedule: "", start: "", stop: "" },
        { name: "first_half", schedule: "", start: "", stop: "0.5" },
        { name: "second_half", schedule: "", start: "0.5", stop: "" },
        { name: "rise", schedule: "0@0,1@1", start: "", stop: "" },
        { name: "fall", schedule: "1@0,0@1", start: "", stop: "" },
    ]);

    /** The name of the ready-made schedule that a row has, or "own". */
    function scheduleName(fields) {
        const found = SCHEDULES.find((known) => ["schedule", "start", "stop"].every((name) => known[name] === (fields[name] ?? "")));
        return found?.name ?? "own";
    }

    /** Factors over `steps` steps, or null where the text cannot be drawn (a mistake, or a noise level). */
    function curve(fields, steps = STEPS) {
        const points = readPoints(fields.schedule ?? "");
        const start = readEdge(fields.start ?? "", steps);
        const stop = readEdge(fields.stop ?? "", steps);
        if (points === null || start === null || stop === null) return null;
        const byStep = countsSteps(points);
        const late = isLate(fields.schedule ?? "") ? 1 : 0;
        return Array.from({ length: steps }, (_, step) => {
            if (start.given && step < start.first) return 0;
            if (stop.given && step >= stop.end) return 0;
            return points.length ? between(points, byStep ? step + 1 : Math.max(step - late, 0) / Math.max(steps - 1 - late, 1)) : 1;
        });
    }

    /** Points of a curve as [place, factor], or null where the text cannot be read. Places beyond 1 are steps from 1. */
    function readPoints(text) {
        const curve = isLate(text) ? text.trim().slice(LATE.length) : text.trim();
        const parts = curve.replaceAll(";", ",").split(",").map((part) => part.trim()).filter(Boolean);
        const points = parts.map((part) => {
            const [value, place] = part.replaceAll("~", "@").split("@");
            return [place === undefined ? 1 : number(place), number(value)];
        });
        return points.flat().every(Number.isFinite) ? points : null;
    }

    /** Whether the parts of a curve begin at the second step. */
    function isLate(text) {
        return text.trim().startsWith(LATE);
    }

    /** Whether the places of a curve are steps, and not parts of the whole. */
    function countsSteps(points) {
        return points.length > 0 && points[points.length - 1][0] > 1;
    }

    /** Where a place lies on a plot over `steps` steps, from 0 to 1, and back. */
    function plotPlace(place, byStep, steps) {
        return byStep ? (place - 1) / Math.max(steps - 1, 1) : place;
    }

    function placeAt(part, byStep, steps) {
        const inside = Math.max(0, Math.min(1, part));
        return byStep ? 1 + Math.round(inside * Math.max(steps - 1, 1)) : Math.round(inside * 100) / 100;
    }

    /** The text of a curve; a flat one at 1 needs none. */
    function writePoints(points, late = false) {
        if (points.every(([, factor]) => factor === 1)) return "";
        return (late ? LATE : "") + points.map(([place, factor]) => `${LoraStack.round(factor)}@${LoraStack.round(place)}`).join(",");
    }

    /** A point put elsewhere; it never passes its neighbours, and the last one says that places are steps. */
    function movePoint(points, index, [place, factor]) {
        const least = countsSteps(points) && index === points.length - 1 ? SECOND_STEP : -Infinity;
        const low = Math.max(least, points[index - 1]?.[0] ?? least);
        const high = points[index + 1]?.[0] ?? Infinity;
        return points.map((point, at) => (at === index ? [Math.max(low, Math.min(high, place)), factor] : point));
    }

    /** The points without one; all of them where the rest would be no curve, or its steps would become parts of the whole. */
    function removePoint(points, index) {
        const rest = points.filter((_, at) => at !== index);
        return rest.length < 2 || countsSteps(rest) !== countsSteps(points) ? points : rest;
    }

    /** One more point; { points, index } with its index. */
    function addPoint(points, point) {
        const found = points.findIndex(([place]) => place > point[0]);
        const index = found < 0 ? points.length : found;
        return { points: [...points.slice(0, index), point, ...points.slice(index)], index };
    }

    /** First step that is meant by a start, and first step after a stop, counted from 0. */
    function readEdge(text, steps) {
        const trimmed = text.trim();
        if (!trimmed) return { given: false };
        if (/^\d+$/.test(trimmed) && Number(trimmed) >= 1) return { given: true, first: Number(trimmed) - 1, end: Number(trimmed) };
        const fraction = trimmed.endsWith("%") ? number(trimmed.slice(0, -1)) / 100 : number(trimmed);
        if (!(fraction >= 0 && fraction <= 1)) return null;
        const place = Math.ceil(fraction * steps - 1e-9);
        return { given: true, first: place, end: place };
    }

    /** The ends of a window that are noise levels, each as nothing: only the finished picture knows its steps. Null where none is. */
    function endsByNoise(fields) {
        const ends = ["start", "stop"].filter((name) => /^\s*sigma/i.test(fields[name] ?? ""));
        return ends.length ? Object.fromEntries(ends.map((name) => [name, ""])) : null;
    }

    function number(text) {
        return text.trim() ? Number(text) : NaN;
    }

    function between(points, position) {
        let before = null;
        for (const [place, value] of points) {
            if (place >= position) {
                if (before === null || place === before[0]) return value;
                return before[1] + ((position - before[0]) / (place - before[0])) * (value - before[1]);
            }
            before = [place, value];
        }
        return points[points.length - 1][1];
    }

    Object.assign(LoraStack, { SCHEDULES, FLAT, scheduleName, curve, endsByNoise, readPoints, isLate, writePoints, countsSteps, plotPlace, placeAt, movePoint, removePoint, addPoint });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
