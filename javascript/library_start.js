// Finds the Library's place on the page, and leads from tab to tab.
(function (LoraStack) {
    "use strict";

    const TAB = "lora_stack_library";
    let library = null;

    /** Give the Library's place its content; safe to call as often as one likes. */
    LoraStack.mountLibrary = function () {
        const place = LoraStack.app().querySelector(".lora-stack-library-mount");
        if (place && library === null) library = new LoraStack.LibraryTab(place);
    };

    /** Show a tab of the host by its id without `tab_`. */
    LoraStack.showTab = function (name) {
        const tabs = [...LoraStack.app().querySelectorAll("#tabs > .tabitem")];
        const index = tabs.findIndex((tab) => tab.id === `tab_${name}`);
        LoraStack.app().querySelectorAll("#tabs > .tab-nav > button")[index]?.click();
    };

    /** Open the page of a file in the Library. */
    LoraStack.openLibrary = function (file) {
        if (library === null) return;
        LoraStack.showTab(TAB);
        library.openPage(file);
    };
})((globalThis.LoraStack = globalThis.LoraStack || {}));
