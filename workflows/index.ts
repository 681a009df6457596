/** Entry of the workflow bundle. The names are the workflow types: the job types, and what follows a job. */
export { explainer } from './explainer.js';
export { conversion, lipsync } from './media-jobs.js';
export { personalized } from './personalized-batch.js';
export { personalizedVideo } from './personalized-video.js';
export { stage } from './stage.js';
export { webhook } from './webhook.js';
