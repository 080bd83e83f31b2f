// The numbers of a mask: what a picture's brightness, inverse or colours mean. `data` is red, green, blue, alpha in turns.
(function (LoraStack) {
    "use strict";

    const DARK = 40; // a channel up to here is off, from 255 less as much it is on
    const PURE = 0.97; // part of the pixels that must be plain colours before a picture counts as three masks

    /** How much a pixel of a black and white picture acts, 0 to 255. */
    function brightness(red, green, blue, alpha) {
        return ((red * 0.299 + green * 0.587 + blue * 0.114) * alpha) / 255;
    }

    /** Give every pixel the density that `dense(red, green, blue, alpha)` says, as its alpha. */
    function setDensity(data, dense) {
        for (let at = 0; at < data.length; at += 4) data[at + 3] = Math.round(dense(data[at], data[at + 1], data[at + 2], data[at + 3]));
    }

    /**
     * Whether a picture is three masks in one, as Additional Networks had them: red, green and blue areas, each plain.
     * A photograph is not, and black and white is one mask.
     */
    function holdsThree(data) {
        const plain = (value) => value <= DARK || value >= 255 - DARK;
        let pure = 0;
        let coloured = 0;
        for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
            if (plain(red) && plain(green) && plain(blue)) pure += 1;
            if (Math.max(red, green, blue) - Math.min(red, green, blue) > 255 - 2 * DARK) coloured += 1;
        }
        return coloured > 0 && pure >= (data.length / 4) * PURE;
    }

    Object.assign(LoraStack, { brightness, setDensity, holdsThree });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
