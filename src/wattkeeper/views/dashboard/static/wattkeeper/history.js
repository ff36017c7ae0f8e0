// `data-back` steps back to where this page looked before; it is off while there is nothing to step back to.
function earlierOnThisPage() {
  const entries = window.navigation?.entries?.();
  if (!entries) return history.length > 1;
  const before = entries[window.navigation.currentEntry.index - 1];
  return Boolean(before) && new URL(before.url).pathname === location.pathname;
}

function refresh() {
  for (const button of document.querySelectorAll("[data-back]")) button.disabled = !earlierOnThisPage();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-back]")) history.back();
});
refresh();
document.addEventListener("htmx:load", refresh);
document.addEventListener("htmx:pushedIntoHistory", refresh);
