// One key each: `data-shortcut="/"` focuses a field or presses a button or link, and a module says in `keys` what else
// one does (it gives false where it has nothing to do). Not while one is typing.
import { turn } from "./theme.js";

export const keys = new Map([["t", turn]]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  // They scroll there; but from one thing to the next where `data-arrows` stands.
  if (event.key.startsWith("Arrow") && event.target.closest("[tabindex]:not(main, [data-arrows]), summary, .search")) return;
  const act = keys.get(event.key);
  if (act) return act() === false ? undefined : event.preventDefault();
  const target = [...document.querySelectorAll("[data-shortcut]")].find((one) => one.dataset.shortcut === event.key);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input")) target.select(), target.focus();
  else target.click();
});
