import type { ArtifactId } from './documents.js';
import type { FromCache, JobRef } from './jobs.js';
import type { LipSyncPads, LipSyncProviderName } from './personalized.js';

/** Jobs of one media step: conversion, and lip-sync of a whole video. */

export const conversionPresets = ['ultrafast', 'veryfast', 'fast', 'medium', 'slow'] as const;

export interface ConversionOptions {
  /** x264's quality, 0–51; 20 is hardly to be told from the source. */
  crf: number;
  preset: (typeof conversionPresets)[number];
  /** Bits a second. */
  audioBitRate: number;
  container: 'mp4';
}

export interface ConversionInput extends JobRef {
  source: ArtifactId;
  options: ConversionOptions;
}

export interface MediaJobResult {
  durationSeconds: number;
  width: number;
  height: number;
  bytes: number;
}

/** media pool: a user's video → MP4 with H.264 and AAC that plays everywhere. */
export type ConvertVideoInput = ConversionInput;
export interface ConvertVideoResult extends FromCache, MediaJobResult {
  video: ArtifactId;
}

export interface LipsyncInput extends JobRef {
  video: ArtifactId;
  audio: ArtifactId;
  provider: LipSyncProviderName;
  /** For Wav2Lip; absent: its own. */
  pads?: LipSyncPads;
}

/** lipsync pool: a video and other sound → the same video saying it. */
export type SyncLipsInput = LipsyncInput;
export interface SyncLipsResult extends FromCache, MediaJobResult {
  video: ArtifactId;
}
