// Keys: space plays and pauses, arrows seek, n and p step through the queue, / goes to the search field.
import { active, leap, step, toggle } from "./player.js";

const STORE = "fonoteca.keys";
const FIELDS = "input, textarea, select, [contenteditable]";

let on = true;

// The switch that WCAG 2.1.4 asks for is in the foot of each page.
export function enhanceKeys() {
  try { on = localStorage.getItem(STORE) !== "off"; } catch { /* on, then */ }
  document.addEventListener("change", (event) => {
    if (event.target.dataset?.do !== "keys") return;
    on = event.target.checked;
    try { localStorage.setItem(STORE, on ? "on" : "off"); } catch { /* for this page only */ }
  });
  document.addEventListener("keydown", (event) => {
    if (!on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(FIELDS)) return;
    if (act(event)) event.preventDefault();
  });
}

export function enhanceSwitch() {
  const box = document.querySelector('[data-do="keys"]');
  box.checked = on;
  box.closest("label").hidden = false;
}

function act(event) {
  const pressable = event.target.closest?.("button, summary, audio");
  switch (event.key) {
    case "/": return focusSearch();
    case " ": return !pressable && toggle();
    case "ArrowLeft": return active() && !scrolls(event.target) && (leap(-1), true);
    case "ArrowRight": return active() && !scrolls(event.target) && (leap(1), true);
    case "n": return active() && (step(1), true);
    case "p": return active() && (step(-1), true);
    default: return false;
  }
}

// Tables wider than the window are scrolled by the same arrows when they have the focus.
function scrolls(target) {
  return Boolean(target.closest?.(".scroll"));
}

function focusSearch() {
  const field = document.getElementById("q");
  field?.focus();
  field?.select();
  return Boolean(field);
}
