// What a menu or the search has unfolded folds again by a click elsewhere, by Esc, or when another unfolds.
const open = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  for (const found of document.querySelectorAll("[data-found]")) {
    if (!found.parentElement.contains(event.target)) found.replaceChildren();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    for (const found of document.querySelectorAll("[data-found]")) found.replaceChildren();
  }
  const found = event.target.closest?.(".search")?.querySelectorAll("input, [data-found] a");
  if (found && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const places = [...found];
    const step = event.key === "ArrowDown" ? 1 : -1;
    places[Math.min(Math.max(places.indexOf(event.target) + step, 0), places.length - 1)]?.focus();
    event.preventDefault();
  }
});
