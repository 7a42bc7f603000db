/** Small plots. */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 32;

/**
 * @param values oldest first; undefined leaves a gap
 * @param room how many there can be: the newest is at the right edge
 * @param label what the picture says, for those who do not see it
 */
export function plot(values, room, label) {
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', class: 'plot' });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  const most = Math.max(...values.filter((value) => value !== undefined), 0);
  const x = (at) => WIDTH - ((values.length - 1 - at) * WIDTH) / (room - 1);
  const y = (value) => HEIGHT - 1 - (most === 0 ? 0 : (value / most) * (HEIGHT - 3));
  svg.append(shape('path', { class: 'ground', d: `M0 ${HEIGHT - 1}H${WIDTH}` }));
  for (const run of runs(values)) {
    const points = run.map((at) => `${x(at).toFixed(1)} ${y(values[at]).toFixed(1)}`);
    // a line needs two ends
    const line = points.length > 1 ? `M${points.join('L')}` : `M${points[0]}h-2`;
    svg.append(shape('path', { class: 'curve', d: line }));
  }
  return svg;
}

/** Where there are values without a gap between them. */
function runs(values) {
  const found = [];
  values.forEach((value, at) => {
    if (value === undefined) return;
    if (values[at - 1] === undefined) found.push([]);
    found.at(-1).push(at);
  });
  return found;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
