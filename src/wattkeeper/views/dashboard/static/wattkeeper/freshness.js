// Shows how long ago each <time data-age> was, and keeps that true. Old values turn grey by class.
const UNITS = [[60, "s"], [60, "min"], [24, "h"], [Infinity, "d"]];
const STALE_SECONDS = 15 * 60;

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
    time.classList.toggle("stale", seconds > STALE_SECONDS);
  }
}

refresh();
setInterval(refresh, 5000);
