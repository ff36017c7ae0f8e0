// What people do on a chart: drag over it to look closer, with a mouse or a finger.
// What was dragged over becomes the window, by way of the address: the page's links do the same.
export function zoomed(u, charts) {
  if (u.select.width < 4 || charts.dataset.zooming) return; // the other charts, in step, hear of it too
  charts.dataset.zooming = "yes";
  const [since, until] = [u.select.left, u.select.left + u.select.width].map((left) => u.posToVal(left, "x"));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const query = new URLSearchParams(location.search);
  for (const name of ["window", "page"]) query.delete(name);
  query.set("since", new Date(since * 1000).toISOString());
  query.set("until", new Date(Math.max(until, since + 1) * 1000).toISOString());
  const link = document.createElement("a");
  link.href = `${location.pathname}?${query}`;
  charts.append(link); // where it inherits how its page is swapped in, and goes with what it replaces
  htmx.process(link);
  link.click();
}

// uPlot hears a mouse alone. A finger that moves sideways is one to it; up and down it scrolls the page (see the sheet).
export function touched(u, charts) {
  const mouse = (type, target) => (event) => {
    if (event.pointerType === "mouse") return;
    if (event.type === "pointercancel") charts.dataset.zooming = "yes"; // it became a scroll: what was begun means nothing
    const { clientX, clientY } = event;
    const moved = { movementX: event.movementX || 1 }; // without which uPlot takes it for a stray one
    target.dispatchEvent(new MouseEvent(type, { clientX, clientY, ...moved, button: 0, buttons: 1, bubbles: true }));
    if (event.type === "pointercancel") delete charts.dataset.zooming;
  };
  u.over.addEventListener("pointerdown", mouse("mousedown", u.over));
  u.over.addEventListener("pointermove", mouse("mousemove", u.over));
  u.over.addEventListener("pointerup", mouse("mouseup", document));
  u.over.addEventListener("pointercancel", mouse("mouseup", document));
}
