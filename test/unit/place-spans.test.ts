import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { placeSpans, type BaseTimes } from '../../activities/media/personalize/place-spans.js';

const base: BaseTimes = {
  ...{ soundStartSeconds: 0, pictureStartSeconds: 0, samples: 480_000, sampleRate: 48_000, frames: 300 },
  frameRate: { numerator: 30, denominator: 1 },
};
const spans = (...times: [number, number][]) =>
  times.map(([startSeconds, endSeconds]) => ({ startSeconds, endSeconds, text: '{name}' }));
const framesOf = (
  times: [number, number][],
  { changesPictures = true, ...more }: Partial<BaseTimes> & { changesPictures?: boolean } = {},
) =>
  placeSpans(spans(...times), { ...base, ...more }, { changesPictures }).map((span) => [
    span.startFrame,
    span.endFrame,
  ]);

function refusal(times: [number, number][], more: Partial<BaseTimes> = {}, changesPictures = true) {
  try {
    return placeSpans(spans(...times), { ...base, ...more }, { changesPictures });
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    expect(error.nonRetryable).toBe(true);
    return error.type;
  }
}

describe('spans in samples and pictures', () => {
  it('take every picture that shows while they sound', () => {
    const [span] = placeSpans(spans([1.01, 1.5]), base, { changesPictures: true });
    expect(span).toEqual({
      ...{ startSample: 48_480, endSample: 72_000, startFrame: 30, endFrame: 46, text: '{name}' },
    });
  });

  it.each<[string, [number, number][], number[][]]>([
    [
      'touch',
      [
        [1, 1.5],
        [1.5, 2],
      ],
      [
        [30, 45],
        [45, 61],
      ],
    ],
    [
      'part within a picture',
      [
        [1, 1.51],
        [1.52, 2],
      ],
      [
        [30, 45],
        [45, 61],
      ],
    ],
    [
      'lie apart',
      [
        [1, 1.5],
        [1.55, 2],
      ],
      [
        [30, 46],
        [46, 61],
      ],
    ],
    [
      'are many',
      [
        [0, 0.1],
        [0.1, 0.2],
        [0.2, 0.3],
      ],
      [
        [0, 3],
        [3, 6],
        [6, 10],
      ],
    ],
  ])('each picture belongs to one where they %s', (_how, times, frames) => {
    expect(framesOf(times)).toEqual(frames);
  });

  it('are refused where one would be left without a picture', () => {
    expect(
      refusal([
        [1.001, 1.01],
        [1.02, 1.5],
      ]),
    ).toBe('spans_too_close');
    // Behind the last picture there is none for either.
    expect(
      refusal(
        [
          [9.2, 9.4],
          [9.5, 9.8],
        ],
        { frames: 270 },
      ),
    ).toBe('spans_too_close');
    // Pictures that are copied do not care.
    expect(
      framesOf(
        [
          [1.001, 1.01],
          [1.02, 1.5],
        ],
        { changesPictures: false },
      ),
    ).toHaveLength(2);
  });

  it('are refused where they are too long to be decoded', () => {
    const long = { samples: 48_000 * 3600, frames: 108_000 };
    expect(refusal([[0, 3_600]], long)).toBe('span_too_long');
    expect(refusal([[1, 31.2]], long)).toBe('span_too_long');
    expect(framesOf([[1, 31]], long)).toEqual([[30, 931]]);
    expect(framesOf([[0, 3_600]], { ...long, changesPictures: false })).toEqual([[0, 108_000]]);
  });

  it('follow a sound that begins after its picture, and a picture that begins after its sound', () => {
    const sound = { soundStartSeconds: 0.5, samples: 456_000 };
    const [late] = placeSpans(spans([1, 1.5]), { ...base, ...sound }, { changesPictures: true });
    expect(late).toMatchObject({ startSample: 24_000, endSample: 48_000, startFrame: 30, endFrame: 46 });
    const [both] = placeSpans(spans([0.2, 9.99]), { ...base, ...sound }, { changesPictures: true });
    expect(both).toMatchObject({ startSample: 0, endSample: 455_520, startFrame: 6 });
    const picture = { pictureStartSeconds: 0.5, frames: 285 };
    const [seen] = placeSpans(spans([1, 1.5]), { ...base, ...picture }, { changesPictures: true });
    expect(seen).toMatchObject({ startSample: 48_000, endSample: 72_000, startFrame: 15, endFrame: 31 });
    expect(refusal([[0.1, 0.4]], sound)).toBe('spans_outside_base');
  });

  it('may be empty, so that words are put in, and nowhere outside', () => {
    const [end] = placeSpans(spans([10, 10]), base, { changesPictures: true });
    expect(end).toMatchObject({ startSample: 480_000, endSample: 480_000, startFrame: 299, endFrame: 300 });
    expect(refusal([[10, 11]])).toBe('spans_outside_base');
    expect(refusal([[12, 13]])).toBe('spans_outside_base');
  });
});
