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
}

export interface MediaActivities {
  drawPicture(input: DrawPictureInput): Promise<DrawPictureResult>;
  timeCaptions(input: TimeCaptionsInput): Promise<TimeCaptionsResult>;
  planComposition(input: PlanCompositionInput): Promise<PlanCompositionResult>;
  renderSegment(input: RenderSegmentInput): Promise<RenderSegmentResult>;
  mixAudio(input: MixAudioInput): Promise<MixAudioResult>;
  assemble(input: AssembleInput): Promise<AssembleResult>;
  drawThumbnail(input: DrawThumbnailInput): Promise<DrawThumbnailResult>;
}

export interface OrchestrationActivities {
  markStarted(input: MarkStartedInput): Promise<MarkStartedResult>;
  markAwaitingApproval(input: MarkAwaitingApprovalInput): Promise<void>;
  editScript(input: EditScriptInput): Promise<WriteScriptResult>;
  recordVideo(input: RecordVideoInput): Promise<RecordVideoResult>;
  finishJob(input: FinishJobInput): Promise<void>;
}

export interface DeliveryActivities {
  deliverWebhook(input: WebhookInput): Promise<DeliverWebhookResult>;
}
