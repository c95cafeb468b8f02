// Buttons that copy the text of the element that they name. Without this script none shows, and the
// text is selected by hand.
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
