import type {
  AssembleInput,
  AssembleResult,
  DrawPictureInput,
  DrawPictureResult,
  DrawThumbnailInput,
  DrawThumbnailResult,
  EditScriptInput,
  MixAudioInput,
  MixAudioResult,
  PlanCompositionInput,
  PlanCompositionResult,
  RecordVideoInput,
  RecordVideoResult,
  RenderSegmentInput,
  RenderSegmentResult,
  SpeakSceneInput,
  SpeakSceneResult,
  TimeCaptionsInput,
  TimeCaptionsResult,
  WriteContentInput,
  WriteContentResult,
  WriteScriptInput,
  WriteScriptResult,
} from './contract/explainer.js';
import type {
  FinishJobInput,
  MarkAwaitingApprovalInput,
  MarkStartedInput,
  MarkStartedResult,
} from './contract/jobs.js';
import type {
  ConvertVideoInput,
  ConvertVideoResult,
  SyncLipsInput,
  SyncLipsResult,
} from './contract/media-jobs.js';
import type {
  EndRecipientInput,
  FindSpansInput,
  FindSpansResult,
  MoveMouthInput,
  MoveMouthResult,
  OpenBaseInput,
  OpenBaseResult,
  PackageBatchInput,
  PackageBatchResult,
  PrepareBaseInput,
  PrepareBaseResult,
  RecipientOutcome,
  RenderRecipientInput,
  RenderRecipientResult,
  SpeakBatchInput,
  SpeakBatchResult,
  SpeakRecipientInput,
  SpeakRecipientResult,
  StartRecipientInput,
} from './contract/personalized.js';
import type { DeliverWebhookResult, WebhookInput } from './contract/webhooks.js';

/**
 * What the workflows ask of each pool. The pools' activities are checked against these where they are wired,
 * so that the sandbox never imports an activity. Each may run again after it has done its work, and then
 * gives the same result.
 */
export interface LlmActivities {
  writeContent(input: WriteContentInput): Promise<WriteContentResult>;
  writeScript(input: WriteScriptInput): Promise<WriteScriptResult>;
}

export interface TtsActivities {
  speakScene(input: SpeakSceneInput): Promise<SpeakSceneResult>;
  findSpans(input: FindSpansInput): Promise<FindSpansResult>;
  speakBatch(input: SpeakBatchInput): Promise<SpeakBatchResult>;
  speakRecipient(input: SpeakRecipientInput): Promise<SpeakRecipientResult>;
}

export interface LipsyncActivities {
  moveMouth(input: MoveMouthInput): Promise<MoveMouthResult>;
  syncLips(input: SyncLipsInput): Promise<SyncLipsResult>;
}

export interface MediaActivities {
  drawPicture(input: DrawPictureInput): Promise<DrawPictureResult>;
  timeCaptions(input: TimeCaptionsInput): Promise<TimeCaptionsResult>;
  planComposition(input: PlanCompositionInput): Promise<PlanCompositionResult>;
  renderSegment(input: RenderSegmentInput): Promise<RenderSegmentResult>;
  mixAudio(input: MixAudioInput): Promise<MixAudioResult>;
  assemble(input: AssembleInput): Promise<AssembleResult>;
  drawThumbnail(input: DrawThumbnailInput): Promise<DrawThumbnailResult>;
  openBase(input: OpenBaseInput): Promise<OpenBaseResult>;
  prepareBase(input: PrepareBaseInput): Promise<PrepareBaseResult>;
  renderRecipient(input: RenderRecipientInput): Promise<RenderRecipientResult>;
  packageBatch(input: PackageBatchInput): Promise<PackageBatchResult>;
  convertVideo(input: ConvertVideoInput): Promise<ConvertVideoResult>;
}

export interface OrchestrationActivities {
  markStarted(input: MarkStartedInput): Promise<MarkStartedResult>;
  markAwaitingApproval(input: MarkAwaitingApprovalInput): Promise<void>;
  editScript(input: EditScriptInput): Promise<WriteScriptResult>;
  recordVideo(input: RecordVideoInput): Promise<RecordVideoResult>;
  startRecipient(input: StartRecipientInput): Promise<RecipientOutcome | null>;
  endRecipient(input: EndRecipientInput): Promise<RecipientOutcome>;
  finishJob(input: FinishJobInput): Promise<void>;
}

export interface DeliveryActivities {
  deliverWebhook(input: WebhookInput): Promise<DeliverWebhookResult>;
}
