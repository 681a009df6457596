/** A process that ends in its own time once it is asked to, or at once when it is asked again. */
import { untilInterrupted } from '../../cli/stack/until-interrupted.js';

const interrupted = untilInterrupted();
const alive = setInterval(() => undefined, 1_000);
process.stdout.write('ready\n');
await interrupted;
setTimeout(() => {
  clearInterval(alive);
  process.stdout.write('stopped\n');
  process.exit(0);
}, 2_500);
