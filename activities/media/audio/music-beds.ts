import type { BuiltinMusic } from '../../../workflows/contract.js';

/** A loop of soft synthetic music as an `aevalsrc` expression for each of two channels. */
export interface MusicBed {
  loopSeconds: number;
  expressions: [left: string, right: string];
  /** Filters that take the edge off; they run over several loops, of which a middle one is kept. */
  filters: string;
}

/** Beds sound well below speech's consonants, so they can be made at a third of the final rate. */
export const bedRate = 16_000;

/** MIDI note numbers of a loop's chords, lowest first. */
const progressions: Record<BuiltinMusic, number[][]> = {
  // C major ninth, A minor seventh, F major ninth, G suspended: nothing in it pulls.
  calm: [
    [36, 52, 55, 59, 62],
    [33, 52, 55, 60, 64],
    [29, 53, 57, 60, 67],
    [31, 50, 55, 60, 65],
  ],
  // D, A, B minor, G: the same hopeful turn again and again.
  bright: [
    [38, 54, 57, 62, 66],
    [33, 52, 57, 61, 64],
    [35, 54, 59, 62, 66],
    [31, 55, 59, 62, 67],
  ],
  // A minor, F, C, E minor over a low, even beat.
  pulse: [
    [33, 52, 57, 60],
    [29, 53, 57, 60],
    [36, 52, 55, 60],
    [28, 52, 55, 59],
  ],
};

const chordSeconds: Record<BuiltinMusic, number> = { calm: 8, bright: 4, pulse: 4.8 };

export function musicBed(name: BuiltinMusic): MusicBed {
  const chords = progressions[name];
  const seconds = chordSeconds[name];
  const loopSeconds = chords.length * seconds;
  const swell = name === 'calm' ? 2.4 : 0.9;
  const side = (detuneHz: number, phase: number) => {
    const voices = chords.flatMap((chord, index) => {
      const pad = padVoice(chord, index * seconds, seconds, loopSeconds, swell, detuneHz);
      if (name === 'bright') return [pad, plucks(chord, index * seconds, seconds, 0.5, phase)];
      if (name === 'pulse') return [pad, beat(chord[0] ?? 33, index * seconds, seconds, 0.6)];
      return [pad];
    });
    const sway = `(1+0.12*sin(2*PI*(3*t/${loopSeconds}+${phase})))`;
    return `0.5*${sway}*(${voices.join('+')})`;
  };
  return {
    loopSeconds,
    expressions: [side(-1, 0), side(1, 0.25)],
    filters:
      name === 'calm'
        ? 'lowpass=f=1800,aecho=0.9:0.6:210|390:0.25|0.18'
        : 'lowpass=f=3200,aecho=0.9:0.5:150|300:0.22|0.15',
  };
}

/** Hertz of a MIDI note, rounded to a whole number of swings in the loop, so that the loop has no seam. */
function swings(note: number, loopSeconds: number, offset: number): string {
  const hertz = 440 * 2 ** ((note - 69) / 12);
  return `${Math.round(hertz * loopSeconds) + offset}*2*PI*t/${loopSeconds}`;
}

/** A chord that swells and dies away over its neighbours. Registers 0 and 1 hold its place in time. */
function padVoice(
  chord: readonly number[],
  startSeconds: number,
  seconds: number,
  loopSeconds: number,
  swell: number,
  detuneSwings: number,
): string {
  const since = `st(0,mod(t+${loopSeconds - startSeconds},${loopSeconds}))`;
  const envelope = `st(1,clip(ld(0)/${swell},0,1)*clip((${seconds + swell}-ld(0))/${swell},0,1))`;
  const notes = chord.map((note, index) => {
    const level = index === 0 ? 0.2 : 0.11;
    const overtone = index === 0 ? 0.35 : 0.22;
    const phase = swings(note, loopSeconds, index === 0 ? 0 : detuneSwings * (1 + index));
    return `${level}*(sin(${phase})+${overtone}*sin(2*${phase}))`;
  });
  return `(0*${since}+0*${envelope}+if(gt(ld(1),0),ld(1)*ld(1)*(3-2*ld(1))*(${notes.join('+')}),0))`;
}

/** One plucked note after another, up and down the chord an octave higher. Registers 2 to 4. */
function plucks(
  chord: readonly number[],
  startSeconds: number,
  seconds: number,
  every: number,
  phase: number,
): string {
  const order = [1, 3, 2, 4, 3, 2, 4, 1];
  const steps = Math.round(seconds / every);
  const hertz = Array.from({ length: steps }, (_, step) => {
    const note = (chord[order[step % order.length] ?? 1] ?? 60) + 12;
    return (440 * 2 ** ((note - 69) / 12)).toFixed(4);
  });
  const index = `st(2,floor((t-${startSeconds})/${every}))`;
  const since = `st(3,t-${startSeconds}-ld(2)*${every})`;
  const pitch = hertz.reduceRight((rest, value, step) => `if(eq(ld(2),${step}),${value},${rest})`, '0');
  const left = phase === 0 ? 1 : 0.8;
  const decay = `clip(ld(3)/0.008,0,1)*exp(-5.5*ld(3))*clip((${every}-ld(3))/0.06,0,1)`;
  const tone = `(sin(2*PI*ld(4)*ld(3))+0.25*sin(4*PI*ld(4)*ld(3))*exp(-8*ld(3)))`;
  const sound = `0*${index}+0*${since}+0*st(4,${pitch})+${(0.13 * left).toFixed(3)}*${decay}*${tone}`;
  return within(startSeconds, seconds, sound);
}

/** A low, round beat. Registers 2 and 3. */
function beat(note: number, startSeconds: number, seconds: number, every: number): string {
  const hertz = (440 * 2 ** ((note + 12 - 69) / 12)).toFixed(4);
  const since = `st(3,mod(t-${startSeconds},${every}))`;
  const decay = `clip(ld(3)/0.012,0,1)*exp(-6*ld(3))*clip((${every}-ld(3))/0.08,0,1)`;
  return within(startSeconds, seconds, `0*${since}+0.34*${decay}*sin(2*PI*${hertz}*ld(3))`);
}

function within(startSeconds: number, seconds: number, sound: string): string {
  return `if(gte(t,${startSeconds})*lt(t,${startSeconds + seconds}),${sound},0)`;
}
