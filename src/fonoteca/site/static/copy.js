// Copy buttons: the words, or their selection where there is no clipboard.

export async function copyText(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard over plain HTTP, or no leave to use it: select the words instead.
  }
  if (!source) return false;
  if (source.select) {
    source.select();
  } else {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }
  return document.execCommand("copy");
}

export function flash(button, words) {
  button.dataset.label ??= button.textContent;
  button.textContent = words;
  setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
}

export function enhanceCopy(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) continue;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const done = await copyText((source.value ?? source.textContent).trim(), source);
      flash(button, done ? "Copied" : "Press Ctrl+C");
    });
  }
}
