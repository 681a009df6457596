import type { SeededRandom } from '../random.js';
import { num } from '../svg.js';
import { type ArtCanvas, type ThemeDesign, focus } from './theme-design.js';

/** Night sky: a lit planet, its orbits and a few stars, in one blue that turns a little from scene to scene. */
export const midnight: ThemeDesign = {
  palette: { heading: '#F7F9FF', body: '#D9E1F7', accent: '#8FD0FF', quiet: '#A9B7DA', rule: '#5C6FA8' },
  tone: '#070B18',
  type: {
    title: { family: 'Inter', weight: 800, tracking: -0.028, lineHeight: 1.08 },
    heading: { family: 'Inter', weight: 700, tracking: -0.022, lineHeight: 1.12 },
    body: { family: 'Inter', weight: 500, tracking: -0.006, lineHeight: 1.32 },
    numeral: { family: 'Inter', weight: 600, tracking: 0.04, lineHeight: 1.2 },
  },
  bullets: 'bar',
  artwork,
};

interface Tint {
  glow: string;
  lit: string;
  mid: string;
  moon: string;
}

const tints: readonly [Tint, ...Tint[]] = [
  { glow: '#3D63FF', lit: '#9CC4FF', mid: '#3A5FE0', moon: '#FFD9A0' },
  { glow: '#6A4DFF', lit: '#C9B6FF', mid: '#6246D6', moon: '#9CF0E4' },
  { glow: '#1E8FE0', lit: '#A6EAFF', mid: '#1D7FC4', moon: '#FFC7B0' },
  { glow: '#2F4BD8', lit: '#8FE3FF', mid: '#2B58D0', moon: '#F4B6FF' },
];

function artwork(canvas: ArtCanvas): string {
  const { width, height, sceneNumber, random } = canvas;
  const tint = tints[(sceneNumber - 1) % tints.length] ?? tints[0];
  const centre = focus(canvas);
  const radius = centre.radius * random.between(0.82, 1.05);
  const x = centre.x + centre.radius * random.between(-0.06, 0.18);
  const y = centre.y + centre.radius * random.between(-0.12, 0.12);
  const reach = Math.max(width, height);
  return [
    '<defs>',
    '<linearGradient id="sky" x1="0" y1="0" x2="0.7" y2="1"><stop offset="0" stop-color="#0A1022"/>',
    '<stop offset="0.55" stop-color="#0E1631"/><stop offset="1" stop-color="#111A3D"/></linearGradient>',
    halo('glow', x, y, radius * 2.7, tint.glow, 0.5),
    halo('haze', width * 0.06, height * 1.04, reach * 0.5, '#0FA3A3', 0.17),
    `<radialGradient id="planet" cx="0.32" cy="0.26" r="0.86" fx="0.28" fy="0.22">`,
    `<stop offset="0" stop-color="${tint.lit}"/><stop offset="0.34" stop-color="${tint.mid}"/>`,
    '<stop offset="0.78" stop-color="#141E52"/><stop offset="1" stop-color="#0B1233"/></radialGradient>',
    '</defs>',
    `<rect width="${num(width)}" height="${num(height)}" fill="url(#sky)"/>`,
    `<rect width="${num(width)}" height="${num(height)}" fill="url(#haze)"/>`,
    `<rect width="${num(width)}" height="${num(height)}" fill="url(#glow)"/>`,
    stars(canvas, random),
    planet({ canvas, tint, x, y, radius }),
  ].join('');
}

function halo(id: string, x: number, y: number, radius: number, colour: string, strength: number): string {
  const stops = [1, 0.62, 0.3, 0.09, 0].map(
    (part, i) =>
      `<stop offset="${num(i / 4)}" stop-color="${colour}" stop-opacity="${num(strength * part)}"/>`,
  );
  const place = `cx="${num(x)}" cy="${num(y)}" r="${num(radius)}"`;
  return `<radialGradient id="${id}" gradientUnits="userSpaceOnUse" ${place}>${stops.join('')}</radialGradient>`;
}

