import { num } from '../svg.js';
import { type ArtCanvas, type ThemeDesign, artTop, focus } from './theme-design.js';

/** Cut paper on warm stock: flat shapes with a soft shadow, set in a serif, quiet as a well-made book. */
export const paper: ThemeDesign = {
  palette: { heading: '#1D2330', body: '#2B3240', accent: '#9C3419', quiet: '#565B66', rule: '#B9AD98' },
  tone: '#F6F0E4',
  type: {
    title: { family: 'Source Serif 4', weight: 700, tracking: -0.018, lineHeight: 1.08 },
    heading: { family: 'Source Serif 4', weight: 600, tracking: -0.014, lineHeight: 1.12 },
    body: { family: 'Inter', weight: 400, tracking: -0.004, lineHeight: 1.36 },
    numeral: { family: 'Source Serif 4', weight: 600, tracking: 0.02, lineHeight: 1.2 },
  },
  bullets: 'numeral',
  artwork,
};

const inks = {
  clay: '#D9704F',
  honey: '#E9B44C',
  sage: '#9DB39A',
  sky: '#8FB8C4',
  rose: '#E7A79A',
  pine: '#3F6A63',
};

type Palette = readonly [string, string, string, string, string];

const palettes: readonly [Palette, ...Palette[]] = [
  [inks.honey, inks.clay, inks.sage, inks.pine, inks.rose],
  [inks.clay, inks.sky, inks.honey, inks.pine, inks.sage],
  [inks.rose, inks.honey, inks.sky, inks.clay, inks.pine],
  [inks.sage, inks.honey, inks.clay, inks.sky, inks.pine],
];

function artwork(canvas: ArtCanvas): string {
  const { width, height, unit, sceneNumber } = canvas;
  const colours = palettes[(sceneNumber * 3 + Math.floor(sceneNumber / 4)) % palettes.length] ?? palettes[0];
  const motifs = [sunAndHills, arches, tiles, discs] as const;
  const motif = motifs[(sceneNumber - 1) % motifs.length] ?? sunAndHills;
  const step = num(38 * unit);
  return [
    '<defs>',
    '<linearGradient id="stock" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#FAF5EB"/>',
    '<stop offset="1" stop-color="#F0E7D6"/></linearGradient>',
    `<pattern id="dots" width="${step}" height="${step}" patternUnits="userSpaceOnUse">`,
    `<circle cx="${num(19 * unit)}" cy="${num(19 * unit)}" r="${num(1.5 * unit)}" fill="#BFB198" fill-opacity="0.42"/></pattern>`,
    '</defs>',
    `<rect width="${num(width)}" height="${num(height)}" fill="url(#stock)"/>`,
    `<rect width="${num(width)}" height="${num(height)}" fill="url(#dots)"/>`,
    motif(canvas, colours),
  ].join('');
}

/** A shape with the shadow of paper that lies a little above the sheet: widening strokes instead of a blur. */
function cut(shape: string, fill: string, unit: number): string {
  const shadow = [10, 7, 4.5, 2.5].map(
    (spread) =>
      `<g transform="translate(${num(-2 * unit)} ${num(4 * unit)})" fill="#5A4630" fill-opacity="0.035" stroke="#5A4630" stroke-opacity="0.035" stroke-width="${num(spread * unit)}" stroke-linejoin="round">${shape}</g>`,
  );
  return `${shadow.join('')}<g fill="${fill}">${shape}</g>`;
}

function circle(x: number, y: number, radius: number): string {
  return `<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}"/>`;
}

function sunAndHills(canvas: ArtCanvas, [first, second, third, fourth]: Palette): string {
  const { width, height, unit, shape, random } = canvas;
  const { x, y, radius } = focus(canvas);
  const sun = cut(circle(x - radius * 0.1, y - radius * 0.25, radius * 0.62), first, unit);
  const ground = shape === 'landscape' ? height * 0.62 : y + radius * 0.05;
  const left = shape === 'landscape' ? width * 0.6 : width * 0.3;
  const hill = (lift: number, start: number, colour: string) => {
    const top = ground + lift * radius * random.between(0.95, 1.05);
    const begin = left + start * radius;
    const path = `M ${num(begin)} ${num(height + 20)} C ${num(begin + radius * 0.7)} ${num(height * 0.99)} ${num(begin + radius * 0.8)} ${num(top)} ${num(width - radius * 0.35)} ${num(top)} S ${num(width + radius * 0.4)} ${num(top + radius * 0.18)} ${num(width + 40 * unit)} ${num(top + radius * 0.3)} V ${num(height + 20)} Z`;
    return cut(`<path d="${path}"/>`, colour, unit);
  };
  return sun + hill(0, 0.35, third) + hill(0.45, 0, second) + hill(0.95, 0.5, fourth);
}

