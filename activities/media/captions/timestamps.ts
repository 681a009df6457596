/** `HH:MM:SS.mmm` as in WebVTT, to the nearest millisecond. */
export function vttTime(seconds: number): string {
  const { hours, minutes, wholeSeconds, rest } = split(seconds, 1000);
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(wholeSeconds, 2)}.${pad(rest, 3)}`;
}

/** `HH:MM:SS,mmm` as in SubRip. */
export function srtTime(seconds: number): string {
  return vttTime(seconds).replace('.', ',');
}

/** `H:MM:SS.cc` as in ASS, to the nearest hundredth. */
export function assTime(seconds: number): string {
  const { hours, minutes, wholeSeconds, rest } = split(seconds, 100);
  return `${hours}:${pad(minutes, 2)}:${pad(wholeSeconds, 2)}.${pad(rest, 2)}`;
}

/** Seconds of a `[H:]MM:SS[.,]fraction` time; NaN when it is not one. */
export function parseTime(text: string): number {
  const match = /^(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})$/.exec(text.trim());
  if (match === null) return NaN;
  const [, hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction}`);
}

function split(seconds: number, unitsPerSecond: number) {
  const units = Math.max(0, Math.round(seconds * unitsPerSecond));
  const whole = Math.floor(units / unitsPerSecond);
  return {
    hours: Math.floor(whole / 3600),
    minutes: Math.floor(whole / 60) % 60,
    wholeSeconds: whole % 60,
    rest: units % unitsPerSecond,
  };
}

const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
