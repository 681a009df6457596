/** Entry of the workflow bundle. The names are the workflow types: the job types, and what follows a job. */
export { explainer } from './explainer.js';
export { stage } from './stage.js';
export { webhook } from './webhook.js';