function arches(canvas: ArtCanvas, colours: Palette): string {
  const { height, unit, random } = canvas;
  const { x, radius } = focus(canvas);
  const centre = x + radius * random.between(0, 0.12);
  const foot = height + 20;
  const spring =
    canvas.shape === 'landscape' ? height * 0.56 : Math.max(height * 0.84, artTop(canvas) + radius * 1.1);
  const arch = (scale: number, colour: string) => {
    const r = radius * scale;
    const path = `M ${num(centre - r)} ${num(foot)} V ${num(spring)} A ${num(r)} ${num(r)} 0 0 1 ${num(centre + r)} ${num(spring)} V ${num(foot)} Z`;
    return cut(`<path d="${path}"/>`, colour, unit);
  };
  const [first, second, third, fourth, fifth] = colours;
  return arch(1.06, third) + arch(0.82, first) + arch(0.59, second) + arch(0.37, fifth) + arch(0.17, fourth);
}

/** A quilt of quarter and half circles along the free side. */
function tiles(canvas: ArtCanvas, colours: Palette): string {
  const { width, height, unit, shape, random } = canvas;
  const size = shape === 'landscape' ? height / 5 : shape === 'portrait' ? width / 4.5 : height / 6;
  const columns = shape === 'landscape' ? 3 : shape === 'portrait' ? 5 : 4;
  const rows = shape === 'landscape' ? 6 : 2;
  const top = shape === 'landscape' ? -size * 0.2 : Math.max(height - size * 1.9, artTop(canvas));
  const drawn: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      if (random.between(0, 1) < (column === 0 ? 0.55 : 0.12)) continue;
      const x = width - size * (columns - column) + size * 0.22;
      const y = top + row * size;
      drawn.push(cut(tile(x, y, size * 0.94, Math.floor(random.between(0, 6))), random.pick(colours), unit));
    }
  }
  return drawn.join('');
}

function tile(x: number, y: number, size: number, kind: number): string {
  const [l, t, r, b, s, h] = [x, y, x + size, y + size, size, size / 2].map(num);
  switch (kind) {
    case 0:
      return `<path d="M ${l} ${b} A ${s} ${s} 0 0 1 ${r} ${t} V ${b} Z"/>`;
    case 1:
      return `<path d="M ${l} ${t} A ${s} ${s} 0 0 0 ${r} ${b} V ${t} Z"/>`;
    case 2:
      return `<path d="M ${r} ${b} A ${s} ${s} 0 0 0 ${l} ${t} V ${b} Z"/>`;
    case 3:
      return `<path d="M ${l} ${b} A ${h} ${h} 0 0 1 ${r} ${b} Z M ${l} ${num(y + size / 2)} A ${h} ${h} 0 0 1 ${r} ${num(y + size / 2)} Z"/>`;
    case 4:
      return circle(x + size / 2, y + size / 2, size / 2);
    default:
      return `<path d="M ${r} ${t} A ${s} ${s} 0 0 0 ${l} ${b} A ${s} ${s} 0 0 0 ${r} ${t} Z"/>`;
  }
}

function discs(canvas: ArtCanvas, [first, second, third, fourth, fifth]: Palette): string {
  const { unit, random } = canvas;
  const { x, y, radius } = focus(canvas);
  const turn = random.between(-0.5, 0.5);
  const at = (angle: number, far: number, size: number) =>
    circle(
      x + Math.cos(angle + turn) * radius * far,
      y + Math.sin(angle + turn) * radius * far,
      radius * size,
    );
  const stroke = `fill="none" stroke="${fourth}" stroke-width="${num(2.4 * unit)}" stroke-opacity="0.7"`;
  const lines = [0.86, 0.95, 1.04]
    .map((scale) => `<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius * scale)}" ${stroke}/>`)
    .join('');
  return [
    lines,
    cut(at(2.2, 0.24, 0.58), first, unit),
    cut(at(5.2, 0.42, 0.44), second, unit),
    cut(at(0.6, 0.62, 0.28), third, unit),
    cut(at(3.9, 0.6, 0.17), fifth, unit),
    cut(at(1.6, 0.16, 0.2), fourth, unit),
  ].join('');
}
