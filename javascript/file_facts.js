// What the page says of a file in words: what it is, how large, why it is greyed. No page needed.
(function (LoraStack) {
    "use strict";

    /** What tells one file from another, also where two have the same label. */
    function fileId(file) {
        return String(file.id ?? file.label);
    }

    /** The families as people write them: `LoCon + DoRA`. */
    function familyText(file) {
        const families = String(file.family ?? "").split("+").filter(Boolean);
        return families.map((family) => LoraStack.textOr(`family.${family}`, family)).join(" + ");
    }

    /** `LoRA rank 8`, or "" where neither is known. */
    function kindText(file) {
        return [familyText(file), file.rank ? LoraStack.text("row.rank", { rank: file.rank }) : ""].filter(Boolean).join(" ");
    }

    /** Why a file is greyed: what is wrong with it, or that the checkpoint is of another kind; "" where nothing is. */
    function greyReason(file) {
        if (file.problem) return LoraStack.told(file.problem);
        return file.fits === false ? (LoraStack.told(file.misfit) || LoraStack.text("browse.misfit", { made_for: file.architecture_label || "?" })) : "";
    }

    /** Bytes for people: `144 MB`. */
    function sizeText(bytes) {
        if (!Number.isFinite(bytes)) return "";
        const units = ["B", "KB", "MB", "GB"];
        let unit = 0;
        let number = bytes;
        while (number >= 1000 && unit < units.length - 1) {
            number /= 1000;
            unit += 1;
        }
        return `${number < 10 && unit > 0 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
    }

    /** The day of a time in seconds, as the reader's language writes it; "" where there is none. */
    function dayText(seconds) {
        if (!Number.isFinite(seconds) || seconds <= 0) return "";
        return new Date(seconds * 1000).toLocaleDateString(LoraStack.language(), { year: "numeric", month: "short", day: "numeric" });
    }

    /** The name of a file's kind, or "". */
    function roleText(file, roles) {
        const role = LoraStack.findRole(roles, file.role);
        return role ? LoraStack.textOr(`role.${role.name}`, role.label) : "";
    }

    Object.assign(LoraStack, { fileId, familyText, kindText, greyReason, sizeText, dayText, roleText });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
