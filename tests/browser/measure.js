// What can be measured of looks: a list of what sticks out, is too small to hit, or covers another control.
(root) => {
    const outer = root.getBoundingClientRect();
    const nameOf = (control) => control.getAttribute("aria-label") || control.textContent || control.className;
    const controls = [...root.querySelectorAll("button, input, select, textarea, summary")]
        .filter((control) => control.offsetParent !== null)
        .map((control) => ({ name: nameOf(control), box: control.getBoundingClientRect() }));
    const wrong = [];
    for (const { name, box } of controls) {
        if (box.left < outer.left - 1 || box.right > outer.right + 1) wrong.push(`${name} sticks out`);
        if (box.width < 20 || box.height < 15) wrong.push(`${name} is small: ${box.width} x ${box.height}`);
    }
    controls.forEach(({ name, box }, index) => {
        for (const other of controls.slice(index + 1)) {
            const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
            const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
            if (across > 1 && down > 1) wrong.push(`${name} covers ${other.name}`);
        }
    });
    if (document.documentElement.scrollWidth > window.innerWidth + 1) wrong.push("the page scrolls sideways");
    return wrong;
};
