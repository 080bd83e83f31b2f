// What can be measured of looks below `root`: what sticks out, is cut off, is too small to hit, or covers another control.
(root, smallest) => {
    const seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible" && !getComputedStyle(element).clipPath.startsWith("inset(50%"); // the last is said, not shown
    const nameOf = (element) => `${element.tagName.toLowerCase()}.${element.className} “${(element.getAttribute("aria-label") || element.textContent || "").trim().slice(0, 60)}”`;
    const wrong = [];
    const styles = new Map();
    const styleOf = (element) => styles.get(element) ?? styles.set(element, getComputedStyle(element)).get(element);

    /** The part of an element's box that is not scrolled or cut away, or null. */
    const shown = (element) => {
        const box = element.getBoundingClientRect();
        let { left, right, top, bottom } = box;
        for (let around = element.parentElement; around && around !== root.parentElement; around = around.parentElement) {
            if (styleOf(around).overflow === "visible") continue;
            const edge = around.getBoundingClientRect();
            [left, right, top, bottom] = [Math.max(left, edge.left), Math.min(right, edge.right), Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
        }
        return right - left > 1 && bottom - top > 1 ? { left, right, top, bottom } : null;
    };

    // What a finger aims at: a control, or the label around it where that is larger.
    const targetOf = (control) => {
        const own = control.getBoundingClientRect();
        const label = control.closest("label")?.getBoundingClientRect() ?? own;
        return { width: Math.max(own.width, label.width), height: Math.max(own.height, label.height) };
    };
    const inWords = (control) => control.matches("a, .ls-link"); // a link in a sentence is as high as the sentence's line

    const outer = root.getBoundingClientRect();
    const controls = [...root.querySelectorAll("button, input, select, textarea, summary, a[href]")].filter(seen);
    for (const control of controls) {
        const { width, height } = targetOf(control);
        if (!inWords(control) && (width < smallest - 0.5 || height < smallest - 0.5)) wrong.push(`${nameOf(control)} is small: ${width.toFixed(1)} × ${height.toFixed(1)}`);
        const box = shown(control);
        if (box && (box.left < outer.left - 1 || box.right > outer.right + 1)) wrong.push(`${nameOf(control)} sticks out`);
    }

    const places = controls.map((control) => ({ control, box: shown(control) })).filter(({ box }) => box !== null);
    places.forEach(({ control, box }, index) => {
        for (const other of places.slice(index + 1)) {
            const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
            const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
            if (across > 1 && down > 1 && !control.contains(other.control)) wrong.push(`${nameOf(control)} covers ${nameOf(other.control)}`);
        }
    });

    const scrolls = (element) => {
        for (let around = element; around && around !== root.parentElement; around = around.parentElement) {
            if (["auto", "scroll"].includes(styleOf(around).overflowX)) return true;
        }
        return false;
    };
    const ownText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    for (const element of root.querySelectorAll("*")) {
        if (element instanceof SVGElement || element.matches("option, textarea") || !ownText(element) || !seen(element)) continue;
        const style = styleOf(element);
        if (style.display === "inline" || element.matches(".ls-offscreen")) continue;
        const shortened = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
        if (!shortened && element.scrollWidth > element.clientWidth + 1 && !scrolls(element)) wrong.push(`${nameOf(element)} is cut off: ${element.scrollWidth} in ${element.clientWidth}`);
        if (!shortened && style.overflowY === "hidden" && element.scrollHeight > element.clientHeight + 2) wrong.push(`${nameOf(element)} is cut off below: ${element.scrollHeight} in ${element.clientHeight}`);
        const box = element.getBoundingClientRect();
        if ((box.right > outer.right + 1 || box.left < outer.left - 1) && shown(element) !== null && !scrolls(element)) wrong.push(`${nameOf(element)} reaches beyond the edge`);
        const size = parseFloat(style.fontSize);
        if (size > 0 && size < 11) wrong.push(`${nameOf(element)} is written tiny: ${style.fontSize}`);
    }
    for (const element of [root, ...root.querySelectorAll("*")]) {
        const style = styleOf(element);
        if (style.overflowX === "auto" && style.overflowY === "auto" && element.scrollWidth > element.clientWidth + 1 && !element.matches(".ls-mix-scroll, .ls-chosen")) wrong.push(`${nameOf(element)} scrolls sideways`);
    }
    if (document.documentElement.scrollWidth > window.innerWidth + 1) wrong.push("the page scrolls sideways");
    return [...new Set(wrong)];
};
