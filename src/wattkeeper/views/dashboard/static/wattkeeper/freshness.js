// Keeps true how long ago each <time data-age> was; the server has written it first, in the same words. What is older than `data-stale` seconds is grey.
const UNITS = [[60, "s"], [60, "min"], [24, "h"], [Infinity, "d"]];

function age(seconds) {
  let value = Math.max(0, Math.round(seconds));
  for (const [size, name] of UNITS) {
    if (value < size) return `${value} ${name} ago`;
    value = Math.floor(value / size);
  }
  return "";
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    time.textContent = age(seconds);
    if (time.dataset.stale) time.classList.toggle("stale", seconds > Number(time.dataset.stale));
  }
}

refresh();
setInterval(refresh, 5000);
document.addEventListener("htmx:load", refresh);
