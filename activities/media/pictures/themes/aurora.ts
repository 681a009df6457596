import { num } from '../svg.js';
import { type ArtCanvas, type ThemeDesign, artTop } from './theme-design.js';

/** Northern lights: curtains of colour and fine flowing lines over a deep violet night, text on glass cards. */
export const aurora: ThemeDesign = {
  palette: { heading: '#FFFFFF', body: '#F3EEFF', accent: '#7FF5D6', quiet: '#CFC4EC', rule: '#8A78C4' },
  tone: '#0C0620',
  type: {
    title: { family: 'Manrope', weight: 800, tracking: -0.03, lineHeight: 1.1 },
    heading: { family: 'Manrope', weight: 800, tracking: -0.024, lineHeight: 1.14 },
    body: { family: 'Manrope', weight: 600, tracking: -0.004, lineHeight: 1.34 },
    numeral: { family: 'Manrope', weight: 700, tracking: 0.04, lineHeight: 1.2 },
  },
  bullets: 'card',
  artwork,
};

type Lights = readonly [string, string, string];

const lights: readonly [Lights, ...Lights[]] = [
  ['#18E0B5', '#7B4DFF', '#FF4FA3'],
  ['#3BC8FF', '#18E0B5', '#8A4DFF'],
  ['#FF5FA8', '#7B4DFF', '#2FB8FF'],
  ['#9BE84A', '#16CFC0', '#6A5BFF'],
];

function artwork(canvas: ArtCanvas): string {
  const { width, height, shape, sceneNumber } = canvas;
  const colours = lights[(sceneNumber - 1) % lights.length] ?? lights[0];
  const full = `width="${num(width)}" height="${num(height)}"`;
  const shade =
    shape === 'landscape' ? 'x1="0.22" y1="0.1" x2="0.86" y2="0" ' : 'x1="0.1" y1="0.34" x2="0.34" y2="1" ';
  return [
    '<defs>',
    '<linearGradient id="night" x1="0" y1="0" x2="0.5" y2="1"><stop offset="0" stop-color="#120A30"/>',
    '<stop offset="0.6" stop-color="#170C3D"/><stop offset="1" stop-color="#0A1B3A"/></linearGradient>',
    `<linearGradient id="shade" ${shade}><stop offset="0" stop-color="#110930" stop-opacity="0.86"/>`,
    '<stop offset="0.45" stop-color="#110930" stop-opacity="0.74"/><stop offset="0.72" stop-color="#110930" stop-opacity="0.26"/><stop offset="1" stop-color="#110930" stop-opacity="0"/></linearGradient>',
    `<radialGradient id="dusk" cx="0.86" cy="0.02" r="0.62"><stop offset="0" stop-color="${colours[1]}" stop-opacity="0.42"/>`,
    `<stop offset="0.5" stop-color="${colours[1]}" stop-opacity="0.12"/><stop offset="1" stop-color="${colours[1]}" stop-opacity="0"/></radialGradient>`,
    '</defs>',
    `<rect ${full} fill="url(#night)"/>`,
    `<rect ${full} fill="url(#dusk)"/>`,
    curtains(canvas, colours),
    silk(canvas, colours),
    `<rect ${full} fill="url(#shade)"/>`,
  ].join('');
}

/** Height of a wave at `t`, 0–1 across the canvas. */
type Wave = (t: number) => number;

function wave(canvas: ArtCanvas, level: number, swing: number): Wave {
  const { height, random } = canvas;
  const [a, b] = [random.between(0, 6.28), random.between(0, 6.28)];
  const [fast, slow] = [random.between(4.2, 5.6), random.between(1.8, 2.6)];
  return (t) => height * (level + swing * (0.62 * Math.sin(slow * t + a) + 0.38 * Math.sin(fast * t + b)));
}

function outline(canvas: ArtCanvas, line: Wave): string {
  const steps = 40;
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const t = (i / steps) * 1.1 - 0.05;
    return `${num(t * canvas.width)} ${num(line(t))}`;
  });
  return `M ${points.join(' L ')}`;
}

/** Height of the uppermost curtain as a part of the canvas: over the text's side, or under the text. */
function firstLight(canvas: ArtCanvas): number {
  return canvas.shape === 'landscape' ? 0.1 : Math.max(0.56, artTop(canvas) / canvas.height + 0.055);
}

/** Light that hangs down from a wave and fades away below it. */
function curtains(canvas: ArtCanvas, colours: Lights): string {
  const { width, height, shape } = canvas;
  const base = firstLight(canvas);
  return colours
    .map((colour, i) => {
      const line = wave(
        canvas,
        base + i * (shape === 'landscape' ? 0.15 : 0.1),
        shape === 'landscape' ? 0.1 : 0.055,
      );
      const top = line(0.75);
      const drop = height * (shape === 'landscape' ? 0.72 : 0.5);
      const gradient = `<linearGradient id="light${i}" gradientUnits="userSpaceOnUse" x1="0" y1="${num(top - height * 0.06)}" x2="${num(-width * 0.08)}" y2="${num(top + drop)}"><stop offset="0" stop-color="${colour}" stop-opacity="0.66"/><stop offset="0.3" stop-color="${colour}" stop-opacity="0.34"/><stop offset="1" stop-color="${colour}" stop-opacity="0"/></linearGradient>`;
      const area = `${outline(canvas, line)} L ${num(width * 1.05)} ${num(height * 1.1)} L ${num(-width * 0.05)} ${num(height * 1.1)} Z`;
      return `<defs>${gradient}</defs><path d="${area}" fill="url(#light${i})"/>`;
    })
    .join('');
}

/** Fine parallel lines between two waves, like threads in silk. */
function silk(canvas: ArtCanvas, colours: Lights): string {
  const { unit, shape } = canvas;
  const level = firstLight(canvas);
  const [rise, fall] = shape === 'landscape' ? [0.16, 0.5] : [0.11, 0.44];
  const upper = wave(canvas, level + rise, shape === 'landscape' ? 0.14 : 0.09);
  const lower = wave(canvas, level + fall, 0.12);
  const threads = 26;
  return Array.from({ length: threads }, (_, i) => {
    const part = i / (threads - 1);
    const path = outline(canvas, (t) => upper(t) * (1 - part) + lower(t) * part);
    const colour = part < 0.34 ? colours[0] : part < 0.67 ? '#FFFFFF' : colours[2];
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-opacity="${num(0.1 + 0.2 * Math.sin(part * Math.PI))}" stroke-width="${num(1.5 * unit)}"/>`;
  }).join('');
}
