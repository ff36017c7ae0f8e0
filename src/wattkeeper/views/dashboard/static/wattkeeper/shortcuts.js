// One key each: `data-shortcut="/"` focuses a field or presses a button or link. Not while one is typing.
import { turn } from "./theme.js";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key.startsWith("Arrow") && event.target.closest("[tabindex]:not(main), summary, .search")) return; // they scroll there
  if (event.key === "t") return turn();
  const target = [...document.querySelectorAll("[data-shortcut]")].find((one) => one.dataset.shortcut === event.key);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input")) target.select(), target.focus();
  else target.click();
});
