// The sheet's colours, for what is drawn on a canvas.
export function resolved(colour) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${colour})`;
  document.body.append(probe);
  const rgb = getComputedStyle(probe).color;
  probe.remove();
  return rgb;
}

export const faded = (rgb, alpha) => rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${alpha})`);
