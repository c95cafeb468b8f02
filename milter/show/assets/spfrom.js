// Buttons that copy the text of the element that they name, and a sign of life while DNS is slow.
// Without this script no button shows, the text is selected by hand, and the browser alone shows
// that it waits.
"use strict";

// Without TLS a browser keeps its clipboard to itself, but for what is selected.
function copySelection(text, button) {
  const field = document.createElement("textarea");

  field.value = text;
  field.readOnly = true;
  field.className = "out-of-sight";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  button.focus();
  if (!isDone) throw new Error("not copied");
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;

  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelection(text, button);
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const status = document.getElementById(button.dataset.copy + "-status");

  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await copy(button);
      status.textContent = button.dataset.done;
    } catch {
      status.textContent = button.dataset.failed;
    }
  });
}

// Pages of domains wait for DNS. What says so goes when the reader comes back to this page.
const asking = document.getElementById("asking");
const PATIENCE = 400; // milliseconds
let timer;

function wait() {
  timer = setTimeout(() => {
    asking.textContent = asking.dataset.asking;
  }, PATIENCE);
}

document.forms[0]?.addEventListener("submit", wait);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/domain/'], a[href^='/letter/']");

  if (link !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey) wait();
});
window.addEventListener("pageshow", () => {
  clearTimeout(timer);
  asking.textContent = "";
});
