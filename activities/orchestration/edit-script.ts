import { readEdits } from '../../db/job-records.js';
import { readVideoScript } from '../../db/video-records.js';
import type { Scene, SceneEdit, ScriptDocument } from '../../workflows/contract/documents.js';
import type { EditScriptInput, WriteScriptResult } from '../../workflows/contract/explainer.js';
import { invalidInput } from '../failures.js';
import type { OrchestrationDeps } from './orchestration-deps.js';

/** Applies the user's edits to a script, or to the script of a video that stands. */
export async function editScript(
  { db, artifacts }: OrchestrationDeps,
  input: EditScriptInput,
): Promise<WriteScriptResult> {
  const standing =
    input.videoId !== null
      ? await readVideoScript(db, input.userId, input.videoId)
      : input.script !== null
        ? await artifacts.readJson<ScriptDocument>(input.script)
        : undefined;
  if (standing === undefined) {
    throw invalidInput({ code: 'video_gone', detail: 'The video that was to be edited is gone.' });
  }
  const edited = applyEdits(standing, await readEdits(db, input.jobId));
  return {
    script: await artifacts.publishJson(edited),
    sceneCount: edited.scenes.length,
    message: null,
    cached: false,
  };
}

/**
 * @throws invalid_edits when an edit names a scene that the script does not have.
 */
export function applyEdits(script: ScriptDocument, edits: readonly SceneEdit[]): ScriptDocument {
  const unknown = edits.find((edit) => !script.scenes.some((scene) => scene.number === edit.number));
  if (unknown !== undefined) {
    throw invalidInput({
      code: 'invalid_edits',
      detail: `The script has no scene ${unknown.number}; it has ${script.scenes.length} scenes.`,
    });
  }
  const scenes = script.scenes.map((scene) =>
    edits.filter((edit) => edit.number === scene.number).reduce(applyEdit, scene),
  );
  return { ...script, scenes };
}

function applyEdit(scene: Scene, edit: SceneEdit): Scene {
  return {
    number: scene.number,
    heading: edit.heading ?? scene.heading,
    narration: edit.narration ?? scene.narration,
    bullets: edit.bullets ?? scene.bullets,
    imagePrompt: edit.imagePrompt ?? scene.imagePrompt,
    // Null is a value here: it takes the user's own picture away again.
    imageArtifact: edit.imageArtifact === undefined ? scene.imageArtifact : edit.imageArtifact,
  };
}
