import type { MediaActivities } from '../../workflows/activity-interfaces.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { createAssemble } from './assemble.js';
import { createMixAudio } from './audio/mix-audio.js';
import { createTimeCaptions } from './captions/time-captions.js';
import { createDrawThumbnail } from './draw-thumbnail.js';
import type { FfmpegTools } from './ffmpeg/run.js';
import { createConvertVideo } from './convert-video.js';
import { createOpenBase } from './personalize/open-base.js';
import { createPackageBatch, type PackageDeps } from './personalize/package-batch.js';
import { createPrepareBase } from './personalize/prepare-base.js';
import { createRenderRecipient } from './personalize/render-recipient.js';
import { createDrawPicture, type DrawPictureDeps } from './pictures/draw-picture.js';
import { createPlanComposition } from './plan-composition.js';
import { createRenderSegment } from './render-segment.js';

export interface MediaDeps {
  artifacts: ArtifactStore;
  cache: GenerationCache;
  /** Folder for work in progress; emptied after every activity. */
  scratchDir: string;
  tools: FfmpegTools;
  /** fonts.conf that names the program's fonts, for captions. */
  fontconfigFile: string;
  pictureProviders: DrawPictureDeps['pictureProviders'];
  listRecipients: PackageDeps['listRecipients'];
}

/** All activities of the media pool. */
export function createMediaActivities(deps: MediaDeps): MediaActivities {
  return {
    drawPicture: createDrawPicture(deps),
    timeCaptions: createTimeCaptions(deps),
    planComposition: createPlanComposition(deps),
    renderSegment: createRenderSegment(deps),
    mixAudio: createMixAudio(deps),
    assemble: createAssemble(deps),
    drawThumbnail: createDrawThumbnail(deps),
    openBase: createOpenBase(deps),
    prepareBase: createPrepareBase(deps),
    renderRecipient: createRenderRecipient(deps),
    packageBatch: createPackageBatch(deps),
    convertVideo: createConvertVideo(deps),
  };
}
