// `data-copies="ID"` copies that element's text.
import { toast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
    toast("Copied.", "success");
  } catch {
    getSelection().selectAllChildren(source); // without HTTPS a page may not write to the clipboard
    toast("It is selected: copy it with Ctrl+C.");
  }
});
