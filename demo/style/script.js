// What every script of an extension may rely on: finding the page, hearing of its changes, writing into its fields.
"use strict";

function gradioApp() {
  const app = document.getElementsByTagName("gradio-app")[0];
  const root = app || document;
  // Older gradio draws into a shadow root, where there is no getElementById.
  if (app && !app.getElementById) {
    app.getElementById = (id) => document.getElementById(id);
  }
  return root.shadowRoot ? root.shadowRoot : root;
}

const uiUpdateCallbacks = [];
const uiAfterUpdateCallbacks = [];
const uiLoadedCallbacks = [];
const uiTabChangeCallbacks = [];
const optionsChangedCallbacks = [];
const optionsAvailableCallbacks = [];
let uiCurrentTab = null;
let uiAfterUpdateTimeout = null;
let uiIsLoaded = false;
let optionsAreAvailable = false;

function onUiUpdate(callback) { uiUpdateCallbacks.push(callback); }
function onAfterUiUpdate(callback) { uiAfterUpdateCallbacks.push(callback); }
function onUiTabChange(callback) { uiTabChangeCallbacks.push(callback); }
function onOptionsChanged(callback) { optionsChangedCallbacks.push(callback); }

function onUiLoaded(callback) {
  uiLoadedCallbacks.push(callback);
}

function onOptionsAvailable(callback) {
  if (optionsAreAvailable) {
    callback();
    return;
  }
  optionsAvailableCallbacks.push(callback);
}

function executeCallbacks(queue, argument) {
  for (const callback of queue) {
    try {
      callback(argument);
    } catch (error) {
      console.error("error running callback", callback, ":", error);
    }
  }
}

function scheduleAfterUiUpdateCallbacks() {
  clearTimeout(uiAfterUpdateTimeout);
  uiAfterUpdateTimeout = setTimeout(() => executeCallbacks(uiAfterUpdateCallbacks), 200);
}

function get_uiCurrentTab() {
  return gradioApp().querySelector("#tabs > .tab-nav > button.selected");
}

function get_uiCurrentTabContent() {
  return gradioApp().querySelector('#tabs > .tabitem[id^=tab_]:not([style*="display: none"])');
}

// Gradio hears of a new value by the input event.
function updateInput(target) {
  const event = new Event("input", { bubbles: true });
  Object.defineProperty(event, "target", { value: target });
  target.dispatchEvent(event);
}

function set_theme(theme) {
  const address = new URL(window.location.href);
  if (!address.searchParams.has("__theme")) {
    address.searchParams.set("__theme", theme);
    window.location.replace(address.href);
  }
}

function uiElementIsVisible(element) {
  return element !== null && element.offsetParent !== null;
}

function switchToTab(name) {
  const label = name === "inpaint" ? "img2img" : name;
  const tabs = [...gradioApp().querySelectorAll("#tabs > .tabitem")];
  const index = tabs.findIndex((tab) => tab.id === `tab_${label}`);
  gradioApp().querySelectorAll("#tabs > .tab-nav > button")[index]?.click();
  if (label === "img2img") {
    const inner = gradioApp().querySelectorAll("#mode_img2img > .tab-nav > button");
    inner[name === "inpaint" ? 1 : 0]?.click();
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const observer = new MutationObserver((mutations) => {
    if (!uiIsLoaded && gradioApp().querySelector("#txt2img_prompt textarea")) {
      uiIsLoaded = true;
      optionsAreAvailable = true;
      executeCallbacks(optionsAvailableCallbacks);
      executeCallbacks(uiLoadedCallbacks);
    }
    executeCallbacks(uiUpdateCallbacks, mutations);
    scheduleAfterUiUpdateCallbacks();
    const tab = get_uiCurrentTab();
    if (tab && tab !== uiCurrentTab) {
      uiCurrentTab = tab;
      executeCallbacks(uiTabChangeCallbacks);
    }
  });
  observer.observe(gradioApp(), { childList: true, subtree: true });
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  const tab = get_uiCurrentTabContent();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.altKey)) {
    const button = tab?.querySelector("button[id$=_generate]");
    if (button && uiElementIsVisible(button)) {
      button.click();
      event.preventDefault();
    }
  } else if (event.key === "Escape") {
    const button = tab?.querySelector("button[id$=_interrupt]");
    if (button && uiElementIsVisible(button)) button.click();
  }
});
