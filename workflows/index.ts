/** Entry of the workflow bundle. The names are the workflow types, which are the job types. */
export { explainer } from './explainer.js';
export { stage } from './stage.js';