function stars({ width, height, unit, shape }: ArtCanvas, random: SeededRandom): string {
  const dots: string[] = [];
  for (let i = 0; i < 90; i += 1) {
    const x = random.between(0, width);
    const size = random.between(0.7, 2.1) * unit;
    // Dim where text may stand on them.
    const bright = random.between(0.1, 0.34) * (shape === 'landscape' ? 0.35 + (0.65 * x) / width : 0.45);
    const place = `cx="${num(x)}" cy="${num(random.between(0, height))}" r="${num(size)}"`;
    dots.push(`<circle ${place} fill="#E6EEFF" fill-opacity="${num(bright)}"/>`);
  }
  return dots.join('');
}

interface Planet {
  canvas: ArtCanvas;
  tint: Tint;
  x: number;
  y: number;
  radius: number;
}

function planet({ canvas, tint, x, y, radius }: Planet): string {
  const { unit, random, sceneNumber } = canvas;
  const tilt = random.between(-26, -12);
  const flat = random.between(0.2, 0.3);
  const rings = sceneNumber % 3 === 2 ? [] : [1.36, 1.52, 1.74];
  const half = (scale: number, sweep: 0 | 1, opacity: number) => {
    const rx = num(radius * scale);
    const arc = `M ${num(-radius * scale)} 0 A ${rx} ${num(radius * scale * flat)} 0 0 ${sweep} ${rx} 0`;
    return `<path d="${arc}" fill="none" stroke="${tint.lit}" stroke-opacity="${num(opacity)}" stroke-width="${num(1.8 * unit)}"/>`;
  };
  const turn = `<g transform="translate(${num(x)} ${num(y)}) rotate(${num(tilt)})">`;
  const back = rings.map((scale, i) => half(scale, 1, 0.34 - i * 0.07));
  const front = rings.map((scale, i) => half(scale, 0, 0.72 - i * 0.16));
  const moons = (rings.length === 0 ? orbits(canvas, tint, radius) : []).concat(
    rings.slice(1).map((scale, i) => {
      const angle = random.between(0.25, 0.75) * Math.PI + (i === 0 ? 0 : 0.15);
      const mx = Math.cos(angle) * radius * scale;
      const my = Math.sin(angle) * radius * scale * flat;
      return `<circle cx="${num(mx)}" cy="${num(my)}" r="${num((i === 0 ? 9 : 6) * unit)}" fill="${tint.moon}"/>`;
    }),
  );
  const rim = `<circle r="${num(radius)}" fill="none" stroke="${tint.lit}" stroke-opacity="0.28" stroke-width="${num(1.6 * unit)}"/>`;
  return [
    turn,
    ...back,
    '</g>',
    `<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" fill="url(#planet)"/>`,
    `<g transform="translate(${num(x)} ${num(y)})">${rim}</g>`,
    turn,
    ...front,
    ...moons,
    '</g>',
  ].join('');
}

/** Wide circles around the planet, each with a moon on it, instead of rings. */
function orbits({ unit, shape, random }: ArtCanvas, tint: Tint, radius: number): string[] {
  return [1.28, 1.62, 1.98].flatMap((scale, i) => {
    const turn = random.between(0, 1);
    // Beside text a moon may stand anywhere on the left, above or under text only lower than the planet.
    const angle = (shape === 'landscape' ? 0.55 + turn * 0.7 + i * 0.16 : 0.62 + turn * 0.26) * Math.PI;
    const r = radius * scale;
    const ring = `<circle r="${num(r)}" fill="none" stroke="${tint.lit}" stroke-opacity="${num(0.3 - i * 0.07)}" stroke-width="${num(1.6 * unit)}" stroke-dasharray="${i === 1 ? `${num(2 * unit)} ${num(11 * unit)}` : 'none'}" stroke-linecap="round"/>`;
    const moon = `<circle cx="${num(Math.cos(angle) * r)}" cy="${num(Math.sin(angle) * r)}" r="${num((12 - i * 3) * unit)}" fill="${i === 0 ? tint.moon : tint.lit}"/>`;
    return [ring, moon];
  });
}
