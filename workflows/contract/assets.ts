/** Files of a user's own: what they may be, and what is known of them. */

export const assetKinds = ['image', 'audio', 'video', 'music', 'voice_sample', 'recipients'] as const;

export type AssetKind = (typeof assetKinds)[number];

/** What was found in the file; null where it does not apply. */
export interface AssetMedia {
  durationSeconds: number | null;
  /** Pixels of the picture as it is shown, turned as its file says. */
  width: number | null;
  height: number | null;
  /** Frames a second. */
  frameRate: number | null;
  videoCodec: string | null;
  audioCodec: string | null;
  sampleRate: number | null;
  channels: number | null;
}
